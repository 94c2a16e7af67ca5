// What a run of alignment is given, and what it commits after each step. Before it stand the jobs, after it align.ts, which
// asks a store for both ends.
import type { DeviceName } from '../../../shared/hardware.ts'
import type { Look } from '../../../shared/look.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import type { UpdateReport } from '../align/learner.ts'
import type { Policy } from '../align/policy.ts'
import type { ModelFolders } from '../folder/modelIdentity.ts'
import type { Workers } from '../pool/workers.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import type { AlignmentModels, RunImage, ScoredImageResponse } from './models.ts'
import type { Annotations, RewardedResponse, RunCalibration } from './rewards.ts'
import type { StepTimes } from './schedule.ts'
import type { SkippedImage } from './skippedImages.ts'
import type { EmbeddingStore } from './verifier.ts'

export interface AlignmentRun {
  readonly config: RunConfig
  readonly seed: number
  readonly device: DeviceName
  /** Of each session; one for each core when left out. */
  readonly threads?: number
  /** Who answers and computes micro-batches; results do not depend on it. This thread when left out. */
  readonly workers?: Workers
  readonly folders: ModelFolders
  /** SHA-256 of the model's weights; found when left out. */
  readonly weightsSha256?: string
  readonly lexicon: Lexicon
  /** Images to respond to in training, and others to look at. */
  readonly images: readonly RunImage[]
  readonly validation: readonly RunImage[]
  /** Read when calibration is annotated, never otherwise. */
  readonly annotations: Annotations | null
}

/** All that a step commits, together or not at all. */
export interface CommittedStep {
  /** Steps done; 0 is the model as it came. */
  readonly step: number
  readonly policy: Policy
  readonly looks: readonly Look[]
  readonly calibration: RunCalibration
  readonly trained: readonly RewardedResponse[]
  readonly update: UpdateReport | null
  /** Responses of the look that was due, if one was. */
  readonly looked: readonly ScoredImageResponse[]
  readonly times: StepTimes
  /** How its responses were shared with other machines, by the names of metrics; nothing for a run that shares none. */
  readonly sharing: Readonly<Record<string, number>>
  /** Images whose turn it was since the last commit and that could not be read. */
  readonly skipped: readonly SkippedImage[]
}

/** Where a run was committed last. */
export type StoredRun = Pick<CommittedStep, 'step' | 'policy' | 'looks' | 'calibration'>

/** Where a run is kept: the workspace file (jobs/runStore.ts), or the memory of a tool. */
export interface RunStore {
  readonly embeddings: EmbeddingStore
  /** The last committed step, or null for a new run. */
  load(models: AlignmentModels): StoredRun | null
  commit(step: CommittedStep): void
}
