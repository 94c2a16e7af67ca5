// What the page may name: full paths, and backups that the app lists for that workspace.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backupFolder } from '../db/backup.ts'
import { backupOf, fullPath } from './pagePaths.ts'

test.each(['', '.', '..', 'a', './a', '../../etc', 'a/b.fisao', '~', '~/a', 'file:///etc', 'C:\\a', ' /a'])(
  'a path that depends on something else is refused: %j',
  (path) => {
    expect(() => fullPath('image', path)).toThrow(expect.objectContaining({ code: 'image.bad-path' }))
  },
)

test('so is one that no file system takes, in a short sentence', () => {
  for (const path of [
    '/a\0b',
    `/${'a'.repeat(256)}`,
    `/${'ä'.repeat(128)}`,
    `/${'a/'.repeat(2100)}`,
    `/${'a'.repeat(1e6)}`,
  ]) {
    expect(() => fullPath('workspace', path)).toThrow(expect.objectContaining({ code: 'workspace.bad-path' }))
  }
  expect(fullPath('workspace', `/${'ä'.repeat(127)}`)).toBe(`/${'ä'.repeat(127)}`)
  expect(fullPath('model', '/a//b/../c')).toBe('/a/c')
})

test('whatever text comes, the answer is a full path or a sentence', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      try {
        expect(fullPath('image', text).startsWith('/')).toBe(true)
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'image.bad-path', remedy: expect.any(String) })
      }
    }),
  )
})

test('only a listed backup of the very workspace can be restored', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fisao-backup-'))
  try {
    const path = join(folder, 'work.fisao')
    const name = '2026-11-20 10-00-00.000.fisao'
    for (const owner of [path, join(folder, 'other.fisao')]) {
      mkdirSync(backupFolder(owner))
      writeFileSync(join(backupFolder(owner), name), 'x')
    }
    writeFileSync(join(folder, name), 'x')
    const own = join(backupFolder(path), name)
    expect(backupOf(path, own)).toBe(own)
    for (const foreign of [join(folder, name), join(folder, 'other backups', name), path, join(own, '..', 'x')]) {
      expect(() => backupOf(path, foreign)).toThrow(expect.objectContaining({ code: 'workspace.foreign-backup' }))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
