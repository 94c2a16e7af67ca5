// Where settings and caches lie when the program is on a stick, and that they stay in their usual place when it is not.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { portableFolder } from './portable.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fisao-portable-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('without the marker nothing is portable', () => {
  expect(portableFolder(join(folder, 'studio'), 'linux', {})).toBe(null)
  expect(portableFolder(join(folder, 'studio'), 'linux', { APPIMAGE: join(folder, 'F.AppImage') })).toBe(null)
})

test('with it, the data lie beside the program', () => {
  writeFileSync(join(folder, 'portable'), '')
  const data = join(folder, 'fisao-studio-data')
  expect(portableFolder(join(folder, 'studio'), 'linux', {})).toBe(data)
  expect(portableFolder(join(folder, 'FiSAO Studio.exe'), 'win32', {})).toBe(data)
  // An AppImage runs from a folder that is mounted for it; beside the program is beside its file.
  expect(portableFolder('/tmp/.mount_x/studio', 'linux', { APPIMAGE: join(folder, 'F.AppImage') })).toBe(data)
  // On macOS the program is the folder that a person sees.
  expect(portableFolder(join(folder, 'FiSAO Studio.app/Contents/MacOS/FiSAO Studio'), 'darwin', {})).toBe(data)
})

test('a marker elsewhere does not count', () => {
  mkdirSync(join(folder, 'program'))
  writeFileSync(join(folder, 'portable'), '')
  expect(portableFolder(join(folder, 'program/studio'), 'linux', {})).toBe(null)
})
