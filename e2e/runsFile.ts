// Makes a workspace with images, a model and runs in several states, on the app's own runtime (see onRuntime in
// studio.ts): `runsFile.ts PATH`. What the runs hold is written as the engine writes it, only shorter.

import { checkpointAtStep, dropOldWeights, setPinned, storeCheckpoint } from '../src/main/db/checkpoints.ts'
import type { WritableDb } from '../src/main/db/connection.ts'
import { storeLook } from '../src/main/db/looks.ts'
import { storeMetrics } from '../src/main/db/metrics.ts'
import { saveModel } from '../src/main/db/models.ts'
import { closeWorkspace, createWorkspace, openWorkspace } from '../src/main/db/open.ts'
import { storeRollouts } from '../src/main/db/rollouts.ts'
import { createRun, setCalibration, setRunState } from '../src/main/db/runs.ts'
import { seedLibrary } from '../src/main/db/testing/seedLibrary.ts'
import { picture } from '../src/main/library/testing/pictures.ts'
import type { Json, RunId, SpanRecord } from '../src/shared/domain.ts'
import { presetConfig } from '../src/shared/runConfig.ts'

const config = presetConfig('quick-look') as unknown as Json
const minuteMs = 60_000

const [path = ''] = process.argv.slice(2)
createWorkspace(path)
const db = openWorkspace(path)
seedLibrary(db, 240, await Promise.all(Array.from({ length: 24 }, (_, number) => picture(number, 192))))
const modelId = saveModel(
  db,
  {
    ...{ folder: '/models/llava-tiny', name: 'llava-tiny', config: {}, weightsSha256: Buffer.alloc(32, 7) },
    ...{ companionFolder: '/models/llava-tiny/encoder', encoderVerified: true },
  },
  Date.now(),
)
const newRun = (name: string, preset: string, more: { config?: Json; seed?: number } = {}): RunId => {
  const run = { modelId, name, preset, config, seed: 1, ...more }
  const runId = createRun(db, run, Date.now() - 50 * minuteMs)
  setRunState(db, runId, 'running', Date.now() - 49 * minuteMs)
  return runId
}

const complete = newRun('Quick look', 'quick-look')
calibrate(db, complete, 0.968)
for (let step = 0; step <= 24; step++) commitStep(db, complete, step, 20)
for (let step = 0; step <= 24; step += 4) describeImages(db, complete, step)
dropOldWeights(db, complete, 3)
setRunState(db, complete, 'complete', Date.now() - 40 * minuteMs)

const controlled = newRun('Street scenes', 'thorough', { seed: 2 })
calibrate(db, controlled, 0.968)
for (let step = 0; step <= 24; step++) commitStep(db, controlled, step, 20)
setRunState(db, controlled, 'complete', Date.now() - 38 * minuteMs)

const placebo = newRun('Street scenes, placebo', 'thorough', {
  ...{ seed: 2, config: presetConfig('quick-look', { reward: { verifier: 'placebo' } }) as unknown as Json },
})
calibrate(db, placebo, 0.52)
for (let step = 0; step <= 24; step++) commitStep(db, placebo, step, 20, { rate: 0.001, coverage: 0.02 })
setRunState(db, placebo, 'complete', Date.now() - 20 * minuteMs)

const paused = newRun('Paper', 'paper')
calibrate(db, paused, 0.968)
for (let step = 0; step <= 9; step++) commitStep(db, paused, step, 8)
leaveOut(db, paused, 4, { 12: 'image.missing', 31: 'image.changed', 77: 'image.damaged' })
leaveOut(db, paused, 8, { 12: 'image.missing' })
setRunState(db, paused, 'paused', Date.now())

setRunState(db, newRun('With another encoder', 'thorough'), 'failed', Date.now(), {
  code: 'run.verifier-cannot-tell',
  message:
    'The verifier cannot tell right words from hallucinated ones. Its scores of a word hardly depend on the image.',
  remedy: 'Choose the encoder that the model was made with, or more images; or go on knowingly: the errors may grow.',
  expected: 'AUROC of own over other images of at least 0.65',
  found: '0.503',
  where: 'blind-to-image',
})
closeWorkspace(db)

