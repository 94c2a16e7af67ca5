// All that the report of a run says, as demo/ gathers it from the workspace; the other files of this folder write it down.
import type { ChairReport } from '../../../shared/evaluation.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import type { CalibrationView } from '../../../shared/runView.ts'
import type { ReportPoint } from './charts.ts'
import type { ReportScene } from './scenes.ts'

/** All that a report says; every text of it is escaped. */
export interface RunReport {
  /** Of the page, such as "Demo run". */
  readonly title: string
  readonly createdAtMs: number
  /** What was typed to get it, or null for a run from the app's window. */
  readonly command: string | null
  readonly seed: number
  readonly preset: string
  readonly device: string
  readonly modelName: string
  readonly encoderName: string | null
  /** By what they are versions of: the app, Electron, ONNX Runtime. */
  readonly versions: Readonly<Record<string, string>>
  readonly images: { readonly alignment: number; readonly validation: number; readonly evaluation: number }
  /** Done, and the one that the figures are of; 0 is the model as it came. */
  readonly steps: { readonly done: number; readonly best: number }
  /** Step that an interrupted run went on from. */
  readonly resumedFrom: number | null
  readonly config: RunConfig
  /** The last round's. */
  readonly calibration: CalibrationView | null
  /** Sentences on what a reader should know of it. */
  readonly calibrationNotes: readonly string[]
  /** What the run came to by the verifier's own looks. */
  readonly outcome: string
  /** By the metrics' names in the workspace, in the order of their steps. */
  readonly curves: Readonly<Record<string, readonly ReportPoint[]>>
  /** Null when there were no annotated images to count on. */
  readonly evaluation: ChairReport | null
  /** Of the bootstrap behind the intervals. */
  readonly bootstrapResamples: number | null
  /** Those to show; see `sceneIndexes` for a choice that does not favour either side. */
  readonly scenes: readonly ReportScene[]
  readonly durationS: {
    readonly total: number
    readonly rollout: number
    readonly reward: number
    readonly update: number
    readonly evaluate: number
  }
  readonly tokensGenerated: number
  /** Sentences on what the figures do not say, beside those that hold for every run. */
  readonly limits: readonly string[]
  /** Paragraphs on whose pictures and model these are. */
  readonly licences: readonly string[]
}
