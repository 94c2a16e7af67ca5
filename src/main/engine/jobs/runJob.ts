// The one way in which runs, evaluations and exports are carried out: the engine process of the app, the command
// `npm run job`, tools and tests all come here with a job and a store. Knows neither the workspace file nor Electron.
import type { ChairReport } from '../../../shared/evaluation.ts'
import type { JobKind, JobOf } from '../../../shared/job.ts'
import type { RunProgress } from '../../../shared/runProgress.ts'
import { type AlignResult, alignJob } from './alignJob.ts'
import { type EvaluationProgress, evaluateJob } from './evaluateJob.ts'
import { exportJob } from './exportJob.ts'
import type { JobStore } from './jobStore.ts'

/** What a job reports on its way. */
export interface JobProgress {
  readonly align: RunProgress
  readonly evaluate: EvaluationProgress
  readonly export: never
}

/** What a job comes to, beside what it left in its store or its folder. */
export interface JobResult {
  readonly align: AlignResult
  readonly evaluate: ChairReport
  readonly export: { readonly folder: string }
}

type Runner<Kind extends JobKind> = (
  job: JobOf<Kind>,
  store: JobStore,
  report: (progress: JobProgress[Kind]) => void,
  signal?: AbortSignal,
) => Promise<JobResult[Kind]>

const runners: { readonly [Kind in JobKind]: Runner<Kind> } = {
  align: alignJob,
  evaluate: evaluateJob,
  export: (job, store, _report, signal) => exportJob(job, store, signal),
}

/**
 * Carries a job out to its end; an alignment whose store holds steps of it goes on from them.
 * @param report called on the way; not with the export, which says nothing
 * @throws StudioError of what cannot be used or changed since the job was made, naming it; `run.cancelled`
 */
export async function runJob<Kind extends JobKind>(
  job: JobOf<Kind>,
  store: JobStore,
  report: (progress: JobProgress[Kind]) => void,
  signal?: AbortSignal,
): Promise<JobResult[Kind]> {
  const run = runners[job.kind as Kind] as Runner<Kind>
  return await run(job, store, report, signal)
}
