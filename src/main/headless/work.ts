// What every piece of work of the command is given, and a job carried out: the engine's (engine/jobs) with their store, and
// those that only read. Before it stand job files and makeJob.ts, after it the files that jobs leave.
import { basename, dirname, extname, join } from 'node:path'
import { joinFindings } from '../../shared/annotationJoin.ts'
import { StudioError } from '../../shared/errors.ts'
import type { AlignJob, AnyJob, DescribeJob, EvaluateJob, ExportJob, JobPolicy } from '../../shared/job.ts'
import { DescribedFile } from '../engine/jobs/describedFile.ts'
import { requireJobImages } from '../engine/jobs/jobFile.ts'
import { alignInWorkspace, type ReadImage } from '../engine/jobs/jobWorkspace.ts'
import { MemoryJobStore } from '../engine/jobs/memoryStore.ts'
import { runJob } from '../engine/jobs/runJob.ts'
import type { Sharing } from '../engine/jobs/sharedRun.ts'
import { ReadIssue, readImage } from '../library/readImage.ts'
import { inspect } from './inspection.ts'
import { type Outcome, type Reporter, readingImages } from './progress.ts'
import { requireFree, writeResult } from './results.ts'
import { carryOutReport } from './runReport.ts'
import type { Stopping } from './stopping.ts'

export interface Work {
  readonly reporter: Reporter
  readonly stopping: Stopping
  /** Goes on with what is there. */
  readonly resume: boolean
  /** Where other machines take part in an alignment. */
  readonly sharing?: Sharing
}

/**
 * Carries a job out.
 * @param out where its result goes; null where the job says so itself, or for stdout
 * @throws StudioError, and what the file system says
 */
export async function carryOut(job: AnyJob, out: string | null, work: Work): Promise<Outcome> {
  switch (job.kind) {
    case 'align':
      return await align(job, out ?? '', work)
    case 'evaluate':
      return await evaluate(job, out, work)
    case 'describe':
      return await describe(job, out ?? '', work)
    case 'export':
      return await exportPolicy(out === null ? job : { ...job, folder: out }, work)
    case 'inspect':
      return await inspect(job.path, job.companion, out, work.stopping.signal)
    case 'report':
      return await carryOutReport(job, out)
  }
}

/** Where the result of a job file goes when nothing else is said; null where the job says it, or it goes to stdout. */
export function outBeside(job: AnyJob, file: string): string | null {
  const beside = join(dirname(file), basename(file, extname(file)))
  if (job.kind === 'align') return `${beside}.fisao`
  return job.kind === 'evaluate' || job.kind === 'describe' ? `${beside}.result.json` : null
}

/** What a cell of a sweep adds to an alignment. */
export interface CellHooks {
  /** See alignInWorkspace. */
  readonly isBeside: boolean
  readonly onCommit: () => void
}

/** An alignment in a workspace of its own. @throws StudioError, and what the file system says */
export async function align(
  job: AlignJob,
  path: string,
  { reporter, stopping, resume, sharing }: Work,
  { isBeside, onCommit }: CellHooks = { isBeside: false, onCommit: () => undefined },
): Promise<Outcome> {
  await requireJobImages(job.images, stopping.signal)
  const tell = readingImages(reporter, job.images.length)
  // While its workspace is being made there is nothing to commit, and a signal ends it at once.
  const result = await alignInWorkspace(job, {
    ...{ path, resume, isBeside, signal: stopping.signal, ...(sharing && { sharing }) },
    readImage: async (image) => {
      const read = await readImageOrRefuse(image)
      tell()
      return read
    },
    report: ({ step, totalSteps, phase, remainingMs }) => {
      stopping.waitForCommits()
      reporter.progress({ done: step, total: totalSteps, phase, remainingMs })
    },
    onCommit: () => {
      onCommit()
      stopping.committed()
    },
  })
  const { steps, bestStep, outcome } = result
  const said = `aligned in ${steps} steps, best at step ${bestStep}; the run is in ${path}\n${outcome}`
  return { kind: 'align', said, out: path, result }
}

/** An image that cannot be read is an error of the job, in the words of an import. */
const readImageOrRefuse: ReadImage = async (path) => {
  try {
    return await readImage(path)
  } catch (cause) {
    if (!(cause instanceof ReadIssue)) throw cause
    const remedy = 'Put a sound file in its place, or leave it out of the job.'
    const message = `An image of this job cannot be used. ${cause.message}`
    throw new StudioError({ code: 'image.unreadable', message, remedy, where: path }, { cause })
  }
}

async function evaluate(job: EvaluateJob, out: string | null, { reporter, stopping }: Work): Promise<Outcome> {
  refuseSteps(Object.values(job.policies))
  if (out !== null) requireFree(out)
  const report = await runJob<'evaluate'>(
    job,
    new MemoryJobStore(),
    ({ done, total }) => reporter.progress({ done, total, phase: 'judging', remainingMs: null }),
    stopping.signal,
  )
  const findings = joinFindings(report.annotations, 'evaluation')
  return writeResult('evaluate', report, out, [`judged on ${report.images} images`, ...findings])
}

async function describe(job: DescribeJob, out: string, { reporter, stopping, resume }: Work): Promise<Outcome> {
  refuseSteps([job.policy])
  if (!resume) requireFree(out)
  const total = job.images.length
  const result = await runJob<'describe'>(
    job,
    new DescribedFile(out),
    ({ done }) => {
      // The first one says what was there before.
      stopping.waitForCommits()
      stopping.committed()
      reporter.progress({ done, total, phase: 'describing', remainingMs: null })
    },
    stopping.signal,
  )
  const { done, skipped } = result
  const said = `${done} of ${total} images described, ${skipped.length} could not be read; the responses are in ${out}`
  return { kind: 'describe', said, out, result }
}

async function exportPolicy(job: ExportJob, { stopping }: Work): Promise<Outcome> {
  refuseSteps([job.policy])
  const { folder } = await runJob<'export'>(job, new MemoryJobStore(), () => undefined, stopping.signal)
  return { kind: 'export', said: `exported to ${folder}`, out: folder, result: { folder } }
}

/** A step of a run lies in a workspace, which a job cannot name. */
function refuseSteps(policies: readonly (JobPolicy | null)[]): void {
  if (!policies.some((policy) => policy?.from === 'run' || policy?.from === 'placebo')) return
  throw new StudioError({
    code: 'run.bad-job',
    message: 'The job names a step of a run, which lies in a workspace and not in the job.',
    remedy: 'Export that step, and name the exported adapter in the job.',
    where: 'from: run',
  })
}
