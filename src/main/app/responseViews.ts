// Responses and checkpoints between the workspace file and the screens: what was said, by whom, how its words were judged,
// and the time line of a run. Before it stand the tables of db/, after it describes.ts.
import { z } from 'zod'
import { baselinesSchema } from '../../shared/calibration.ts'
import type { Result } from '../../shared/contract.ts'
import {
  type CheckpointView,
  decodingSchema,
  greedy,
  type Judging,
  type PolicyChoice,
  type ResponseView,
  type ResponseViewDetail,
  regionSchema,
  type WordView,
} from '../../shared/describe.ts'
import type {
  CheckpointRecord,
  ResponseDetail,
  ResponseRecord,
  RolloutId,
  RolloutPurpose,
  RunId,
  RunRecord,
} from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import { runConfigSchema } from '../../shared/runConfig.ts'
import { missingRun } from '../../shared/runErrors.ts'
import { shownText } from '../../shared/shownText.ts'
import { checkpointAtStep, describedImages, listCheckpoints } from '../db/checkpoints.ts'
import type { ReadableDb } from '../db/connection.ts'
import { pinnedLookStep } from '../db/looks.ts'
import { modelName } from '../db/models.ts'
import { responseById, responsesToImage, samplesOfStep } from '../db/rollouts.ts'
import { runById } from '../db/runs.ts'
import { usedStep } from '../db/usedCheckpoint.ts'

/** Longer than any response that a run may draw. */
const longestResponse = 100_000
const foundSchema = z.object({ baselines: baselinesSchema.nullable() })
/** Of a run, and of the cursor of each checkpoint: training judges by the one, looks by the other. */
const judgedBySchema = z.object({ calibration: foundSchema, yardstick: foundSchema.optional() })
const cursorSchema = z.object({ calibration: judgedBySchema })
const summarySchema = z.object({ klNats: z.number().nullable(), meanReward: z.number().nullable() }).partial()

/** The responses to an image that a page can switch between. */
export function responsesTo(db: ReadableDb, imageId: number): Result<'responses.toImage'> {
  return { responses: viewsOf(db, responsesToImage(db, imageId)) }
}

/** Samples of a run at one of its steps. */
export function responsesAt(
  db: ReadableDb,
  step: { readonly runId: RunId; readonly step: number; readonly purpose: RolloutPurpose },
  page: { readonly offset: number; readonly limit: number },
): Result<'responses.ofStep'> {
  const { total, responses } = samplesOfStep(db, step, page)
  return { total, responses: viewsOf(db, responses) }
}

/** A response with its words. @throws StudioError `run.no-response`, `run.damaged-response` */
export function responseView(db: ReadableDb, rolloutId: RolloutId): ResponseViewDetail {
  const found = responseById(db, rolloutId)
  if (!found) throw noResponse(rolloutId)
  const [view] = viewsOf(db, [found]) as [ResponseView]
  const judging = judgingOf(db, found)
  return {
    ...view,
    hallucinatedWords: judging.judged ? view.hallucinatedWords : null,
    tokens: found.tokens.map((token) => ({ ...token })),
    words: wordsOf(found, judging.judged),
    judging,
  }
}

function viewsOf(db: ReadableDb, responses: readonly ResponseRecord[]): ResponseView[] {
  const names = new Map<string, string>()
  const nameOf = ({ runId, modelId }: ResponseRecord): string => {
    const key = `${runId} ${modelId}`
    const known = names.get(key) ?? (runId ? runById(db, runId)?.name : modelId && modelName(db, modelId)) ?? ''
    names.set(key, known)
    return shownText(known)
  }
  return responses.map((response) => ({
    rolloutId: response.rolloutId,
    imageId: response.imageId,
    policy: policyOf(response),
    checkpointId: response.checkpointId,
    name: nameOf(response),
    purpose: response.purpose,
    prompt: shownText(response.prompt, longestResponse),
    decoding: response.purpose === 'training' ? null : (decodingSchema.safeParse(response.decoding).data ?? greedy),
    region: regionSchema.safeParse(response.region).data ?? null,
    text: shownText(response.text, longestResponse),
    lowestScore: response.lowestScore,
    hallucinatedWords: response.isJudged ? response.hallucinatedWords : null,
    createdAtMs: response.createdAtMs,
  }))
}

