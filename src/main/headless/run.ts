// `fisao-studio-run`: the product's command without a window, on plain Node. Before it stands a person's or a cluster's
// command line; it reads it, has the work done (work.ts, workspaceWork.ts) and ends with an exit code (exitCodes.ts).
// Whoever starts it: a launcher of a package (see resources.ts), or scripts/job.ts in a checkout.
import { existsSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { StudioError } from '../../shared/errors.ts'
import { fileNameOf } from '../../shared/fileName.ts'
import type { AnyJob } from '../../shared/job.ts'
import { usualCopySeconds } from '../../shared/sweepResources.ts'
import { telemetryOff } from '../../shared/telemetryOff.ts'
import type { Sharing } from '../engine/jobs/sharedRun.ts'
import type { CellOptions } from './cell.ts'
import { type Given, readCommandLine, usageError } from './commandLine.ts'
import { exitCodeOf, exitCodes } from './exitCodes.ts'
import { generalHelp, programName, settingsHelp, subcommandHelp } from './help.ts'
import type { SubcommandName } from './options.ts'
import { problemOf } from './problems.ts'
import { type Outcome, Reporter, type Streams } from './progress.ts'
import { requireFree } from './results.ts'
import { Stopping } from './stopping.ts'
import { version } from './version.ts'
import type { Work } from './work.ts'

/**
 * Does what the arguments say.
 * @param folder that relative paths are meant from
 * @returns the exit code; nothing is thrown
 */
export async function runHeadless(args: readonly string[], folder: string): Promise<number> {
  const streams = processStreams()
  let reporter = new Reporter('bar', streams)
  let stopping: Stopping | null = null
  try {
    const given = readCommandLine(args, folder)
    reporter = new Reporter(given.progress, streams)
    const text = textOnly(given)
    if (text !== null) {
      streams.out(text)
      return exitCodes.done.code
    }
    requireNode()
    Object.assign(process.env, telemetryOff)
    stopping = new Stopping((sentence) => reporter.note(sentence))
    const sharing = sharingOf(given, reporter)
    const work = { reporter, stopping, resume: given.has('resume'), ...(sharing && { sharing }) }
    if (given.subcommand === null) await carryOutFiles(given, work)
    else reporter.done(await subcommandWork[given.subcommand](given, work))
    return exitCodes.done.code
  } catch (thrown) {
    const error = problemOf(thrown)
    const exitCode = exitCodeOf(error, stopping?.by ?? null)
    reporter.failed(error, exitCode)
    return exitCode
  }
}

/** Help and version. @throws StudioError `app.usage` when nothing at all is asked for */
function textOnly(given: Given): string | null {
  const { subcommand, positionals } = given
  if (given.has('help')) return subcommand === null ? generalHelp() : subcommandHelp(subcommand)
  if (given.has('settings')) return settingsHelp()
  if (given.has('version')) return `${programName} ${version}\n`
  if (subcommand === null && positionals.length === 0) throw usageError('Name a job file or a subcommand.', null)
  return null
}

/** Node-API 10, which the database binding needs, came with 22.14. */
const leastNapiVersion = 10

/** @throws StudioError `app.old-node`, where a binding that fits was not named */
function requireNode(): void {
  if (Number(process.versions.napi) >= leastNapiVersion || process.env.FISAO_SQLITE_BINDING) return
  throw new StudioError({
    code: 'app.old-node',
    message: 'This Node is too old for the database of the workspaces.',
    remedy: 'Use Node 22.14 or newer; in a checkout, "npm run job" does without.',
    ...{ expected: 'Node 22.14 or newer', found: `Node ${process.versions.node}`, where: process.execPath },
  })
}

async function carryOutFiles(given: Given, work: Work): Promise<void> {
  const { positionals } = given
  const named = given.path('out')
  for (const name of ['out', 'share'] as const) {
    if (given.has(name) && positionals.length > 1)
      throw usageError(`--${name} is of one job; name one job at a time.`, null)
  }
  const { readJobFile } = await import('../engine/jobs/jobFile.ts')
  const { carryOut, outBeside } = await import('./work.ts')
  for (const positional of positionals) {
    const path = given.fullPath(positional)
    const isCell = named === null && isOfSweep(path)
    const strange = optionsOfOthers[isCell ? 'cell' : 'job'].find((name) => given.has(name))
    if (strange !== undefined) {
      throw usageError(`${positional} is ${isCell ? 'a' : 'no'} cell of a sweep, so it takes no --${strange}.`, null)
    }
    if (isCell) {
      work.reporter.started('cell', path)
      const [folder, number] = [dirname(dirname(path)), Number(basename(path, '.json'))]
      work.reporter.done(await (await import('./cell.ts')).carryOutCell(folder, number, cellOptions(given), work))
      continue
    }
    const job = await readJobFile(path)
    if (work.sharing && job.kind !== 'align') throw usageError(`--share is for an alignment, not ${positional}.`, null)
    work.reporter.started(job.kind, path)
    work.reporter.done(await carryOut(onThisMachine(job, given), named ?? outBeside(job, path), work))
  }
}

/** What a cell does not take, whose job says all that its bytes follow from; and what only a cell takes. */
const optionsOfOthers = {
  cell: ['threads', 'device', 'share', 'stale-after'],
  job: ['scratch', 'copy-every'],
} as const

/** Whether a job file is that of a cell, which goes the way of the subcommand cell. */
function isOfSweep(path: string): boolean {
  const folder = dirname(path)
  return (
    /^[1-9]\d{0,5}\.json$/.test(basename(path)) &&
    basename(folder) === 'jobs' &&
    existsSync(join(dirname(folder), 'sweep.json'))
  )
}

const defaultStaleSeconds = 120
const mostSeconds = 1_000_000

function cellOptions(given: Given): CellOptions {
  const seconds = given.fraction('copy-every', 0, mostSeconds) ?? usualCopySeconds
  return { scratch: given.path('scratch'), copyEveryMs: seconds * 1000 }
}

function staleMsOf(given: Given): number {
  return (given.fraction('stale-after', 0.1, mostSeconds) ?? defaultStaleSeconds) * 1000
}

/** Null where nobody else takes part. @throws StudioError `app.usage` */
function sharingOf(given: Given, reporter: Reporter): Sharing | null {
  const folder = given.path('share')
  if (folder === null) return null
  return { folder, staleMs: staleMsOf(given), appVersion: version, note: (text) => reporter.note(text) }
}

/** The job with the device and the threads that were asked for here. */
function onThisMachine(job: AnyJob, { device, threads }: Given): AnyJob {
  if (!('device' in job)) return job
  return { ...job, ...(device !== null && { device }), ...(threads !== null && { threads }) }
}

type SubcommandWork = (given: Given, work: Work) => Promise<Outcome>

const subcommandWork: Readonly<Record<SubcommandName, SubcommandWork>> = {
  align: async (given, work) => {
    const { alignJobOf } = await import('./makeJob.ts')
    const { storedJobIn } = await import('./workspace.ts')
    requireNoPositional(given)
    const out =
      given.path('out') ??
      given.fullPath(`${fileNameOf(given.text('name') ?? 'Aligned', '.fisao'.length, 'Aligned')}.fisao`)
    const isThere = existsSync(out)
    if (isThere && !work.resume) requireFree(out)
    const stored = isThere ? await storedJobIn(out) : null
    if (stored) work.reporter.note(`going on with the job that began in ${out}; what else was typed is not read`)
    return await doOrWrite(given, stored ?? (await alignJobOf(given, work)), out, work)
  },
  evaluate: async (given, work) => {
    requireOneForm(given)
    if (given.positionals.length > 0) return await (await import('./workspaceWork.ts')).evaluateSteps(given, work)
    const { evaluateJobOf } = await import('./makeJob.ts')
    return await doOrWrite(given, await evaluateJobOf(given, work), given.path('out'), work)
  },
  describe: async (given, work) => {
    const { describeJobOf } = await import('./makeJob.ts')
    requireNoPositional(given)
    const out = given.path('out') ?? given.fullPath('descriptions.jsonl')
    if (!work.resume) requireFree(out)
    return await doOrWrite(given, await describeJobOf(given, work), out, work)
  },
  export: async (given, work) => await (await import('./workspaceWork.ts')).exportStep(given, work),
  inspect: async (given, { stopping }) => {
    const { inspect } = await import('./inspection.ts')
    const path = given.only('a workspace or a model folder')
    const within = `${path}/encoder`
    const encoder = given.path('encoder') ?? (existsSync(within) ? within : null)
    return await inspect(path, encoder, given.path('out'), stopping.signal)
  },
  report: async (given) => {
    const { reportBeside, reportOf } = await import('./runReport.ts')
    const workspace = given.only('a workspace')
    return await reportOf(workspace, given.integer('run', 1, 2 ** 31), {
      ...{ step: given.text('step') ?? 'best', file: given.path('out') ?? reportBeside(workspace) },
    })
  },
  sweep: async (given, work) => await (await import('./sweep.ts')).makeSweep(given, work),
  cell: async (given, work) => {
    const [folder, number, ...more] = given.positionals
    if (folder === undefined || !/^[1-9]\d{0,5}$/.test(number ?? '') || more.length > 0) {
      throw usageError('Name the folder of a sweep and the number of a cell.', given.subcommand)
    }
    const { carryOutCell } = await import('./cell.ts')
    return await carryOutCell(given.fullPath(folder), Number(number), cellOptions(given), work)
  },
  work: async (given, work) => {
    const folder = given.only('the folder of a sweep or of a shared run')
    const staleMs = staleMsOf(given)
    const { isShared } = await import('../engine/jobs/sharedRun.ts')
    if (isShared(folder)) return await (await import('./shardWork.ts')).shareIn(folder, staleMs, given.threads, work)
    const { workOn } = await import('./worker.ts')
    return await workOn(folder, { ...cellOptions(given), staleMs }, work)
  },
  collect: async (given, work) => {
    const { collect } = await import('./collect.ts')
    const options = { into: given.path('into'), scratch: given.path('scratch') }
    return await collect(given.only('the folder of a sweep'), options, work)
  },
}

/** Carries the job out, or writes it down where --write-job says. */
async function doOrWrite(given: Given, job: AnyJob, out: string | null, work: Work): Promise<Outcome> {
  const file = given.path('write-job')
  if (file !== null) {
    writeFileSync(file, `${JSON.stringify(job, null, 1)}\n`, { flag: 'wx' })
    return { kind: job.kind, said: `the job is in ${file}`, out: file, result: { file } }
  }
  work.reporter.started(job.kind, null)
  const { carryOut } = await import('./work.ts')
  return await carryOut(job, out, work)
}

/** Options of an evaluation of a model, and of one in a workspace. */
const evaluateForms = {
  model: ['demo', 'model', 'encoder', 'adapter', 'set', 'seed', 'write-job'],
  workspace: ['resume', 'run', 'step', 'measure', 'questions', 'sampling', 'folder', 'name'],
} as const

/** @throws StudioError `app.usage` for options of both forms */
function requireOneForm(given: Given): void {
  const isOfWorkspace = given.positionals.length > 0
  const strange = evaluateForms[isOfWorkspace ? 'model' : 'workspace'].find((name) => given.has(name))
  if (strange === undefined) return
  const when = isOfWorkspace ? 'where no workspace is named' : 'of a workspace, and none is named'
  throw usageError(`--${strange} is for an evaluation ${when}.`, given.subcommand)
}

function requireNoPositional({ positionals, subcommand }: Given): void {
  if (positionals.length > 0) throw usageError(`${positionals.join(' ')} is too much.`, subcommand)
}

function processStreams(): Streams {
  // A reader of the output that has gone (`... | head`) is no reason to end a run.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY === true,
  }
}
