// The one way in which runs, evaluations, exports and questions are carried out: the engine process of the app, the command
// without a window, tools and tests all come here with a job and a store. Knows neither the workspace file nor Electron.
import type { ChairReport } from '../../../shared/evaluation.ts'
import type { JobKind, JobOf } from '../../../shared/job.ts'
import type { RunProgress } from '../../../shared/runProgress.ts'
import { type AlignResult, alignJob } from './alignJob.ts'
import { type DescribeProgress, type DescribeResult, describeJob } from './describeJob.ts'
import { type EvaluationProgress, evaluateJob } from './evaluateJob.ts'
import { exportJob } from './exportJob.ts'
import type { StoreOf } from './jobStore.ts'
import type { Sharing } from './sharedRun.ts'

/** What a job reports on its way. */
export interface JobProgress {
  readonly align: RunProgress
  readonly evaluate: EvaluationProgress
  readonly export: never
  readonly describe: DescribeProgress
}

/** What a job comes to, beside what it left in its store or its folder. */
export interface JobResult {
  readonly align: AlignResult
  readonly evaluate: ChairReport
  readonly export: { readonly folder: string }
  readonly describe: DescribeResult
}

type Runner<Kind extends JobKind> = (
  job: JobOf<Kind>,
  store: StoreOf<Kind>,
  report: (progress: JobProgress[Kind]) => void,
  signal?: AbortSignal,
  sharing?: Sharing,
) => Promise<JobResult[Kind]>

const runners: { readonly [Kind in JobKind]: Runner<Kind> } = {
  align: alignJob,
  evaluate: evaluateJob,
  export: (job, store, _report, signal) => exportJob(job, store, signal),
  describe: (job, store, report, signal) => describeJob(job, store, report, signal),
}

/**
 * Carries a job out to its end; an alignment whose store holds steps of it goes on from them, and so does a question whose
 * store holds responses.
 * @param report called on the way; not with the export, which says nothing
 * @param sharing of an alignment: where other machines take part in its responses
 * @throws StudioError of what cannot be used or changed since the job was made, naming it; `run.cancelled`
 */
export async function runJob<Kind extends JobKind>(
  job: JobOf<Kind>,
  store: StoreOf<Kind>,
  report: (progress: JobProgress[Kind]) => void,
  signal?: AbortSignal,
  sharing?: Sharing,
): Promise<JobResult[Kind]> {
  const run = runners[job.kind as Kind] as Runner<Kind>
  return await run(job, store, report, signal, sharing)
}
