// Cells and collector, killed by SIGKILL at any moment, as often as FISAO_KILLS says (100 take some ten minutes): nothing is lost
// and nothing comes twice. Without it cluster.test.ts kills a few.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { checkContents } from '../db/fileCheck.ts'
import { openWorkspace } from '../db/open.ts'
import { listRuns } from '../db/runs.ts'
import { contentOf } from '../engine/jobs/testing/demoRun.ts'
import { type Collected, collect } from './collect.ts'
import { readCommandLine } from './commandLine.ts'
import { makeSweep } from './sweep.ts'
import { packagedCommand } from './testing/packagedCommand.ts'
import { firstScenes, testWork } from './testing/sweepOf.ts'

const kills = Number(process.env.FISAO_KILLS ?? 0)
const home = mkdtempSync(join(tmpdir(), 'fisao-kills-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const settings = {
  'rollout.responsesPerStep': 2,
  'rollout.batchSize': 2,
  'rollout.maxNewTokens': 8,
  'calibration.responses': 8,
  'calibration.goOnRefused': true,
  'optimiser.stepsPerRound': 2,
  'optimiser.minibatchSize': 2,
  'optimiser.microBatchSize': 2,
  'optimiser.valueWarmupSteps': 1,
  'evaluation.everySteps': 1,
  'evaluation.images': 2,
}

/** A number below `most` (Park & Miller 1988). */
let state = 20_261
function drawn(most: number): number {
  state = (state * 48_271) % 2_147_483_647
  return state % most
}

let entry = ''
/** The built command in a process of its own. @returns its exit code, or null where it was killed after so many milliseconds */
async function endOf(args: readonly string[], killAfterMs: number): Promise<number | null> {
  const child = spawn('node', [entry, ...args, '--progress', 'none'], { stdio: 'ignore', cwd: home })
  const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  return code
}

let sweeps = 0
/** A sweep of one cell, the same each time but for its id. */
async function newSweep(): Promise<string> {
  const folder = join(home, `sweep-${++sweeps}`)
  const options = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`])
  const args = ['--demo', '--images', join(home, 'scenes'), '--threads', '1', '--seed', '3', ...options]
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

test.skipIf(kills === 0)(
  `${kills} kills over cells and collector lose nothing and double nothing`,
  {
    timeout: 120_000 + kills * 30_000,
  },
  async () => {
    entry = packagedCommand(home).entry
    firstScenes(home, 6)
    const first = await newSweep()
    const startMs = performance.now()
    expect(await endOf(cellArgs(first), 600_000)).toBe(0)
    // A kill falls anywhere within it: longer after each that was killed, shorter after one that came to its end.
    let spreadMs = performance.now() - startMs
    const done = [first]
    let folder = await newSweep()
    const killed = { cells: 0, collections: 0 }
    while (killed.cells + killed.collections < kills) {
      if (drawn(3) === 0) {
        const of = done[drawn(done.length)] as string
        if ((await endOf(collectArgs(of), drawn(Math.ceil(spreadMs / 2)))) === null) killed.collections++
      } else if ((await endOf(cellArgs(folder), drawn(Math.ceil(spreadMs)))) === null) {
        killed.cells++
        spreadMs *= 1.25
      } else {
        // It says so again, and at once.
        expect(await endOf(cellArgs(folder), 600_000)).toBe(0)
        spreadMs /= 1.5
        done.push(folder)
        folder = await newSweep()
      }
    }
    while ((await endOf(cellArgs(folder), 600_000)) !== 0);
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
    expect(contents).toHaveLength(done.length)
    // As often as there are cells, and always the same.
    const different = new Set(contents.map(([name, text]) => `${name} ${text}`))
    expect(different.size).toBe(1)
    process.stdout.write(
      `${killed.cells} kills of cells, ${killed.collections} of the collector, ${done.length} cells\n`,
    )
  },
)
