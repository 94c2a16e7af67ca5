// `npm run job -- JOB.json`: carries out a run, an evaluation, an export or a question that comes as a job, on plain Node, without the
// app. Everything it does is done by the engine's jobs (src/main/engine/jobs); here are arguments, words and exit codes.
import { existsSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { StudioError } from '../src/shared/errors.ts'
import type { Job, JobOf } from '../src/shared/job.ts'
import type { RunProgress } from '../src/shared/runProgress.ts'
import { telemetryOff } from '../src/shared/telemetryOff.ts'
import { sqliteBinding } from './setup/sqlite.ts'

export const usage = `usage: npm run job -- JOB.json [--workspace FILE] [--resume] [--out FILE]

JOB.json is a job, or the run.json of an export, which holds the job of its run.
  align     aligns a model and keeps the run in a new workspace: beside the job, or --workspace FILE;
            --resume goes on with the run that an earlier start of this job left there
  evaluate  writes CHAIR before and after as JSON: beside the job, or --out FILE
  export    writes the folder that the job names
  describe  writes a response a line as JSON: beside the job, or --out FILE; --resume passes over images that it holds
`

export interface JobArguments {
  readonly job: string
  readonly workspace: string
  readonly out: string
  readonly resume: boolean
}

/**
 * @param workingFolder that relative paths are meant from
 * @returns null when only the usage is asked for
 * @throws Error with the usage
 */
export function jobArguments(args: readonly string[], workingFolder: string): JobArguments | null {
  const { values, positionals } = parsed(args)
  if (values.help) return null
  const [job, ...more] = positionals
  if (job === undefined) throw new Error(`Name the file of a job.\n\n${usage}`)
  if (more.length > 0) throw new Error(`One job at a time: ${more.join(', ')} is too much.\n\n${usage}`)
  const path = resolve(workingFolder, job)
  const beside = join(dirname(path), basename(path, extname(path)))
  return {
    job: path,
    workspace: resolve(workingFolder, values.workspace ?? `${beside}.fisao`),
    out: resolve(workingFolder, values.out ?? `${beside}.result.json`),
    resume: values.resume,
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        workspace: { type: 'string' },
        out: { type: 'string' },
        resume: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${usage}`)
  }
}

/** Carries the job out. @throws StudioError */
async function runJobFile(args: JobArguments, signal: AbortSignal): Promise<string> {
  const { readJobFile, requireJobImages } = await import('../src/main/engine/jobs/jobFile.ts')
  const job = await readJobFile(args.job)
  if (job.kind === 'align') {
    const { alignInWorkspace } = await import('../src/main/engine/jobs/jobWorkspace.ts')
    const { readImage } = await import('../src/main/library/readImage.ts')
    await requireJobImages(job.images, signal)
    const { workspace: path, resume } = args
    const { steps, bestStep, outcome } = await alignInWorkspace(job, {
      path,
      resume,
      readImage,
      report: sayStep(),
      signal,
    })
    return `aligned in ${steps} steps, best at step ${bestStep}; the run is in ${path}\n${outcome}`
  }
  refuseRunOfWorkspace(job)
  if (job.kind === 'describe') return await describe(job, args, signal)
  const { MemoryJobStore } = await import('../src/main/engine/jobs/memoryStore.ts')
  const { runJob } = await import('../src/main/engine/jobs/runJob.ts')
  if (job.kind === 'export') {
    const { folder } = await runJob<'export'>(job, new MemoryJobStore(), () => undefined, signal)
    return `exported to ${folder}`
  }
  if (existsSync(args.out)) throw outputTaken(args.out)
  const report = await runJob<'evaluate'>(job, new MemoryJobStore(), sayResponses(), signal)
  writeFileSync(args.out, `${JSON.stringify(report, null, 1)}\n`, { flag: 'wx' })
  const { joinFindings } = await import('../src/shared/annotationJoin.ts')
  const findings = joinFindings(report.annotations, 'evaluation')
  return [`judged on ${report.images} images; the figures are in ${args.out}`, ...findings].join('\n')
}

async function describe(job: JobOf<'describe'>, { out, resume }: JobArguments, signal: AbortSignal): Promise<string> {
  if (existsSync(out) && !resume) throw outputTaken(out)
  const { DescribedFile } = await import('../src/main/engine/jobs/describedFile.ts')
  const { runJob } = await import('../src/main/engine/jobs/runJob.ts')
  const { done, skipped } = await runJob<'describe'>(job, new DescribedFile(out), sayResponses(), signal)
  return `${done} of ${job.images.length} images described, ${skipped.length} could not be read; the responses are in ${out}`
}

/** A step of a run lies in a workspace, which no other machine has. */
function refuseRunOfWorkspace(job: Exclude<Job, { kind: 'align' }>): void {
  const policies = job.kind === 'evaluate' ? [job.policies.before, job.policies.after] : [job.policy]
  if (!policies.some(({ from }) => from === 'run')) return
  throw new StudioError({
    code: 'run.bad-job',
    message: 'The job names a step of a run, which lies in a workspace and not in the job.',
    remedy: 'Export that step, and name the exported adapter in the job.',
    where: 'from: run',
  })
}

function outputTaken(where: string): StudioError {
  return new StudioError({
    code: 'run.output-taken',
    message: 'There already is a file in the place where this job would write its figures.',
    remedy: 'Name another one with --out, or take the old one away.',
    where,
  })
}

/** Says each step once. */
function sayStep(): (progress: RunProgress) => void {
  let said = -1
  return ({ step, totalSteps, remainingMs }) => {
    if (step === said) return
    said = step
    const left = remainingMs === null ? '' : `, about ${Math.ceil(remainingMs / 1000)} s left`
    process.stdout.write(`step ${step} of ${totalSteps}${left}\n`)
  }
}

function sayResponses(): (progress: { done: number; total: number }) => void {
  return ({ done, total }) => process.stdout.write(`${done} of ${total} responses\n`)
}

/** What is wrong, for a person: the sentence, the place, and what to do about it. */
export function wordsOf(thrown: unknown): string {
  if (!(thrown instanceof StudioError)) return thrown instanceof Error ? thrown.message : String(thrown)
  return `${thrown.message}${thrown.where === undefined ? '' : ` (${thrown.where})`}\n${thrown.remedy}`
}

async function main(): Promise<number> {
  // npm runs scripts in the project's folder and keeps the caller's here.
  const args = jobArguments(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd())
  if (!args) {
    process.stdout.write(usage)
    return 0
  }
  Object.assign(process.env, telemetryOff)
  const runtime = { electronPath: process.execPath, napiVersion: Number(process.versions.napi) }
  const binding = await sqliteBinding(runtime, (line) => process.stderr.write(`[setup] ${line}\n`))
  if (binding !== null) process.env.FISAO_SQLITE_BINDING = binding
  const abort = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort())
  process.stdout.write(`${await runJobFile(args, abort.signal)}\n`)
  return 0
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = await main().catch((thrown: unknown) => {
    process.stderr.write(`${wordsOf(thrown)}\n`)
    return 1
  })
}