/** The table holds to it that a response is a run's or a model's. */
function policyOf({ runId, modelId, step, strength }: ResponseRecord): PolicyChoice {
  if (runId !== null) return { from: 'run', runId, step, strength }
  if (modelId !== null) return { from: 'model', modelId }
  throw new Error('a response of nobody')
}

/**
 * Words with what judged them. A look of a run counts and rewards nothing: it alone keeps no log-probability of the
 * reference, and what it keeps as rewards is 0.
 */
function wordsOf({ spans, tokens, purpose }: ResponseDetail, isJudged: boolean): WordView[] {
  const seen = new Set<string>()
  const isRewarded = purpose !== 'evaluation' || tokens.some(({ referenceLogProb }) => referenceLogProb !== null)
  return spans.map(({ startPosition, endPosition, word, score, reward, label }) => {
    const isRepeated = seen.has(word)
    seen.add(word)
    const verdict = isJudged ? { reward: isRewarded ? reward : null, label } : { reward: null, label: null }
    return { startPosition, endPosition, word: shownText(word), score, ...verdict, isRepeated }
  })
}

/** What judged a response: in training the baselines of its round, else those that all looks of the run share. */
function judgingOf(db: ReadableDb, { runId, step, purpose, isJudged }: ResponseDetail): Judging {
  const run = runId && runById(db, runId)
  if (!run) return { judged: false, because: 'no-run' }
  const config = runConfigSchema.safeParse(run.config)
  const baselines = purpose === 'training' ? baselinesAt(db, run, step) : yardstickOf(run)
  if (!config.success || !baselines || !isJudged || baselines.muGt <= baselines.muHal) {
    return { judged: false, because: 'verifier-refused' }
  }
  const { margin, variant } = config.data.reward
  return { judged: true, ...baselines, margin, variant }
}

function yardstickOf({ calibration }: RunRecord): z.infer<typeof baselinesSchema> | null {
  const found = judgedBySchema.safeParse(calibration).data
  return (found?.yardstick ?? found?.calibration)?.baselines ?? null
}

function baselinesAt(db: ReadableDb, run: RunRecord, step: number): z.infer<typeof baselinesSchema> | null {
  const cursor = cursorSchema.safeParse(checkpointAtStep(db, run.runId, step)?.cursor).data
  return (cursor?.calibration ?? judgedBySchema.safeParse(run.calibration).data)?.calibration.baselines ?? null
}

/** The checkpoints of a run. @throws StudioError `run.missing` */
export function checkpointViews(db: ReadableDb, runId: RunId): CheckpointView[] {
  if (!runById(db, runId)) throw missingRun(runId)
  const described = describedImages(db, runId)
  const bestStep = pinnedLookStep(db, runId)
  const used = usedStep(db, runId)
  return listCheckpoints(db, runId).map((checkpoint) => ({
    checkpointId: checkpoint.checkpointId,
    step: checkpoint.step,
    isPinned: checkpoint.isKept,
    isBest: checkpoint.step === bestStep,
    isUsed: checkpoint.step === used,
    // A new adapter changes nothing, so the model as it came needs no weights of its own.
    hasWeights: checkpoint.hasWeights || checkpoint.step === 0,
    summary: summaryOf(checkpoint),
    createdAtMs: checkpoint.createdAtMs,
    describedImages: described.get(checkpoint.checkpointId) ?? 0,
  }))
}

function summaryOf({ summary }: CheckpointRecord): CheckpointView['summary'] {
  const { klNats = null, meanReward = null } = summarySchema.safeParse(summary).data ?? {}
  return { klNats, meanReward }
}

function noResponse(rolloutId: RolloutId): StudioError {
  return new StudioError({
    code: 'run.no-response',
    message: 'This response is not in the workspace any more.',
    remedy: 'Look at the image again; another answer may have taken its place.',
    where: `response ${rolloutId}`,
  })
}
