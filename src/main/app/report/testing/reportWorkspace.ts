// Runs in a workspace for reports: with a placebo, without one, forced through a refused calibration, stopped before its
// first step, failed, and one whose every name and caption is hostile. What they hold is written as the engine writes it.
import type { CheckpointId, Json, ModelId, RunId, SpanLabel } from '../../../../shared/domain.ts'
import { presetConfig } from '../../../../shared/runConfig.ts'
import { hostileStrings } from '../../../../shared/testing/hostileStrings.ts'
import { setPinned, storeCheckpoint } from '../../../db/checkpoints.ts'
import type { WritableDb } from '../../../db/connection.ts'
import { storeJob } from '../../../db/jobs.ts'
import { storeLook } from '../../../db/looks.ts'
import { storeMetrics } from '../../../db/metrics.ts'
import { saveModel } from '../../../db/models.ts'
import { type NewRollout, storeRollouts } from '../../../db/rollouts.ts'
import { createRun, setCalibration, setRunState } from '../../../db/runs.ts'

/** Images that the runs look at; the workspace must have as many. */
export const lookedAtImages = 32
const everySteps = 4
const ofSteps = { optimiser: { stepsPerRound: 24 } }
const startMs = Date.UTC(2026, 10, 26, 9, 0)

export interface ReportRuns {
  readonly aligned: RunId
  readonly placebo: RunId
  readonly alone: RunId
  readonly forced: RunId
  readonly stopped: RunId
  readonly failed: RunId
  readonly hostile: RunId
}

/** A spoken word that names an object, or a plain one. */
type Spoken = string | readonly [object: string, score: number, label: SpanLabel]

/** A response of one token a word. */
export function spokenResponse(
  spoken: readonly Spoken[],
  place: Pick<NewRollout, 'runId' | 'checkpointId' | 'imageId' | 'step'>,
): NewRollout {
  let text = ''
  const tokens = []
  const spans = []
  for (const [position, one] of spoken.entries()) {
    const word = typeof one === 'string' ? one : one[0]
    const textStart = text.length
    text += position === 0 ? word : ` ${word}`
    tokens.push({
      tokenId: position,
      textStart,
      textEnd: text.length,
      logProb: -1,
      referenceLogProb: -1.1,
      reward: null,
    })
    if (typeof one === 'string') continue
    const [, score, label] = one
    spans.push({ startPosition: position, endPosition: position + 1, word, score, reward: 0, label, isRepeated: false })
  }
  return { ...place, purpose: 'evaluation', prompt: 'Describe the image.', text, tokens, spans }
}

const things = ['cup', 'spoon', 'cake', 'pizza', 'kite', 'boat', 'lamp', 'clock', 'book', 'apple', 'chair', 'cat']
const thing = (i: number): string => things[i % things.length] as string

/** What a model says of an image; aligned, it leaves the hallucinated object out or names another one. */
function captionOf(imageId: number, isAligned: boolean): Spoken[] {
  const right: Spoken = [thing(imageId), 0.36 + (imageId % 7) / 100, 'grounded']
  const unclear: Spoken = [thing(imageId + 3), 0.24, 'neutral']
  const wrong: Spoken = [thing(imageId + 5), 0.08 + (imageId % 5) / 100, 'hallucinated']
  const found: Spoken = [thing(imageId + 8), 0.33, 'grounded']
  const opening = ['A', 'quiet', 'table', 'with', 'a', right, 'beside', 'a', unclear]
  if (!isAligned || imageId % 6 === 0) return [...opening, 'and', 'behind', 'them', 'a', wrong, '.']
  return imageId % 3 === 0 ? [...opening, '.'] : [...opening, 'and', 'a', found, 'in', 'the', 'light', '.']
}

const digits = (digit: string): string => digit.repeat(64)

