// Cells and collector, killed by SIGKILL at any moment, as often as FISAO_KILLS says (100 take some ten minutes): nothing is lost
// and nothing comes twice. Without it cluster.test.ts kills a few.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { checkContents } from '../db/fileCheck.ts'
import { openWorkspace } from '../db/open.ts'
import { listRuns } from '../db/runs.ts'
import { contentOf } from '../engine/jobs/testing/demoRun.ts'
import { type Collected, collect } from './collect.ts'
import { readCommandLine } from './commandLine.ts'
import { makeSweep } from './sweep.ts'
import { firstScenes, testWork } from './testing/sweepOf.ts'

const kills = Number(process.env.FISAO_KILLS ?? 0)
const home = mkdtempSync(join(tmpdir(), 'fisao-kills-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const settings = {
  'rollout.responsesPerStep': 4,
  'rollout.batchSize': 4,
  'rollout.maxNewTokens': 16,
  'calibration.responses': 16,
  'calibration.goOnRefused': true,
  'optimiser.stepsPerRound': 3,
  'optimiser.minibatchSize': 4,
  'optimiser.microBatchSize': 4,
  'optimiser.valueWarmupSteps': 2,
  'evaluation.everySteps': 1,
  'evaluation.images': 3,
}
const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

/** A number below `most` (Park & Miller 1988). */
let state = 20_261
function drawn(most: number): number {
  state = (state * 48_271) % 2_147_483_647
  return state % most
}

function start(args: readonly string[]): ChildProcess {
  const script = join(import.meta.dirname, 'main.ts')
  return spawn(process.execPath, ['--import', loader, script, ...args, '--progress', 'none'], { stdio: 'ignore' })
}

let sweeps = 0
/** A sweep of one cell, the same each time but for its id. */
async function newSweep(): Promise<string> {
  const folder = join(home, `sweep-${++sweeps}`)
  const options = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`])
  const args = ['--demo', '--images', join(home, 'scenes'), '--threads', '1', '--placebo', '--seed', '3', ...options]
  await makeSweep(readCommandLine(['sweep', folder, ...args], home), testWork())
  return folder
}

const into = join(home, 'collected.fisao')
/** One of three machines, which have what was left on them. */
const cellArgs = (folder: string) => [
  'cell',
  folder,
  '1',
  '--scratch',
  join(home, `machine-${drawn(3)}`),
  '--copy-every',
  '0',
]
const collectArgs = (folder: string) => ['collect', folder, '--into', into, '--scratch', join(home, 'collector')]

/** @returns its exit code, or null where it was killed after so many milliseconds */
async function endOf(child: ChildProcess, killAfterMs: number): Promise<number | null> {
  const isKilled = delay(killAfterMs, undefined).then(() => child.kill('SIGKILL'))
  const [code] = (await once(child, 'close')) as [number | null]
  void isKilled
  return code
}

test.skipIf(kills === 0)(
  `${kills} kills over cells and collector lose nothing and double nothing`,
  {
    timeout: 120_000 + kills * 30_000,
  },
  async () => {
    firstScenes(home, 8)
    const first = await newSweep()
    const startMs = performance.now()
    expect(await endOf(start(cellArgs(first)), 600_000)).toBe(0)
    const cellMs = performance.now() - startMs
    const done = [first]
    let folder = await newSweep()
    const killed = { cells: 0, collections: 0 }
    while (killed.cells + killed.collections < kills) {
      if (drawn(3) === 0) {
        const of = done[drawn(done.length)] as string
        if ((await endOf(start(collectArgs(of)), drawn(cellMs / 2))) === null) killed.collections++
      } else if ((await endOf(start(cellArgs(folder)), drawn(cellMs * 1.1))) === null) killed.cells++
      else {
        // A cell that ended says so again and at once.
        done.push(folder)
        folder = await newSweep()
      }
    }
    while ((await endOf(start(cellArgs(folder)), 600_000)) !== 0);
    done.push(folder)
    const found: Collected[] = []
    for (const each of [...done, ...done]) {
      const { result } = await collect(each, { into, scratch: join(home, 'collector') }, testWork())
      found.push(result as Collected)
    }
    expect(found.flatMap(({ refused, missing, failed }) => [...refused, ...missing, ...failed])).toEqual([])
    expect(found.slice(done.length).every(({ known }) => known.length === 1)).toBe(true)
    for (const each of done)
      expect(readdirSync(join(each, 'cells/1')).filter((name) => !/^result/.test(name))).toEqual([])
    const db = openWorkspace(into)
    checkContents(db)
    const contents = listRuns(db).map(({ runId, name }) => [name, JSON.stringify(contentOf(db, runId))] as const)
    db.close()
    expect(contents).toHaveLength(2 * done.length)
    // A run and a placebo, each as often as there are cells, and always the same.
    const different = new Set(contents.map(([name, text]) => `${name} ${text}`))
    expect(different.size).toBe(2)
    process.stdout.write(
      `${killed.cells} kills of cells, ${killed.collections} of the collector, ${done.length} cells\n`,
    )
  },
)
