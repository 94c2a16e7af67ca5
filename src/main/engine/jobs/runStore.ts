// A run in the workspace file: what run/align.ts commits, in one transaction a step, and where it goes on from. Before it
// stands align.ts, after it the tables of db/.
import { z } from 'zod'
import { annotationJoinSchema } from '../../../shared/annotationJoin.ts'
import { calibrationSchema, keptBaselinesSchema } from '../../../shared/calibration.ts'
import type { CheckpointId, CheckpointRecord, Json, RunId } from '../../../shared/domain.ts'
import { StudioError } from '../../../shared/errors.ts'
import { lookSchema } from '../../../shared/look.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import {
  checkpointPart,
  dropOldWeights,
  lastSoundCheckpoint,
  pinnedCheckpoints,
  rollBack,
  setPinned,
  storeCheckpoint,
} from '../../db/checkpoints.ts'
import { inTransaction, type WritableDb } from '../../db/connection.ts'
import { type EmbeddingKey, embeddingOf, storeEmbeddings } from '../../db/embeddings.ts'
import { looksUntil, pinnedLookStep, storeLook } from '../../db/looks.ts'
import { storeMetrics } from '../../db/metrics.ts'
import { requireOwner } from '../../db/owner.ts'
import { type NewRollout, storeRollouts } from '../../db/rollouts.ts'
import { sha256 } from '../../db/rowHash.ts'
import { counterpartOf, setCalibration } from '../../db/runs.ts'
import { policyCursorSchema, restorePolicy, storePolicy } from '../align/checkpoint.ts'
import type { TokenTerms } from '../align/learner.ts'
import { type ModelsIdentity, modelsIdentitySchema } from '../folder/modelIdentity.ts'
import { loraSlots } from '../models/shared/lora.ts'
import { valueHeadShapes } from '../models/shared/valueHead.ts'
import type { RewardedMention } from '../reward/tokenReward.ts'
import type { CommittedStep, RunStore, StoredRun } from '../run/alignmentRun.ts'
import { bestLook } from '../run/lookChoice.ts'
import type { AlignmentModels, ScoredImageResponse } from '../run/models.ts'
import { verdictOf } from '../run/rewards.ts'
import type { EmbeddingStore } from '../run/verifier.ts'

const runCalibrationSchema = z.strictObject({
  ...{ calibration: calibrationSchema, yardstick: calibrationSchema },
  responseCentre: z.number().nullable(),
  /** Empty and null in runs of earlier versions. */
  kept: z.array(keptBaselinesSchema).default([]),
  annotations: annotationJoinSchema.nullable().default(null),
})

/** Beside a checkpoint's arrays and the run's looks: all that the next step depends on. */
export const runCursorSchema = z.strictObject({
  policy: policyCursorSchema,
  calibration: runCalibrationSchema,
  /** Every random number follows from it and the step. */
  seed: z.int().nonnegative(),
  /** Of the images that were there at the run's start; those that came later are none of its own. */
  lastImageId: z.int().nonnegative(),
  /** The models that it began with; null in checkpoints of earlier versions. */
  models: modelsIdentitySchema.nullable().default(null),
})

type RunCursor = z.infer<typeof runCursorSchema>

/** What a run began with, of a cursor whose other parts may be of another version. */
export const startedWithSchema = runCursorSchema.pick({ models: true }).loose()

/** The cursor of a checkpoint. @throws StudioError `run.bad-checkpoint` naming what this version cannot read */
export function readRunCursor({ step, cursor }: Pick<CheckpointRecord, 'step' | 'cursor'>): RunCursor {
  const read = runCursorSchema.safeParse(cursor)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new StudioError(
    {
      code: 'run.bad-checkpoint',
      message: `The checkpoint of step ${step} cannot be read: it is damaged or was written by another version.`,
      remedy: 'Choose another checkpoint of this run, or start the run anew.',
      found: issue?.message ?? 'unknown',
      where: `step ${step}, ${issue?.path.join('.')}`,
    },
    { cause: read.error },
  )
}

export interface WorkspaceRun {
  readonly runId: RunId
  readonly config: RunConfig
  readonly seed: number
  readonly prompt: string
  /** Of the images that it began with. */
  readonly lastImageId: number
  /** 32 bytes, of the companion's weights and settings. */
  readonly encoderSha256: Buffer
  /** Of the ownership under which it may commit; null where nobody else can be at work. */
  readonly ownerToken: string | null
  readonly models: ModelsIdentity
}

