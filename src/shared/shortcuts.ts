// Every key that does something in the window: handlers (shell/keys.ts), the application menu (main's menu.ts) and the list
// that `?` shows are made from this one table.

/** Where a key works. */
export const shortcutPlaces = ['Everywhere', 'Images', 'Inspector', 'A response'] as const
export type ShortcutPlace = (typeof shortcutPlaces)[number]

export interface Shortcut {
  readonly label: string
  readonly place: ShortcutPlace
  /** In Electron's notation of accelerators; several that do the same. `CmdOrCtrl` is Command on a Mac, Control elsewhere. */
  readonly keys: readonly [string, ...string[]]
  /** On a Mac, where they differ. */
  readonly macKeys?: readonly [string, ...string[]]
}

export const shortcuts = {
  palette: { label: 'Find a page, a run or an action', place: 'Everywhere', keys: ['CmdOrCtrl+K'] },
  help: { label: 'Show these keys', place: 'Everywhere', keys: ['?'] },
  back: { label: 'Back', place: 'Everywhere', keys: ['Alt+Left'], macKeys: ['Cmd+['] },
  forward: { label: 'Forward', place: 'Everywhere', keys: ['Alt+Right'], macKeys: ['Cmd+]'] },
  home: { label: 'Home', place: 'Everywhere', keys: ['CmdOrCtrl+1'] },
  images: { label: 'Images', place: 'Everywhere', keys: ['CmdOrCtrl+2'] },
  runs: { label: 'Runs', place: 'Everywhere', keys: ['CmdOrCtrl+3'] },
  models: { label: 'Models', place: 'Everywhere', keys: ['CmdOrCtrl+4'] },
  settings: { label: 'Settings', place: 'Everywhere', keys: ['CmdOrCtrl+,'] },
  newWorkspace: { label: 'New workspace', place: 'Everywhere', keys: ['CmdOrCtrl+N'] },
  openWorkspace: { label: 'Open a workspace', place: 'Everywhere', keys: ['CmdOrCtrl+O'] },
  closeWorkspace: { label: 'Close the workspace', place: 'Everywhere', keys: ['CmdOrCtrl+Shift+W'] },
  importFolder: { label: 'Add a folder of images', place: 'Images', keys: ['CmdOrCtrl+I'] },
  find: { label: 'Search images', place: 'Images', keys: ['CmdOrCtrl+F'] },
  gridMove: { label: 'From image to image', place: 'Images', keys: ['Left', 'Right', 'Up', 'Down'] },
  gridOpen: { label: 'Open an image', place: 'Images', keys: ['Enter'] },
  neighbours: { label: 'Image before and after', place: 'Inspector', keys: ['PageUp', 'PageDown'] },
  zoom: { label: 'Zoom in, out and back', place: 'Inspector', keys: ['+', '-', '0'] },
  leaveInspector: { label: 'Back to the images', place: 'Inspector', keys: ['Escape'] },
  wordMove: { label: 'From word to word', place: 'A response', keys: ['Left', 'Right'] },
} as const satisfies Record<string, Shortcut>
export type ShortcutName = keyof typeof shortcuts

/** The keys of a shortcut on this kind of computer. */
export function keysOf(name: ShortcutName, onMac: boolean): readonly string[] {
  const { keys, macKeys }: Shortcut = shortcuts[name]
  return onMac ? (macKeys ?? keys) : keys
}

/** What of a key press says which key it was. */
export interface KeyPress {
  readonly key: string
  readonly altKey: boolean
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly shiftKey: boolean
}

/** Whether a press is this accelerator. Shift is part of how a sign such as `?` is written, so signs do not name it. */
export function isPressed(accelerator: string, press: KeyPress, onMac: boolean): boolean {
  const { key, modifiers } = partsOf(accelerator, onMac)
  const isSign = key.length === 1 && key.toLowerCase() === key.toUpperCase()
  return (
    (eventKeys[key] ?? key).toLowerCase() === press.key.toLowerCase() &&
    modifiers.has('Alt') === press.altKey &&
    modifiers.has('Ctrl') === press.ctrlKey &&
    modifiers.has('Cmd') === press.metaKey &&
    (isSign || modifiers.has('Shift') === press.shiftKey)
  )
}

/** How an accelerator is written for a person: `Ctrl+K`, `⌘K`. */
export function accelWords(accelerator: string, onMac: boolean): string {
  const { key, modifiers } = partsOf(accelerator, onMac)
  const name = shownKeys[key] ?? key
  return onMac
    ? [...modifiers].map((modifier) => macSigns[modifier] ?? modifier).join('') + name
    : [...modifiers, name].join('+')
}

/** `KeyboardEvent.key` where it differs from Electron's name. */
const eventKeys: Readonly<Record<string, string>> = {
  ...{ Left: 'ArrowLeft', Right: 'ArrowRight', Up: 'ArrowUp', Down: 'ArrowDown' },
}
const shownKeys: Readonly<Record<string, string>> = {
  ...{ Left: '←', Right: '→', Up: '↑', Down: '↓', PageUp: 'Page Up', PageDown: 'Page Down', Escape: 'Esc' },
}
const macSigns: Readonly<Record<string, string>> = { Cmd: '⌘', Shift: '⇧', Alt: '⌥', Ctrl: '⌃' }

function partsOf(accelerator: string, onMac: boolean): { key: string; modifiers: ReadonlySet<string> } {
  // A plus at the end is the key itself.
  const parts = accelerator.split(/\+(?=.)/)
  const key = parts.at(-1) ?? ''
  const modifiers = parts.slice(0, -1).map((part) => (part === 'CmdOrCtrl' ? (onMac ? 'Cmd' : 'Ctrl') : part))
  return { key, modifiers: new Set(modifiers) }
}
