// Which vote a key means, and where keys mean something else. Pure but for the element that has the focus.
import type { VoteChoice } from '../../../../shared/domain.ts'

const choices: Readonly<Record<string, VoteChoice | 'undo'>> = {
  ...{ ArrowLeft: 'left', ArrowRight: 'right', ArrowDown: 'tie', ' ': 'tie', u: 'undo', U: 'undo' },
}
/** Where arrows and letters are for the element itself. */
const usesKeys = 'input, textarea, select, [contenteditable], [role=slider], [role=tab], [role=listbox], [role=dialog]'

/** Null for keys that are no vote. */
export function voteKey(event: KeyboardEvent): VoteChoice | 'undo' | null {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.repeat) {
    return null
  }
  const { target, key } = event
  if (target instanceof Element) {
    if (target.closest(usesKeys)) return null
    // A space presses what has the focus.
    if (key === ' ' && target.closest('button, a, summary')) return null
  }
  return choices[key] ?? null
}
