// Which keys a person has: Command on a Mac, Control elsewhere.
import { accelWords, keysOf, type ShortcutName } from '../../../shared/shortcuts.ts'

export const onMac = navigator.platform.startsWith('Mac')

/** The first keys of a shortcut as they are written on this kind of computer, e.g. `Ctrl+K`. */
export function keyWords(name: ShortcutName): string {
  return accelWords(keysOf(name, onMac)[0] ?? '', onMac)
}