/** Fills a workspace that has at least {@link lookedAtImages} images. */
export function fillReportWorkspace(db: WritableDb): ReportRuns {
  const weightsSha256 = Buffer.alloc(32, 7)
  const companionFolder = '/models/llava-tiny/encoder'
  const folder = '/models/llava-tiny'
  const modelId = saveModel(
    db,
    { folder, name: 'llava-tiny', config: {}, weightsSha256, companionFolder, encoderVerified: true },
    startMs,
  )
  const aligned = newRun(db, modelId, 'Street scenes', { seed: 2 })
  calibrate(db, aligned, 0.968)
  align(db, aligned, { steps: 24, bestStep: 20, rate: 0.0038, coverage: 0.003 })
  leaveOut(db, aligned, 4, { 5: 'image.missing', 11: 'image.changed' })
  setRunState(db, aligned, 'complete', startMs + 1_300_000)

  const config = presetConfig('quick-look', { ...ofSteps, reward: { verifier: 'placebo' } }) as unknown as Json
  const placebo = newRun(db, modelId, 'Street scenes, placebo', { seed: 2, config })
  calibrate(db, placebo, 0.968)
  align(db, placebo, { steps: 24, bestStep: 0, rate: 0.0008, coverage: 0.02 })
  setRunState(db, placebo, 'complete', startMs + 2_700_000)

  const alone = newRun(db, modelId, 'Kitchen', { seed: 3 })
  calibrate(db, alone, 0.94)
  align(db, alone, { steps: 12, bestStep: 0, rate: 0.0002, coverage: 0.001 })
  setRunState(db, alone, 'complete', startMs + 900_000)

  const forcedConfig = presetConfig('quick-look', { ...ofSteps, calibration: { goOnRefused: true } }) as unknown as Json
  const forced = newRun(db, modelId, 'With another encoder', { seed: 4, config: forcedConfig })
  calibrate(db, forced, 0.52, [
    { reason: 'blind-to-image', expected: 'AUROC of own over other images of at least 0.65', found: '0.503' },
  ])
  align(db, forced, { steps: 24, bestStep: 20, rate: 0.0041, coverage: 0.001 })
  setRunState(db, forced, 'complete', startMs + 1_400_000)

  const stopped = newRun(db, modelId, 'Stopped at once', { seed: 5 })
  calibrate(db, stopped, 0.95)
  align(db, stopped, { steps: 0, bestStep: 0, rate: 0, coverage: 0 })
  setRunState(db, stopped, 'stopped', startMs + 60_000)

  const failed = newRun(db, modelId, 'Failed', { seed: 6 })
  setRunState(db, failed, 'failed', startMs + 60_000, {
    code: 'run.verifier-cannot-tell',
    message: 'The verifier cannot tell right words from hallucinated ones.',
    remedy: 'Choose the encoder that the model was made with.',
    expected: 'AUROC of at least 0.65',
    found: '0.503',
    where: 'blind-to-image',
  })
  return { aligned, placebo, alone, forced, stopped, failed, hostile: hostileRun(db) }
}

function newRun(db: WritableDb, modelId: ModelId, name: string, more: { seed: number; config?: Json }): RunId {
  const config = presetConfig('quick-look', ofSteps) as unknown as Json
  const runId = createRun(db, { modelId, name, preset: 'quick-look', config, ...more }, startMs)
  setRunState(db, runId, 'running', startMs)
  const models = {
    model: { folder: '/models/llava-tiny', weightsSha256: digits('7'), settingsSha256: digits('8') },
    companion: { folder: '/models/llava-tiny/encoder', weightsSha256: digits('9'), settingsSha256: digits('a') },
  }
  const job = {
    ...{ kind: 'align', format: 'fisao-job', version: 1, config: more.config ?? config, seed: more.seed, models },
    ...{ lexicon: { path: '/app/lexicons/scene-objects.json', sha256: digits('b') }, device: 'cpu', threads: null },
    ...{ name: name.slice(0, 120) || 'Run', preset: 'quick-look', annotations: null },
  }
  storeJob(db, runId, { job: job as Json, lastImageId: lookedAtImages * 3 })
  return runId
}

function calibrate(
  db: WritableDb,
  runId: RunId,
  auroc: number,
  refusals: readonly { reason: string; expected: string; found: string }[] = [],
): void {
  const own = refusals.length > 0 ? 0.503 : 0.941
  const calibration = {
    ...{ method: 'mixture', scores: 812, baselines: { muGt: 0.362, muHal: 0.138 }, auroc, overlap: 0.083 },
    ...{ imageAuroc: own, refusals: [...refusals], separation: 0.97, bicGain: null },
    estimate: {
      ...{ auroc: { value: auroc, low: auroc - 0.03, high: auroc + 0.01 }, rawAuroc: auroc },
      ownOverOther: { value: own, low: own - 0.02, high: own + 0.02 },
      ...{ hallucinatedShare: { value: 0.18, low: 0.15, high: 0.21 }, otherScores: 6496 },
    },
    grounded: { share: 0.8, mean: 0.36, standardDeviation: 0.08 },
    hallucinated: { share: 0.2, mean: 0.14, standardDeviation: 0.09 },
  }
  setCalibration(db, runId, { calibration, responseCentre: null })
}

