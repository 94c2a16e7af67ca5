// Which images are chosen in the grid: some by their ids, or all that the query finds. Pure; useSelection.ts keeps it.
import type { ImageQuery, ImageSelection } from '../../../../shared/domain.ts'

export type Selection = { readonly of: 'some'; readonly ids: ReadonlySet<number> } | { readonly of: 'all' }

export const nothing: Selection = { of: 'some', ids: new Set() }

/** So many can be chosen one by one; all of a query are never too many. */
export const mostChosen = 10_000

export function these(ids: Iterable<number>): Selection {
  return { of: 'some', ids: new Set(ids) }
}

export function isChosen(selection: Selection, imageId: number): boolean {
  return selection.of === 'all' || selection.ids.has(imageId)
}

/** @param total images of the query */
export function countChosen(selection: Selection, total: number): number {
  return selection.of === 'all' ? total : selection.ids.size
}

/** One image more, or one less. */
export function toggled(ids: ReadonlySet<number>, imageId: number): Selection {
  const next = new Set(ids)
  if (!next.delete(imageId)) next.add(imageId)
  return { of: 'some', ids: next }
}

/** As main is asked; null when nothing is chosen. */
export function asRequest(selection: Selection, query: ImageQuery): ImageSelection | null {
  if (selection.of === 'all') return { query }
  return selection.ids.size > 0 ? { imageIds: [...selection.ids] } : null
}
