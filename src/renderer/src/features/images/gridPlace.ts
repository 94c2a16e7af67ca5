// Where the person is in the grid of images: the tile that the keys go on from, also after an image was looked at.
import { z } from 'zod'
import { keep, keptValue } from '../../place.ts'

const activeName = 'images.active'
const isAwayName = 'images.isAway'

export function activeTile(): number {
  return keptValue(activeName, z.int().nonnegative(), 0)
}

export function keepActiveTile(index: number): void {
  keep(activeName, index)
}

/** An image was opened: when the grid is shown again, its tile has the focus. */
export function leaveGrid(): void {
  keep(isAwayName, true)
}

/** Whether an image was opened before; says so once. */
export function isBackInGrid(): boolean {
  const isBack = keptValue(isAwayName, z.boolean(), false)
  if (isBack) keep(isAwayName, false)
  return isBack
}
