// Back and forward by keys and by the side buttons of a mouse, as in a browser.
import { useEffect } from 'react'
import { goBack, goForward } from '../place.ts'

const onMac = navigator.platform.startsWith('Mac')

/** What the keys are called. On a Mac, Option with an arrow moves by words in a text. */
export const wayKeys = onMac ? { back: '⌘[', forward: '⌘]' } : { back: 'Alt+Left', forward: 'Alt+Right' }

/** Side buttons of a mouse, by `MouseEvent.button`. */
const sideButtons: Readonly<Record<number, () => void>> = { 3: goBack, 4: goForward }

/** Listens as long as the window is shown. */
export function useWayKeys(): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const way = wayOf(event)
      if (!way || isBehindDialog()) return
      event.preventDefault()
      way()
    }
    const onMouseUp = (event: MouseEvent): void => {
      const way = sideButtons[event.button]
      if (!way || isBehindDialog()) return
      event.preventDefault()
      way()
    }
    window.addEventListener('keydown', onKeyDown)
    window.addEventListener('mouseup', onMouseUp)
    return () => {
      window.removeEventListener('keydown', onKeyDown)
      window.removeEventListener('mouseup', onMouseUp)
    }
  }, [])
}

function wayOf({ key, altKey, metaKey, ctrlKey, shiftKey }: KeyboardEvent): (() => void) | undefined {
  if (ctrlKey || shiftKey) return undefined
  if (onMac) return metaKey && !altKey ? { '[': goBack, ']': goForward }[key] : undefined
  return altKey && !metaKey ? { ArrowLeft: goBack, ArrowRight: goForward }[key] : undefined
}

/** A dialog is about the page behind it. */
function isBehindDialog(): boolean {
  return document.querySelector('[aria-modal="true"]') !== null
}
