// The keys that work on every page, by the table of src/shared/shortcuts.ts, and the side buttons of a mouse.
import { useEffect, useEffectEvent } from 'react'
import { isPressed, keysOf } from '../../../shared/shortcuts.ts'
import { goBack, goForward } from '../place.ts'
import { onMac } from './onMac.ts'

/** What they do; the others of the table are the menu's or belong to a part of a page. */
export interface KeyActions {
  readonly palette: () => void
  readonly help: () => void
}

/** Side buttons of a mouse, by `MouseEvent.button`. */
const sideButtons: Readonly<Record<number, () => void>> = { 3: goBack, 4: goForward }

/** Listens as long as the window is shown. */
export function useKeys(actions: KeyActions): void {
  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    const byName = { ...actions, back: goBack, forward: goForward }
    const names = Object.keys(byName) as (keyof typeof byName)[]
    const name = names.find((one) => keysOf(one, onMac).some((keys) => isPressed(keys, event, onMac)))
    if (!name || event.defaultPrevented || isBehindDialog()) return
    // A sign is typed there.
    if (name === 'help' && isText(event.target)) return
    event.preventDefault()
    byName[name]()
  })
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onKeyDown(event)
    const onMouseUp = (event: MouseEvent): void => {
      const way = sideButtons[event.button]
      if (!way || isBehindDialog()) return
      event.preventDefault()
      way()
    }
    window.addEventListener('keydown', listener)
    window.addEventListener('mouseup', onMouseUp)
    return () => {
      window.removeEventListener('keydown', listener)
      window.removeEventListener('mouseup', onMouseUp)
    }
  }, [])
}

function isText(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, [contenteditable="true"]') !== null
}

/** A dialog is about the page behind it. */
function isBehindDialog(): boolean {
  return document.querySelector('[aria-modal="true"]') !== null
}