/** Images by id with what was wrong with them, as a step of a run names them. */
function leaveOut(db: WritableDb, runId: RunId, step: number, codes: Readonly<Record<number, string>>): void {
  const skipped = Object.entries(codes).map(([imageId, code]) => ({ imageId: Number(imageId), code }))
  db.prepare(
    "UPDATE checkpoint SET summary = json_set(summary, '$.skipped', json(?)) WHERE run_id = ? AND step = ?",
  ).run(JSON.stringify(skipped), runId, step)
}

function calibrate(db: WritableDb, runId: RunId, auroc: number): void {
  const calibration = {
    ...{ method: 'mixture', scores: 812, baselines: { muGt: 0.362, muHal: 0.138 }, auroc, overlap: 0.083 },
    ...{ imageAuroc: 0.941, refusals: [], separation: 0.97 },
    estimate: {
      ...{ auroc: { value: auroc, low: auroc - 0.03, high: auroc + 0.01 }, rawAuroc: auroc },
      ownOverOther: { value: 0.941, low: 0.93, high: 0.95 },
      ...{ hallucinatedShare: { value: 0.18, low: 0.15, high: 0.21 }, otherScores: 6496 },
    },
    grounded: { share: 0.8, mean: 0.36, standardDeviation: 0.08 },
    hallucinated: { share: 0.2, mean: 0.14, standardDeviation: 0.09 },
  }
  setCalibration(db, runId, { calibration, responseCentre: null })
}

/** @param falls of the estimated rate and of the coverage, at each step */
function commitStep(
  db: WritableDb,
  runId: RunId,
  step: number,
  bestStep: number,
  falls = { rate: 0.0035, coverage: 0.003 },
): void {
  const wave = Math.sin(step * 1.7) / 100
  const look = {
    ...{ step, hallucinationRate: 0.172 - falls.rate * step + wave, coverage: 2.98 - falls.coverage * step - wave },
    ...{ hallucinationRateLow: 0.15 - falls.rate * step, hallucinationRateHigh: 0.2 - falls.rate * step },
    ...{ meanWords: 16.8 - 0.02 * step, meanRepeatedMentions: 0.04 + wave / 2 },
    ...(step > 0 && { isSound: true, change: { difference: -falls.rate * step, standardError: 0.012, images: 80 } }),
  }
  const isDue = step % 4 === 0
  const parts = { adapter: Uint8Array.of(step) }
  const checkpointId = storeCheckpoint(db, { runId, parentId: null, step, cursor: {}, summary: {}, parts }, step)
  if (step === bestStep) setPinned(db, checkpointId, true)
  if (step > 0)
    storeMetrics(db, runId, step, { klNats: 0.0009 * step ** 1.3, meanReward: -0.6 + 0.05 * step + 8 * wave })
  if (!isDue) return
  storeLook(db, runId, step, look)
  const { hallucinationRate, coverage } = look
  storeMetrics(db, runId, step, { 'validation.hallucinationRate': hallucinationRate, 'validation.coverage': coverage })
}

/** What the run says of its first ten images at a step: after step 0 it names a bench less. */
function describeImages(db: WritableDb, runId: RunId, step: number): void {
  const checkpoint = checkpointAtStep(db, runId, step)
  if (!checkpoint) throw new Error(`the run has no step ${step}`)
  const objects = step === 0 ? ['zebra', 'bear', 'bench'] : ['zebra', 'bear', 'umbrella']
  const pieces = objects.flatMap((word, i) => [i === 0 ? 'There is a' : ' and a', ` ${word}`])
  let textEnd = 0
  const tokens = pieces.map((piece, i) => {
    const textStart = textEnd
    textEnd += piece.length
    const place = { tokenId: i, textStart, textEnd }
    return { ...place, logProb: -0.3, referenceLogProb: step === 0 ? -0.3 : -0.4, reward: null }
  })
  const spans = objects.map((word, i): SpanRecord => {
    const isThere = word !== 'bench'
    return {
      ...{ startPosition: 2 * i + 1, endPosition: 2 * i + 2, word, score: isThere ? 0.41 : 0.05 },
      ...{ reward: isThere ? 0.05 : -0.09, label: isThere ? 'grounded' : 'hallucinated' },
    }
  })
  const said = { text: pieces.join(''), tokens, spans, prompt: 'Describe this image.', step }
  const at = { runId, checkpointId: checkpoint.checkpointId, purpose: 'evaluation' as const }
  const all = Array.from({ length: 10 }, (_, i) => ({ ...at, ...said, imageId: i + 1 }))
  storeRollouts(db, all, Date.now())
}
