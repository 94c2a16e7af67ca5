// What a job works on beside its inputs: where its run is kept, and what of it was committed before. workspaceStore.ts keeps
// it in a workspace file, memoryStore.ts in memory; runJob.ts knows neither.
import type { AlignJob, DescribeJob, JobKind, JobPolicy } from '../../../shared/job.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import type { Policy } from '../align/policy.ts'
import type { ModelsIdentity } from '../folder/modelIdentity.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'
import type { RunStore } from '../run/alignmentRun.ts'
import type { Described } from '../run/describe.ts'
import type { EmbeddingStore } from '../run/verifier.ts'

/** A step that a store holds. */
export type StoredStep = Extract<JobPolicy, { readonly step: number }>

export interface JobStore {
  /** The models that the run began with, whose hashes stand for files that were not written since; null when none is known. */
  readonly began: ModelsIdentity | null
  /** Embeddings by the encoder that made them. */
  embeddings(models: ModelsIdentity): EmbeddingStore
  /** Where an alignment goes on from, and commits its steps. */
  runOf(job: AlignJob, models: ModelsIdentity): RunStore
  /**
   * The policy of a committed step of the run, or of its placebo.
   * @throws StudioError `run.no-placebo`, `run.no-checkpoint`, `run.no-weights`, `run.damaged-checkpoint`, `run.bad-checkpoint`
   */
  policyAt(at: StoredStep, config: RunConfig, source: VlmSource): Policy
  /** What an export says of the run beside its own job, by the names of `run.json`. */
  describeRun(): Readonly<Record<string, unknown>>
}

/** Where the responses of one question are kept. */
export interface DescribedStore {
  /** Whether it holds the response to an image already. */
  has(imageId: number): boolean
  /** Keeps responses, all or none. */
  commit(described: readonly Described[]): void
}

/** What a question needs of a store. */
export interface DescribeJobStore extends Pick<JobStore, 'began' | 'embeddings' | 'policyAt'> {
  describedOf(job: DescribeJob): DescribedStore
}

/** The store of each kind of job. */
export type StoreOf<Kind extends JobKind> = Kind extends 'describe' ? DescribeJobStore : JobStore
