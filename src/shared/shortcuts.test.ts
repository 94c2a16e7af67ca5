import { expect, test } from 'vitest'
import {
  accelWords,
  isPressed,
  type KeyPress,
  keysOf,
  type ShortcutName,
  shortcutPlaces,
  shortcuts,
} from './shortcuts.ts'

const press = (key: string, held: Partial<KeyPress> = {}): KeyPress => ({
  ...{ key, altKey: false, ctrlKey: false, metaKey: false, shiftKey: false },
  ...held,
})

test('a press is the accelerator with these modifiers and no others', () => {
  expect(isPressed('CmdOrCtrl+K', press('k', { ctrlKey: true }), false)).toBe(true)
  expect(isPressed('CmdOrCtrl+K', press('k', { metaKey: true }), true)).toBe(true)
  expect(isPressed('CmdOrCtrl+K', press('k', { ctrlKey: true }), true)).toBe(false)
  expect(isPressed('CmdOrCtrl+K', press('K', { ctrlKey: true, shiftKey: true }), false)).toBe(false)
  expect(isPressed('Alt+Left', press('ArrowLeft', { altKey: true }), false)).toBe(true)
  expect(isPressed('Alt+Left', press('ArrowLeft', { altKey: true, ctrlKey: true }), false)).toBe(false)
  expect(isPressed('Alt+Left', press('ArrowLeft'), false)).toBe(false)
})

test('a sign is the same with and without Shift, as keyboards differ', () => {
  expect(isPressed('?', press('?', { shiftKey: true }), false)).toBe(true)
  expect(isPressed('?', press('?'), false)).toBe(true)
  expect(isPressed('+', press('+', { shiftKey: true }), false)).toBe(true)
  expect(isPressed('?', press('?', { ctrlKey: true }), false)).toBe(false)
})

test('keys are written as each platform does', () => {
  expect(accelWords('CmdOrCtrl+Shift+W', false)).toBe('Ctrl+Shift+W')
  expect(accelWords('CmdOrCtrl+Shift+W', true)).toBe('⌘⇧W')
  expect(accelWords('+', false)).toBe('+')
  expect(keysOf('back', true)).toEqual(['Cmd+['])
  expect(keysOf('back', false)).toEqual(['Alt+Left'])
})

test('no key means two things in one place', () => {
  const names = Object.keys(shortcuts) as ShortcutName[]
  for (const onMac of [true, false]) {
    for (const place of shortcutPlaces) {
      const here = names.filter((name) => [place, 'Everywhere'].includes(shortcuts[name].place))
      const keys = here.flatMap((name) => keysOf(name, onMac))
      expect(new Set(keys).size, place).toBe(keys.length)
    }
  }
})
