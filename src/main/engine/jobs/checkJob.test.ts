// The check of a run of the demo model against that very run: its time, the size of its checkpoints and of what it stores.
// Models, files and database are real.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StudioError } from '../../../shared/errors.ts'
import type { CheckMeasurement, RunCheckProgress } from '../../../shared/runCheck.ts'
import { type RunConfig, totalStepsOf } from '../../../shared/runConfig.ts'
import { checkpointBytes } from '../../db/checkpoints.ts'
import { createWorkspace, openWorkspace } from '../../db/open.ts'
import { runById } from '../../db/runs.ts'
import { checkRun } from './checkJob.ts'
import { addDemoRun, demoLexicon, shortConfig } from './testing/demoRun.ts'
import { alignRun } from './workspaceJobs.ts'

describe('the check of a run of the demo model', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'fisao-check-'))
  const workspace = join(folder, 'work.fisao')
  createWorkspace(workspace)
  const db = openWorkspace(workspace)
  const runId = addDemoRun(db, 48)
  const modelId = runById(db, runId)!.modelId
  const request = {
    workspace,
    modelId,
    config: shortConfig,
    seed: 3,
    device: 'cpu',
    threads: 1,
    lexicon: demoLexicon,
  } as const
  const check = (config: RunConfig, signal?: AbortSignal) =>
    checkRun(db, { ...request, config }, (progress) => told.push(progress), signal)
  const told: RunCheckProgress[] = []
  const size = () =>
    (
      db.prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size').get() as {
        bytes: number
      }
    ).bytes
  const changes = () => (db.prepare('SELECT total_changes() AS total').get() as { total: number }).total
  let measured: CheckMeasurement
  let realMs = 0
  let storedBytes = 0
  let changed = 0

  beforeAll(async () => {
    const before = changes()
    measured = await check(shortConfig)
    changed = changes() - before
    const [startBytes, startMs] = [size(), performance.now()]
    await alignRun(db, { runId, device: 'cpu', threads: 1, lexicon: demoLexicon }, () => undefined)
    realMs = performance.now() - startMs
    storedBytes = size() - startBytes
  }, 120_000)

  afterAll(() => {
    db.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('stores nothing', () => {
    expect(changed).toBe(0)
  })

  test('tells the time of the run that follows', () => {
    const { totalMs, stepMs, totalSteps } = measured.time
    process.stdout.write(
      `check ${Math.round(measured.durationMs)} ms, told ${Math.round(totalMs.value)} (${Math.round(totalMs.low)} to ${Math.round(totalMs.high)}), took ${Math.round(realMs)} ms\n`,
    )
    expect(totalSteps).toBe(totalStepsOf(shortConfig))
    expect(totalMs.low).toBeLessThan(totalMs.value)
    expect(totalMs.value).toBeLessThan(totalMs.high)
    expect(stepMs.value * totalSteps).toBeLessThan(totalMs.value)
    // Other work on the machine comes and goes between the two.
    expect(realMs / totalMs.value).toBeGreaterThan(0.4)
    expect(realMs / totalMs.value).toBeLessThan(2.5)
  })

  test('tells the bytes of a checkpoint exactly, and about what responses take', () => {
    const { disk } = measured
    expect(disk.checkpointBytes).toBe(checkpointBytes(db, runId))
    expect(disk.checkpoints).toBe(totalStepsOf(shortConfig) + 1)
    expect(disk.totalBytes).toBe(disk.checkpointBytes * disk.checkpoints + disk.responseBytes)
    process.stdout.write(`disk told ${disk.totalBytes}, took ${storedBytes}\n`)
    expect(storedBytes / disk.totalBytes).toBeGreaterThan(0.5)
    expect(storedBytes / disk.totalBytes).toBeLessThan(2)
    expect(disk.freeBytes).toBeGreaterThan(0)
  })

  test('measures memory, and expects no less than it saw', () => {
    const { peakBytes, expectedBytes, machineBytes, deviceBytes } = measured.memory
    expect(peakBytes).toBeGreaterThan(50e6)
    expect(expectedBytes).toBeGreaterThanOrEqual(0.9 * peakBytes)
    expect(expectedBytes).toBeLessThan(machineBytes)
    expect(deviceBytes).toBeNull()
  })

  test('says of the verifier what few words tell, or that they do not', () => {
    const { outcome, auroc, scores, leastScores } = measured.verifier
    expect(scores).toBeGreaterThan(0)
    expect(leastScores).toBe(shortConfig.calibration.leastScores)
    if (scores < leastScores) expect(outcome).toBe('not-enough')
    if (auroc) expect(auroc.low <= auroc.value && auroc.value <= auroc.high).toBe(true)
  })

  test('says how far it is, from nothing to all', () => {
    const shares = told.map(({ share }) => share)
    expect([shares[0], shares.at(-1)]).toEqual([0, 1])
    expect(shares).toEqual([...shares].sort((a, b) => a - b))
    expect(new Set(told.map(({ phase }) => phase)).size).toBe(5)
  })

  test('a run that learns nothing has calibration and one look, and no step', async () => {
    const { time, disk, steps } = await check({ ...shortConfig, reward: { ...shortConfig.reward, method: 'none' } })
    expect([time.totalSteps, steps, disk.checkpoints, time.stepMs.value]).toEqual([0, 0, 1, 0])
  })

  test('DPO is measured by its own learner', async () => {
    const { steps, time } = await check({ ...shortConfig, reward: { ...shortConfig.reward, method: 'dpo' } })
    expect(steps).toBeGreaterThan(0)
    expect(time.stepMs.value).toBeGreaterThan(0)
  })

  test('ends when it is cancelled', async () => {
    const abort = new AbortController()
    const cancelled = checkRun(db, request, ({ phase }) => phase === 'reward' && abort.abort(), abort.signal)
    await expect(cancelled).rejects.toMatchObject({ code: 'run.cancelled' })
  })

  test('refuses what this machine cannot hold before anything opens, and names what fits', async () => {
    const asked = told.length
    const rollout = { ...shortConfig.rollout, responsesPerStep: 4096, maxNewTokens: 400 }
    const optimiser = { ...shortConfig.optimiser, microBatchSize: 4096 }
    const refused = await check({ ...shortConfig, rollout, optimiser }).then(
      () => null,
      (thrown: StudioError) => thrown,
    )
    expect(refused).toMatchObject({ code: 'run.memory' })
    expect(refused?.message).toMatch(/^This run needs about [\d.]+ GB of memory; this computer has [\d.]+ GB\.$/)
    expect(refused?.remedy).toMatch(/^Choose 4 responses decoded together, \d+ in memory at once.*: that fits\.$/)
    expect(told.length).toBe(asked)
  })

  test('names a file of annotations that is not there', async () => {
    const calibration = { ...shortConfig.calibration, method: 'annotated' as const, annotationFile: '/nowhere.json' }
    await expect(check({ ...shortConfig, calibration })).rejects.toMatchObject({
      ...{ code: 'run.annotations', where: '/nowhere.json' },
    })
  })
})
