// A run that shares its responses with workers, one of which is killed in the middle, against the same run alone: equal, byte for
// byte. And what the folder of a shared run is refused for.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest'
import type { AlignJob } from '../../shared/job.ts'
import { presetConfig } from '../../shared/runConfig.ts'
import type { WritableDb } from '../db/connection.ts'
import { createWorkspace, openWorkspace } from '../db/open.ts'
import { runJob } from '../engine/jobs/runJob.ts'
import { type Sharing, shareWith } from '../engine/jobs/sharedRun.ts'
import { storedJobOf } from '../engine/jobs/storedJob.ts'
import { identifyRunModels } from '../engine/jobs/storedRun.ts'
import { addDemoRun, contentOf, demoLexicon, shortConfig } from '../engine/jobs/testing/demoRun.ts'
import { alignRun } from '../engine/jobs/workspaceJobs.ts'
import { WorkspaceJobStore } from '../engine/jobs/workspaceStore.ts'
import { thisThread } from '../engine/pool/workers.ts'
import { shareIn } from './shardWork.ts'
import { testWork } from './testing/sweepOf.ts'
import { version } from './version.ts'

const home = mkdtempSync(join(tmpdir(), 'fisao-shared-'))
const folder = join(home, 'share')
const images = 12
const config = presetConfig('quick-look', {
  ...shortConfig,
  rollout: { responsesPerStep: 6, batchSize: 2, maxNewTokens: 16 },
  calibration: { responses: 24, goOnRefused: true },
  optimiser: { ...shortConfig.optimiser, stepsPerRound: 2, valueWarmupSteps: 2 },
  evaluation: { everySteps: 1, images: 4 },
})
const sharing = (notes: string[] = []): Sharing => ({
  ...{ folder, staleMs: 60_000, appVersion: version, note: (text) => void notes.push(text) },
})

let job: AlignJob
/** What the run left that shared nothing. */
let alone: Record<string, unknown>

function startWorker(): ChildProcess {
  const args = ['work', folder, '--threads', '1', '--progress', 'none']
  return spawn(process.execPath, [inject('scripts').command, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Empty where there is no such folder, or no longer: folders of tokens come and go. */
function namesIn(path: string): string[] {
  try {
    return readdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function newWorkspace(name: string): WritableDb {
  createWorkspace(join(home, name))
  return openWorkspace(join(home, name))
}

beforeAll(async () => {
  const db = newWorkspace('alone.fisao')
  const runId = addDemoRun(db, images, { config })
  await alignRun(db, { runId, device: 'cpu', threads: 1, lexicon: demoLexicon }, () => undefined)
  job = storedJobOf(db, runId) as AlignJob
  alone = contentOf(db, runId)
  db.close()
}, 60_000)
afterAll(() => rmSync(home, { recursive: true, force: true }))

test('with two workers, one of them killed in the middle, a run comes to the bytes that it comes to alone', {
  timeout: 120_000,
}, async () => {
  // A learner that was killed before left the folder like this; who waits there goes on with the one that comes.
  const before = await shareWith(sharing(), job, { workers: thisThread, threads: 1 })
  const killed = startWorker()
  onTestFinished(() => void killed.kill('SIGKILL'))
  const claimed = join(folder, 'claimed')
  while (readdirSync(claimed).length < 2) await delay(10)
  const db = newWorkspace(`shared ${killed.pid}.fisao`)
  const runId = addDemoRun(db, images, { config })
  const store = new WorkspaceJobStore(db, runId, await identifyRunModels(db, runId))
  const notes: string[] = []
  const run = runJob<'align'>(job, store, () => undefined, undefined, sharing(notes))
  const own = `-${killed.pid}-`
  const hasShard = () =>
    namesIn(claimed).some((name) => name.includes(own) && namesIn(join(claimed, name)).some((one) => /^\d/.test(one)))
  let hasEnded = false
  const ended = run.finally(() => {
    hasEnded = true
  })
  const kill = async (): Promise<void> => {
    while (!hasShard()) {
      if (hasEnded) throw new Error('The run ended before the worker had a shard.')
      await delay(1)
    }
    killed.kill('SIGKILL')
    await once(killed, 'close')
  }
  const [outcome] = await Promise.all([shareIn(folder, 60_000, 1, testWork()), ended, kill()])
  expect(contentOf(db, runId)).toEqual(alone)
  expect(notes).toEqual([])
  const figures = db
    .prepare<[number], { name: string; value: number }>(
      "SELECT name, sum(value) AS value FROM metric WHERE run_id = ? AND name LIKE 'sharing.%' GROUP BY name",
    )
    .all(runId)
  const { responses } = outcome.result as { responses: number }
  const byOthers = figures.find(({ name }) => name === 'sharing.responsesByOthers')?.value ?? 0
  expect(responses).toBeGreaterThan(0)
  expect(byOthers).toBeGreaterThanOrEqual(1)
  expect(figures.find(({ name }) => name === 'sharing.refusedShards')?.value).toBe(0)
  // Nothing is left but the folders of tokens, and an answer that came at that moment.
  expect(readdirSync(folder).filter((name) => name !== 'answers')).toEqual(['claimed', 'closed', 'open'])
  await before.release()
  db.close()
})

test.each([
  ['another version of the program', { appVersion: '0.0.0' }, 'version 0.0.0'],
  ['another version of the format', { version: 2 }, 'version'],
  ['a field too many', { more: 1 }, 'more'],
  ['a learner elsewhere', { learner: '../../etc' }, 'learner'],
])('a worker refuses a folder of %s', async (_name, changes, found) => {
  const learner = await shareWith(sharing(), job, { workers: thisThread })
  const path = join(folder, 'share.json')
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }))
  await expect(shareIn(folder, 60_000, 1, testWork())).rejects.toMatchObject({
    code: 'run.bad-share',
    found: expect.stringContaining(found),
  })
  await learner.release()
})

test('a learner does not take the folder of a run of another job that was killed, nor what is none', async () => {
  const learner = await shareWith(sharing(), job, { workers: thisThread })
  const taken = { code: 'run.share-taken' }
  await expect(shareWith(sharing(), { ...job, seed: 4 }, { workers: thisThread })).rejects.toMatchObject(taken)
  await learner.release()
  const sweep = join(home, 'sweep')
  mkdirSync(join(sweep, 'open'), { recursive: true })
  for (const name of ['open/1', 'sweep.json']) writeFileSync(join(sweep, name), '')
  await expect(shareWith({ ...sharing(), folder: sweep }, job, { workers: thisThread })).rejects.toMatchObject({
    ...{ ...taken, found: 'sweep.json' },
  })
  expect(readdirSync(join(sweep, 'open'))).toEqual(['1'])
  const notes = join(home, 'notes')
  mkdirSync(join(notes, 'answers'), { recursive: true })
  writeFileSync(join(notes, 'answers/mine.txt'), '')
  await expect(shareWith({ ...sharing(), folder: notes }, job, { workers: thisThread })).rejects.toMatchObject(taken)
})

test('a worker ends with its learner, also with one that shows no sign of life', async () => {
  const learner = await shareWith({ ...sharing(), staleMs: 1e9 }, job, { workers: thisThread, threads: 1 })
  expect((await shareIn(folder, 100, 1, testWork())).result).toEqual({ shards: 0, responses: 0 })
  await learner.release()
})
