// A run of the workspace as a job's store: its steps, policies and embeddings in the workspace file, and what an export says
// of it. Before it stands workspaceJobs.ts, after it runJob.ts.
import type { RunId } from '../../../shared/domain.ts'
import type { AlignJob } from '../../../shared/job.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import type { WritableDb } from '../../db/connection.ts'
import { metricNames, metricSeries } from '../../db/metrics.ts'
import { skippedImages } from '../../db/skippedImages.ts'
import type { Policy } from '../align/policy.ts'
import { embeddingKeyOf, type ModelsIdentity } from '../folder/modelIdentity.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'
import type { RunStore } from '../run/alignmentRun.ts'
import { splitImages } from '../run/schedule.ts'
import type { EmbeddingStore } from '../run/verifier.ts'
import type { JobStore, StoredStep } from './jobStore.ts'
import { embeddingsIn, WorkspaceRunStore } from './runStore.ts'
import { storedJobOf } from './storedJob.ts'
import { imagesOfRun, openStoredRun, policyAtStep, requirePlacebo } from './storedRun.ts'

export class WorkspaceJobStore implements JobStore {
  readonly began: ModelsIdentity
  readonly #db: WritableDb
  readonly #runId: RunId
  readonly #ownerToken: string | null

  /**
   * @param began the models as they were identified when the job was made
   * @param ownerToken see db/owner.ts; null where nobody else can be at work
   */
  constructor(db: WritableDb, runId: RunId, began: ModelsIdentity, ownerToken: string | null = null) {
    this.#db = db
    this.#runId = runId
    this.began = began
    this.#ownerToken = ownerToken
  }

  embeddings(models: ModelsIdentity): EmbeddingStore {
    return embeddingsIn(this.#db, embeddingKeyOf(models))
  }

  runOf({ config, seed, images }: AlignJob, models: ModelsIdentity): RunStore {
    return new WorkspaceRunStore(this.#db, {
      ...{ runId: this.#runId, config, seed, models, ownerToken: this.#ownerToken },
      prompt: config.rollout.question,
      lastImageId: images.at(-1)?.imageId ?? 0,
      encoderSha256: embeddingKeyOf(models),
    })
  }

  policyAt({ from, step }: StoredStep, config: RunConfig, source: VlmSource): Policy {
    const runId = from === 'placebo' ? requirePlacebo(this.#db, this.#runId) : this.#runId
    return policyAtStep(this.#db, runId, step, config, source)
  }

  describeRun(): Readonly<Record<string, unknown>> {
    const [db, runId] = [this.#db, this.#runId]
    const { record, config, seed } = openStoredRun(db, runId)
    const all = imagesOfRun(db, runId)
    const { images, validation } = splitImages(all, config, seed)
    return {
      ...{ name: record.name, preset: record.preset, calibration: record.calibration },
      images: images.map(({ sha256 }) => sha256),
      validationImages: validation.map(({ sha256 }) => sha256),
      skippedImages: skippedImages(db, runId, all.length),
      metrics: Object.fromEntries(metricNames(db, runId).map((name) => [name, metricSeries(db, runId, name)])),
      job: storedJobOf(db, runId),
    }
  }
}
