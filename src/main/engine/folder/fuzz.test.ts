// Damaged and hostile model files, by a seed: whatever lies in a folder is used, or refused by a typed error in time,
// without a crash, a hang, a look outside of the folder or a grown memory. A process of its own runs the cases
// (testing/fuzzChild.ts), so that one that hangs or ends it is found and named.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, inject, test } from 'vitest'
import { fixtureRoot } from '../models/testing/parityFixtures.ts'
import { kinds } from './testing/fuzzCases.ts'
import type { FuzzSummary } from './testing/fuzzChild.ts'

/** FISAO_THOROUGH asks for more of each kind. */
const cases = Number(process.env['FISAO_FUZZ_CASES'] ?? (process.env['FISAO_THOROUGH'] === 'yes' ? 800 : 240))
const seed = Number(process.env['FISAO_FUZZ_SEED'] ?? 20_261)
const firstCase = Number(process.env['FISAO_FUZZ_FIRST'] ?? 0)
/** Twenty times what the ordinary cases take on two cores. */
const mostSeconds = 60 + cases * 0.1
const hangMs = 20_000
const mostGrowthBytes = 256 * 1024 * 1024

/** Runs the cases in a process, and kills it when it says nothing for too long. */
async function runFuzz(root: string): Promise<FuzzSummary> {
  const lexicon = join(import.meta.dirname, '../../../../resources/lexicons/coco-objects.json')
  const args = [root, fixtureRoot, lexicon, ...[seed, firstCase, cases, mostSeconds].map(String)]
  const child = spawn(process.execPath, ['--expose-gc', inject('scripts').fuzzChild, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [last, errors] = ['the start', '']
  let summary: FuzzSummary | null = null
  const hung = () => {
    child.kill('SIGKILL')
    last += ` (killed: it said nothing for ${hangMs} ms)`
  }
  let watchdog = setTimeout(hung, hangMs)
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk).slice(-2000)))
  createInterface(child.stdout).on('line', (line) => {
    clearTimeout(watchdog)
    watchdog = setTimeout(hung, hangMs)
    const said = JSON.parse(line) as { call?: string; summary?: FuzzSummary }
    last = said.call ?? last
    summary = said.summary ?? summary
  })
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (...end) => resolve(end))
  })
  clearTimeout(watchdog)
  if (summary !== null && code === 0) return summary
  throw new Error(`seed ${seed}: the process ended (${signal ?? code}) at ${last}\n${errors}`)
}

test(`${cases} damaged model files are used or refused with a typed error (seed ${seed})`, {
  timeout: (mostSeconds + 60) * 1000,
}, async () => {
  const root = mkdtempSync(join(tmpdir(), 'fisao-fuzz-'))
  try {
    const { faults, codes, ...found } = await runFuzz(root)
    process.stdout.write(`fuzz, seed ${seed}: ${JSON.stringify(found)} ${JSON.stringify(codes)}\n`)
    expect(faults.slice(0, 20), `seed ${seed}`).toEqual([])
    expect(found.growthBytes).toBeLessThan(mostGrowthBytes)
    expect(found.peakGrowthBytes).toBeLessThan(mostGrowthBytes)
    if (cases < 1500) return
    expect(found.cases).toBeGreaterThanOrEqual(1500)
    for (const kind of kinds) {
      const { cases: tried = 0, refused = 0 } = found.kinds[kind] ?? {}
      // Both ends are reached: damage that is found, and damage that does not matter.
      expect(refused, kind).toBeGreaterThan(tried / 10)
      expect(tried - refused, kind).toBeGreaterThan(0)
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
