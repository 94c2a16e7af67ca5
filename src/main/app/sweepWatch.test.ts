// A folder of a sweep tells when another cell came to its end, and of nothing else.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { watchSweep } from './sweepWatch.ts'

function watched(times: { settleMs: number; pollMs: number }, hasCells: boolean) {
  const folder = mkdtempSync(join(tmpdir(), 'fisao-watch-'))
  if (hasCells) mkdirSync(join(folder, 'cells'))
  let told = 0
  const end = watchSweep(folder, () => told++, times)
  onTestFinished(() => {
    end()
    rmSync(folder, { recursive: true, force: true })
  })
  const write = (name: string, text = '{}') => {
    mkdirSync(join(folder, 'cells', name, '..'), { recursive: true })
    writeFileSync(join(folder, 'cells', name), text)
  }
  return { write, end, told: () => told }
}

const never = 1_000_000

test.each([
  ['on a disk of this machine, by the system', { settleMs: 20, pollMs: never }, true],
  ['that is not there yet, by asking', { settleMs: never, pollMs: 40 }, false],
])('a folder %s', async (_, times, hasCells) => {
  const { write, end, told } = watched(times, hasCells)
  await delay(300)
  write('3/snapshot.fisao', 'half of it')
  write('notes/result.json')
  await delay(300)
  expect(told()).toBe(0)
  write('3/result.json')
  await expect.poll(told).toBe(1)
  write('12/failure.json')
  await expect.poll(told).toBe(2)
  end()
  write('4/result.json')
  await delay(300)
  expect(told()).toBe(2)
})
