// All that the report of a run says, as demo/ and gatherReport.ts take it from the workspace; the other files of this folder
// write it down.

import type { RunState } from '../../../shared/domain.ts'
import type { ChairReport } from '../../../shared/evaluation.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import type { CalibrationView, CounterpartView, LookView, RunDetail } from '../../../shared/runView.ts'
import type { ReportPoint } from './charts.ts'
import type { ReportScene } from './scenes.ts'
import type { MarkedResponse } from './words.ts'

/** A validation image with what a run said of it. */
export interface ReportSample {
  readonly name: string
  /** A data: URI of its thumbnail; empty when that was lost. */
  readonly image: string
  readonly before: MarkedResponse
  /** Null where the report is of the model as it came. */
  readonly after: MarkedResponse | null
}

/** A file or folder that a run was made with. */
export interface ReportFile {
  readonly what: string
  readonly path: string
  /** What was hashed, with its SHA-256 in hexadecimal digits. */
  readonly hashes: readonly (readonly [of: string, sha256: string])[]
}

/** A run as its workspace tells it, where no annotation has counted anything: every figure is the verifier's own. */
export interface WorkspaceRun {
  readonly state: RunState
  readonly isPlacebo: boolean
  /** Why it is where it is: what ended it, or that it goes on. */
  readonly ending: readonly string[]
  /** Whether the figures are of the step that is best by the verifier, and not of one that a person chose. */
  readonly isOfBest: boolean
  /** By step; the first, the last and the reported one among them. */
  readonly looks: readonly LookView[]
  readonly counterpart: CounterpartView | null
  readonly samples: readonly ReportSample[]
  /** Validation images with responses of both steps, those whose responses differ, and those that were damaged. */
  readonly compared: { readonly images: number; readonly changed: number; readonly damaged: number }
  readonly skipped: RunDetail['skipped']
  readonly files: readonly ReportFile[]
  readonly startedAtMs: number | null
  readonly endedAtMs: number | null
}

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
  /** Done, and the one that the figures are of: the best, or a chosen one; 0 is the model as it came. */
  readonly steps: { readonly done: number; readonly best: number }
  /** Step that an interrupted run went on from. */
  readonly resumedFrom: number | null
  /** Null when this version cannot read it. */
  readonly config: RunConfig | null
  /** The last round's. */
  readonly calibration: CalibrationView | null
  /** Sentences on what a reader should know of it. */
  readonly calibrationNotes: readonly string[]
  /** What the run came to by the verifier's own looks. */
  readonly outcome: string
  /** By the metrics' names in the workspace, in the order of their steps. */
  readonly curves: Readonly<Record<string, readonly ReportPoint[]>>
  /** What the workspace says of the run; null for the demo, whose figures are counted. */
  readonly run: WorkspaceRun | null
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
