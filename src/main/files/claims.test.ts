// Cells without Slurm: several processes that want each of 50 cells, each of which is counted once; workers that are killed,
// that sleep for too long, and that wake up while they are being taken for gone.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, inject, test } from 'vitest'
import { Claims, makeTokens } from './claims.ts'

const home = mkdtempSync(join(tmpdir(), 'fisao-claims-'))
let folder = ''
let tests = 0
/** A clock that goes on when it is told to. */
let nowMs = 0
const claims = () => new Claims(folder, () => nowMs)
const namesIn = (name: string) => readdirSync(join(folder, name))

beforeEach(() => {
  folder = join(home, String(++tests))
  mkdirSync(folder)
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

test('two processes for each cell of 50: each is counted once', { timeout: 60_000 }, async () => {
  const counted = join(folder, 'counted')
  mkdirSync(counted)
  makeTokens(folder, 50)
  const ended = [1, 2].map(async () => {
    const child = spawn(process.execPath, [inject('scripts').claimCells, folder, counted], { stdio: 'inherit' })
    const [code] = (await once(child, 'close')) as [number | null]
    return code
  })
  // A cell that is counted twice ends its process with an error.
  expect(await Promise.all(ended)).toEqual([0, 0])
  expect(namesIn('counted')).toHaveLength(50)
  expect([namesIn('open'), namesIn('claimed'), namesIn('closed').length]).toEqual([[], [], 50])
})

test('a worker that shows no change for long enough is gone, and its cells are free', () => {
  makeTokens(folder, 3)
  const [killed, watcher] = [claims(), claims()]
  expect([killed.take(), killed.take(), watcher.take()]).toEqual([1, 2, 3])
  nowMs = 0
  expect(watcher.reclaim(100)).toEqual([])
  nowMs = 99
  expect(watcher.reclaim(100)).toEqual([])
  expect(watcher.areOnlyOpen(new Set())).toBe(false)
  nowMs = 100
  expect(watcher.reclaim(100)).toEqual([1, 2])
  expect(namesIn('claimed')).toEqual([watcher.name])
  expect([watcher.take(), watcher.take(), watcher.take()]).toEqual([1, 2, null])
  for (const cell of [1, 2, 3]) watcher.close(cell)
  expect(watcher.areOnlyOpen(new Set())).toBe(true)
  // It wakes up, closes what it had, and goes on as a new one would.
  killed.beat()
  killed.close(1)
  expect([killed.take(), namesIn('closed').sort()]).toEqual([null, ['1', '2', '3']])
})

test('one that gives signs of life keeps its cells, whatever its clock says', () => {
  makeTokens(folder, 1)
  const [slow, watcher] = [claims(), claims()]
  slow.take()
  for (nowMs = 0; nowMs < 1000; nowMs += 90) {
    expect(watcher.reclaim(100)).toEqual([])
    slow.beat()
  }
})

test('a folder that a waking worker has just taken a cell into is not removed', () => {
  makeTokens(folder, 2)
  const [sleeper, watcher] = [claims(), claims()]
  sleeper.take()
  nowMs = 0
  watcher.reclaim(100)
  nowMs = 200
  expect(watcher.reclaim(100)).toEqual([1])
  // Its folder is gone; it makes it anew and takes a cell, whose token nobody loses.
  expect(sleeper.take()).toBe(1)
  expect(namesIn('claimed').length).toBe(2)
  sleeper.giveBack(1)
  expect(namesIn('open').sort()).toEqual(['1', '2'])
})

test('what a person has put there is no cell', () => {
  makeTokens(folder, 1)
  for (const name of ['0', 'notes', '1.bak', '99999999']) writeFileSync(join(folder, 'open', name), '')
  const worker = claims()
  expect([worker.take(), worker.take()]).toEqual([1, null])
  worker.leave()
  expect([namesIn('claimed'), existsSync(join(folder, 'open/1'))]).toEqual([[], true])
})

test('cells that are left to others are passed over, and can be tried again once they were closed', () => {
  makeTokens(folder, 2)
  const worker = claims()
  expect(worker.take(new Set([1]))).toBe(2)
  worker.close(2)
  expect([worker.areOnlyOpen(new Set([1])), worker.areOnlyOpen(new Set()), worker.closed]).toEqual([true, false, [2]])
  worker.reopen(2)
  expect(worker.take()).toBe(1)
})
