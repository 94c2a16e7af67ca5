// The cache must never hand out something half made, nor let two set-ups spoil each other's work.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cached, cacheRoot, withLock } from './cache.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fisao-cache-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const fill = (text: string) => async (folder: string) => writeFileSync(join(folder, 'file'), text)
const content = (folder: string) => readFileSync(join(folder, 'file'), 'utf8')

test('builds an entry once', async () => {
  expect(content(await cached('entry', 'file', fill('first'), root))).toBe('first')
  expect(content(await cached('entry', 'file', fill('second'), root))).toBe('first')
  expect(readdirSync(root)).toEqual(['entry'])
})

test('builds a half-finished entry again, without what was left in it', async () => {
  mkdirSync(join(root, 'entry'))
  writeFileSync(join(root, 'entry', 'file'), 'half')
  writeFileSync(join(root, 'entry', 'stray'), '')
  const folder = await cached('entry', 'file', fill('whole'), root)
  expect(content(folder)).toBe('whole')
  expect(existsSync(join(folder, 'stray'))).toBe(false)
})

test('builds an entry again when its file is gone', async () => {
  rmSync(join(await cached('entry', 'file', fill('first'), root), 'file'))
  expect(content(await cached('entry', 'file', fill('second'), root))).toBe('second')
})

test('keeps nothing of a build that failed, and tries again', async () => {
  const fail = async (folder: string) => {
    writeFileSync(join(folder, 'file'), 'half')
    throw new Error('no space')
  }
  await expect(cached('entry', 'file', fail, root)).rejects.toThrow('no space')
  expect(readdirSync(root)).toEqual([])
  expect(content(await cached('entry', 'file', fill('whole'), root))).toBe('whole')
})

test('lets one of two set-ups build while the other waits', async () => {
  let builds = 0
  const slow = async (folder: string) => {
    builds++
    await delay(50)
    writeFileSync(join(folder, 'file'), 'whole')
  }
  const folders = await Promise.all([cached('entry', 'file', slow, root), cached('entry', 'file', slow, root)])
  expect(folders.map(content)).toEqual(['whole', 'whole'])
  expect(builds).toBe(1)
})

test('takes over the lock of a process that was killed, and clears its old leftovers', async () => {
  const lock = join(root, 'entry.lock')
  const leftover = join(root, 'entry.partial-abc')
  writeFileSync(lock, '')
  mkdirSync(leftover)
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3600 * 1000)
  utimesSync(lock, hoursAgo(1), hoursAgo(1))
  utimesSync(leftover, hoursAgo(2), hoursAgo(2))
  await cached('entry', 'file', fill('whole'), root)
  expect(readdirSync(root)).toEqual(['entry'])
})

test('waits for a lock whose owner lives', async () => {
  const order: string[] = []
  const first = withLock('name', () => delay(300).then(() => order.push('first')), root)
  await withLock('name', async () => order.push('second'), root)
  await first
  expect(order).toEqual(['first', 'second'])
})

test('stands where the system keeps caches', () => {
  expect(cacheRoot({ XDG_CACHE_HOME: '/x' }, 'linux')).toBe('/x/fisao-studio')
  expect(cacheRoot({ XDG_CACHE_HOME: '/x', FISAO_CACHE_DIR: '/y' }, 'linux')).toBe('/y')
})
