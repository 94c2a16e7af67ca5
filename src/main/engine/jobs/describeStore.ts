// Where responses that a person asked for are kept in the workspace file: a checkpoint's own responses to its run's question,
// which filters and comparisons read, and everything else as a trial. Before it stands describeJob.ts, after it db/.
import type { CheckpointId, Json, ModelId, RolloutId, RunId } from '../../../shared/domain.ts'
import { jsonSchema } from '../../../shared/domain.ts'
import type { DescribeJob } from '../../../shared/job.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import { missingModel, noCheckpoint } from '../../../shared/runErrors.ts'
import { checkpointById } from '../../db/checkpoints.ts'
import { inTransaction, type WritableDb } from '../../db/connection.ts'
import { modelName } from '../../db/models.ts'
import { requireOwner } from '../../db/owner.ts'
import { type NewRollout, shownRolloutOf, storeRollouts, type TrialKey, trialOf } from '../../db/rollouts.ts'
import type { Policy } from '../align/policy.ts'
import { embeddingKeyOf, type ModelsIdentity } from '../folder/modelIdentity.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'
import type { Described } from '../run/describe.ts'
import type { EmbeddingStore } from '../run/verifier.ts'
import type { DescribedStore, DescribeJobStore, StoredStep } from './jobStore.ts'
import { embeddingsIn } from './runStore.ts'
import { policyAtStep } from './storedRun.ts'

/** Whose response it is. */
export type Asked =
  | { readonly runId: RunId; readonly step: number; readonly checkpointId: CheckpointId; readonly modelId: null }
  | { readonly runId: null; readonly step: 0; readonly checkpointId: null; readonly modelId: ModelId }

export class DescribeStore implements DescribeJobStore {
  readonly began: ModelsIdentity
  readonly #db: WritableDb
  readonly #asked: Asked
  readonly #ownerToken: string | null
  #embeddings: EmbeddingStore | null = null

  /** @param ownerToken see db/owner.ts; null where nobody else can be at work */
  constructor(db: WritableDb, asked: Asked, began: ModelsIdentity, ownerToken: string | null) {
    this.#db = db
    this.#asked = asked
    this.began = began
    this.#ownerToken = ownerToken
  }

  embeddings(models: ModelsIdentity): EmbeddingStore {
    this.#embeddings = embeddingsIn(this.#db, embeddingKeyOf(models))
    return this.#embeddings
  }

  /** @throws StudioError `run.no-checkpoint`, `run.no-weights`, `run.damaged-checkpoint`, `run.bad-checkpoint` */
  policyAt({ step }: StoredStep, config: RunConfig, source: VlmSource): Policy {
    const { runId } = this.#asked
    if (runId === null) throw new Error('a model without a run has no steps')
    return policyAtStep(this.#db, runId, step, config, source)
  }

  describedOf(job: DescribeJob): DescribedStore {
    return {
      has: (imageId) => this.rolloutOf(job, imageId) !== undefined,
      commit: (described) => this.#commit(job, described),
    }
  }

  /** The response to an image that is kept already, or undefined. */
  rolloutOf(job: DescribeJob, imageId: number): RolloutId | undefined {
    const { checkpointId } = this.#asked
    if (checkpointId !== null && isOwnResponse(job, this.#asked)) return shownRolloutOf(this.#db, checkpointId, imageId)
    return trialOf(this.#db, { imageId, ...this.#keyOf(job) })
  }

  /** @throws StudioError `run.no-checkpoint`, `workspace.taken-over`, and of a disk that is full */
  #commit(job: DescribeJob, described: readonly Described[]): void {
    const { checkpointId } = this.#asked
    const purpose = isOwnResponse(job, this.#asked) ? 'evaluation' : 'trial'
    const { modelId, ...key } = this.#keyOf(job)
    const shared = { ...key, checkpointId, purpose, ...(modelId !== null && { modelId }) } as const
    const rollouts = described.map(({ image: { imageId }, text, tokens, spans, isJudged }): NewRollout => {
      return { ...shared, imageId, text, tokens, spans, isJudged }
    })
    inTransaction(this.#db, () => {
      if (this.#ownerToken !== null) requireOwner(this.#db, this.#ownerToken)
      this.#requireAsked()
      storeRollouts(this.#db, rollouts, Date.now())
      this.#embeddings?.flush()
    })
  }

  #keyOf({ question, strength, decoding, region }: DescribeJob): Omit<TrialKey, 'imageId'> {
    const { runId, modelId, step } = this.#asked
    const drawn: Json = decoding.kind === 'greedy' ? null : jsonSchema.parse(decoding)
    return { runId, modelId, step, prompt: question, strength, decoding: drawn, region }
  }

  /** A person may have deleted it meanwhile. @throws StudioError `run.no-checkpoint`, `model.missing` */
  #requireAsked(): void {
    const { runId, step, checkpointId, modelId } = this.#asked
    if (modelId !== null && modelName(this.#db, modelId) === undefined) throw missingModel(modelId)
    if (runId !== null && !checkpointById(this.#db, checkpointId)) throw noCheckpoint(runId, step)
  }
}

/** Whether it is what a look of the run asks at this checkpoint, so that both are kept in one place. */
function isOwnResponse({ question, strength, decoding, region, config }: DescribeJob, { runId, step }: Asked): boolean {
  // A new adapter changes nothing at any strength.
  const isUsualStrength = strength === config.evaluation.strength || step === 0
  const isUsual = question === config.rollout.question && decoding.kind === 'greedy' && region === null
  return runId !== null && isUsual && isUsualStrength
}