/** @param falls of the estimated rate and of the coverage, at each step */
function align(
  db: WritableDb,
  runId: RunId,
  falls: { steps: number; bestStep: number; rate: number; coverage: number },
): void {
  for (let step = 0; step <= falls.steps; step++) {
    const parts = { adapter: Uint8Array.of(step) }
    const checkpointId = storeCheckpoint(db, { runId, parentId: null, step, cursor: {}, summary: {}, parts }, step)
    if (step === falls.bestStep) setPinned(db, checkpointId, true)
    const wave = Math.sin(step * 1.7)
    if (step > 0) {
      storeMetrics(db, runId, step, {
        ...{ klNats: 0.0009 * step ** 1.3, meanReward: -0.6 + 0.05 * step + 0.08 * wave, tokens: 1200 },
        ...{ 'time.rolloutMs': 20_000, 'time.rewardMs': 900, 'time.updateMs': 16_000, 'time.evaluateMs': 4000 },
      })
    }
    if (step % everySteps !== 0) continue
    look(db, runId, step, falls)
    storeRollouts(db, said(runId, checkpointId, step), startMs + step)
  }
}

function look(db: WritableDb, runId: RunId, step: number, falls: { rate: number; coverage: number }): void {
  const rate = 0.172 - falls.rate * step
  const change = { difference: -falls.rate * step, standardError: 0.018, images: lookedAtImages }
  storeLook(db, runId, step, {
    ...{ step, hallucinationRate: rate, hallucinationRateLow: rate - 0.022, hallucinationRateHigh: rate + 0.025 },
    ...{ coverage: 2.98 - falls.coverage * step, meanWords: 16.8 - 0.02 * step, meanObjects: 3 },
    ...{ meanRepeatedMentions: 0.04, repeatedTrigramShare: 0, emptyShare: 0, responses: lookedAtImages },
    ...{ isSound: true, change: step === 0 ? null : change, bestStep: 0, perImage: null },
  })
}

function said(runId: RunId, checkpointId: CheckpointId, step: number): NewRollout[] {
  return Array.from({ length: lookedAtImages }, (_, i) =>
    spokenResponse(captionOf(i + 1, step >= 12), { runId, checkpointId, imageId: i + 1, step }),
  )
}

function leaveOut(db: WritableDb, runId: RunId, step: number, codes: Readonly<Record<number, string>>): void {
  const skipped = Object.entries(codes).map(([imageId, code]) => ({ imageId: Number(imageId), code }))
  db.prepare(
    "UPDATE checkpoint SET summary = json_set(summary, '$.skipped', json(?)) WHERE run_id = ? AND step = ?",
  ).run(JSON.stringify(skipped), runId, step)
}

/** Every text of it hostile, all of them somewhere: in 24 shown responses before and after, in names, in the error. */
function hostileRun(db: WritableDb): RunId {
  const at = (i: number): string => hostileStrings[i % hostileStrings.length] as string
  const weightsSha256 = Buffer.alloc(32, 9)
  const [name, folder, companionFolder] = [at(0), `/models/${at(40)}`, `/models/${at(90)}`]
  const model = { folder, name, config: {}, weightsSha256, companionFolder, encoderVerified: true }
  const modelId = saveModel(db, model, startMs)
  const runId = newRun(db, modelId, at(3), { seed: 7 })
  calibrate(db, runId, 0.9, [{ reason: 'one-component', expected: at(7), found: at(60) }])
  const rename = db.prepare('UPDATE image SET name = ?, path = ? WHERE image_id = ?')
  for (const step of [0, 4]) {
    const parts = { adapter: Uint8Array.of(step) }
    const checkpointId = storeCheckpoint(db, { runId, parentId: null, step, cursor: {}, summary: {}, parts }, step)
    if (step === 4) setPinned(db, checkpointId, true)
    look(db, runId, step, { rate: 0.02, coverage: 0.01 })
    if (step > 0) storeMetrics(db, runId, step, { klNats: 0.1, [at(12)]: 1 })
    const responses = Array.from({ length: 24 }, (_, i): NewRollout => {
      if (step === 0) rename.run(at(i * 13), `/pictures/${at(i * 13)}/${i}`, 2 * lookedAtImages + i)
      const own = Array.from({ length: 14 }, (_, k) => at(i * 14 + k + (step > 0 ? 7 : 0)))
      const spoken = own.map((text, k): Spoken => (k % 3 === 0 ? [text, 0.1 * k - 0.2, 'neutral'] : text))
      return spokenResponse(spoken, { runId, checkpointId, imageId: 2 * lookedAtImages + i, step })
    })
    storeRollouts(db, responses, startMs)
  }
  leaveOut(db, runId, 4, { [2 * lookedAtImages]: at(20), [2 * lookedAtImages + 1]: 'image.missing' })
  const error = {
    code: 'run.unexpected' as const,
    message: at(25),
    remedy: at(55),
    expected: at(70),
    found: at(80),
    where: at(1),
  }
  setRunState(db, runId, 'failed', startMs + 1000, error)
  return runId
}