export class WorkspaceRunStore implements RunStore {
  readonly embeddings: EmbeddingStore
  readonly #db: WritableDb
  readonly #run: WorkspaceRun
  #checkpointId: CheckpointId | null = null

  constructor(db: WritableDb, run: WorkspaceRun) {
    this.#db = db
    this.#run = run
    this.embeddings = embeddingsIn(db, run.encoderSha256)
  }

  /** @throws StudioError `run.damaged-checkpoint`, `run.bad-checkpoint`, `run.no-weights` */
  load(models: AlignmentModels): StoredRun | null {
    const { runId, config } = this.#run
    const last = lastSoundCheckpoint(this.#db, runId)
    // What was committed after it, such as a step whose weights were dropped, is done again.
    rollBack(this.#db, runId, last?.step ?? -1)
    if (!last) return null
    this.#checkpointId = last.checkpointId
    const cursor = readRunCursor(last)
    const { decoder } = models.source.config
    const policy = restorePolicy(
      cursor.policy,
      loraSlots(decoder),
      valueHeadShapes(decoder.hiddenSize, config.optimiser.valueWidth),
      (name) => checkpointPart(this.#db, last.checkpointId, name),
    )
    const looks = looksUntil(this.#db, runId, last.step).map((look) => lookSchema.parse(look))
    return { step: last.step, policy, looks, calibration: cursor.calibration }
  }

  commit(done: CommittedStep): void {
    const { runId, config, seed, lastImageId, ownerToken, models } = this.#run
    const { cursor, parts } = storePolicy(done.policy)
    const nowMs = Date.now()
    // By their schemas, as a resumed run reads them: keys then stand in one order, whoever committed before.
    const calibration = runCalibrationSchema.parse(done.calibration)
    const look = done.looks.at(-1)
    inTransaction(this.#db, () => {
      if (ownerToken !== null) requireOwner(this.#db, ownerToken)
      const parentId = this.#checkpointId
      const checkpointId = storeCheckpoint(
        this.#db,
        {
          ...{ runId, parentId, step: done.step, parts },
          cursor: runCursorSchema.parse({ policy: cursor, calibration, seed, lastImageId, models }) as unknown as Json,
          summary: summaryOf(done),
        },
        nowMs,
      )
      setCalibration(this.#db, runId, calibration as unknown as Json)
      if (look?.step === done.step) storeLook(this.#db, runId, done.step, lookSchema.parse(look))
      storeMetrics(this.#db, runId, done.step, metricsOf(done))
      storeRollouts(this.#db, this.#rollouts(done, checkpointId), nowMs)
      this.#keep(done, checkpointId)
      dropOldWeights(this.#db, runId, config.evaluation.keepLast)
      this.embeddings.flush()
      this.#checkpointId = checkpointId
    })
  }

  /**
   * Keeps the weights of the best checkpoint so far, and no longer those of the one before it; of a placebo those of the
   * step that is the best of its run, since both are compared there.
   */
  #keep({ looks, step }: CommittedStep, checkpointId: CheckpointId): void {
    const { runId, config } = this.#run
    const isLook = looks.at(-1)?.step === step
    const compared = config.reward.verifier === 'placebo' ? bestStepOfCounterpart(this.#db, runId) : null
    if (!isLook || step !== (compared ?? bestLook(looks, config).step)) return
    for (const id of pinnedCheckpoints(this.#db, runId)) setPinned(this.#db, id, false)
    setPinned(this.#db, checkpointId, true)
  }

  #rollouts({ step, trained, update, looked, calibration }: CommittedStep, checkpointId: CheckpointId): NewRollout[] {
    const { runId, prompt, config } = this.#run
    const shared = { runId, step, prompt }
    const training = trained.map(({ response, mentions }, i): NewRollout => {
      const terms = update?.rows[i]
      return {
        ...shared,
        ...responseOf(response, mentions, terms ?? null),
        ...{ checkpointId: null, purpose: 'training' as const },
      }
    })
    const verdict = verdictOf(calibration.yardstick, config)
    const evaluation = looked.map((response): NewRollout => {
      const mentions = response.scored.mentions.map((mention) => ({
        ...mention,
        reward: 0,
        label: verdict(mention.score),
        isRepeated: false,
      }))
      return {
        ...shared,
        ...responseOf(response, mentions, null),
        ...{ checkpointId, purpose: 'evaluation' as const },
      }
    })
    return [...training, ...evaluation]
  }
}

/** Null before the counterpart is complete. */
function bestStepOfCounterpart(db: WritableDb, runId: RunId): number | null {
  const counterpart = counterpartOf(db, runId)
  return counterpart?.state === 'complete' ? pinnedLookStep(db, counterpart.runId) : null
}

/** A commit costs a flush of the disk, however many embeddings are in it; a kill costs the time to compute so many. */
const embeddingsAtOnce = 256

/**
 * Embeddings by the encoder that made them; a word's subject is its sentence, an image's the hash of its file. They can be
 * computed again, so a full disk costs them and not the work that they serve; what has to be stored says so itself.
 */
export function embeddingsIn(db: WritableDb, encoderSha256: Buffer): EmbeddingStore {
  const gathered = new Map<string, EmbeddingKey & { readonly vector: Float32Array }>()
  const keyOf = (kind: 'image' | 'text', subject: string): EmbeddingKey => ({
    ...{ encoderSha256, kind },
    subjectSha256: kind === 'image' ? Buffer.from(subject, 'hex') : sha256(Buffer.from(subject)),
  })
  const flush = (): void => {
    if (gathered.size === 0) return
    try {
      storeEmbeddings(db, [...gathered.values()])
    } catch (thrown) {
      if (!(thrown instanceof StudioError) || thrown.code !== 'workspace.disk-full') throw thrown
    }
    gathered.clear()
  }
  return {
    get: (kind, subject) => gathered.get(`${kind} ${subject}`)?.vector ?? embeddingOf(db, keyOf(kind, subject)),
    put: (kind, subject, vector) => {
      gathered.set(`${kind} ${subject}`, { ...keyOf(kind, subject), vector })
      if (gathered.size >= embeddingsAtOnce) flush()
    },
    flush,
  }
}

/** Images that a step names as left out; their number is a metric. */
const mostSkippedNamed = 200

/** What the time line shows of a step. */
function summaryOf({ update, trained, skipped }: CommittedStep): Json {
  return {
    ...(update && { klNats: update.klNats, meanReward: meanReward(trained) }),
    ...(skipped.length > 0 && {
      skipped: skipped.slice(0, mostSkippedNamed).map(({ imageId, code }) => ({ imageId, code })),
    }),
  }
}

/** Metrics of a step by name, units in it. Times, and who shared the work, are the only ones that differ from run to run. */
function metricsOf(done: CommittedStep): Record<string, number> {
  const { looks, step, update, trained, times, skipped } = done
  const metrics: Record<string, number> = skipped.length > 0 ? { skippedImages: skipped.length } : {}
  if (update) {
    const mentions = trained.flatMap((one) => one.mentions)
    const tokens = trained.reduce((sum, one) => sum + one.tokens.length, 0)
    metrics['klNats'] = update.klNats
    metrics['meanReward'] = meanReward(trained)
    metrics['tokens'] = tokens
    metrics['meanTokens'] = tokens / Math.max(1, trained.length)
    metrics['hallucinatedShare'] =
      mentions.filter(({ label }) => label === 'hallucinated').length / Math.max(1, mentions.length)
    for (const [name, value] of Object.entries(update.metrics)) if (Number.isFinite(value)) metrics[name] = value
  }
  const look = looks.at(-1)
  if (look?.step === step) {
    for (const [name, value] of Object.entries(look)) {
      if (typeof value === 'number' && !name.toLowerCase().endsWith('step')) metrics[`validation.${name}`] = value
    }
  }
  for (const [phase, durationMs] of Object.entries(times)) metrics[`time.${phase}Ms`] = durationMs
  return Object.assign(metrics, done.sharing)
}

function meanReward(trained: CommittedStep['trained']): number {
  const sum = trained.reduce((total, { rewards }) => total + rewards.reduce((a, b) => a + b, 0), 0)
  return sum / Math.max(1, trained.length)
}

function responseOf(
  { image, tokens, logProbsAtTemperature, scored }: ScoredImageResponse,
  mentions: readonly RewardedMention[],
  terms: TokenTerms | null,
): Pick<NewRollout, 'imageId' | 'text' | 'tokens' | 'spans'> {
  return {
    imageId: image.imageId,
    text: scored.text,
    tokens: tokens.map((tokenId, t) => ({
      tokenId,
      textStart: scored.ranges[t]?.[0] ?? 0,
      textEnd: scored.ranges[t]?.[1] ?? 0,
      logProb: terms?.logProbs[t] ?? (logProbsAtTemperature[t] as number),
      referenceLogProb: terms?.referenceLogProbs[t] ?? null,
      reward: terms?.rewards[t] ?? null,
    })),
    spans: mentions.map(({ tokens: [startPosition, endPosition], name, score, reward, label }) => ({
      ...{ startPosition, endPosition, word: name, score, reward, label },
    })),
  }
}
