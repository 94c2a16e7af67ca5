// A job that comes as a file: read, and its inputs looked at before anything is begun, so that what is wrong is said at
// once and by name. Before it stands whoever wrote the file, after it runJob.ts.
import { readFile, stat } from 'node:fs/promises'
import { StudioError } from '../../../shared/errors.ts'
import { type AnyJob, anyJobSchema, exportFormat, type JobFile } from '../../../shared/job.ts'
import { mapSome } from '../../../shared/mapSome.ts'
import { sha256Of } from '../folder/hashes.ts'
import { parseJson } from '../folder/json.ts'
import { jobVersion } from './jobInputs.ts'

/** Fields that an error names; a file that is none at all has very many. */
const mostFieldsNamed = 8
/** Some 300,000 images; whatever is longer is no job, and would only fill the memory. */
const longestJobBytes = 64 * 1024 * 1024

/**
 * Reads a job, or the job that an export's `run.json` holds.
 * @throws StudioError `run.bad-job` naming each field that is wrong
 */
export async function readJobFile(path: string): Promise<AnyJob> {
  const job = jobWithin(await readJson(path), path)
  requireVersion(job, path)
  const read = anyJobSchema.safeParse(job)
  if (read.success) return read.data
  const { issues } = read.error
  const named = issues.slice(0, mostFieldsNamed).map(({ path: at, message }) => `${at.join('.') || 'job'}: ${message}`)
  const more = issues.length > named.length ? `; and ${issues.length - named.length} more` : ''
  throw badJob(path, `The job cannot be used: ${named.join('; ')}${more}.`, {}, read.error)
}

async function readJson(path: string): Promise<unknown> {
  const refused = (found: string, cause?: unknown) =>
    badJob(path, 'The job cannot be read.', { expected: 'a JSON file', found }, cause)
  try {
    const found = await stat(path)
    if (found.isDirectory()) throw refused('a folder')
    if (!found.isFile()) throw refused('no regular file')
    if (found.size > longestJobBytes)
      throw refused(`a file of ${found.size} bytes; a job has at most ${longestJobBytes}`)
    return parseJson(await readFile(path, 'utf8'))
  } catch (cause) {
    if (cause instanceof StudioError) throw cause
    if (cause instanceof SyntaxError) throw refused(`no JSON: ${cause.message}`, cause)
    const code = (cause as NodeJS.ErrnoException).code
    throw refused(code === 'ENOENT' ? 'no file' : `a file that cannot be read (${code})`, cause)
  }
}

function jobWithin(json: unknown, path: string): unknown {
  const { format, job } = (json ?? {}) as { format?: unknown; job?: unknown }
  if (format !== exportFormat) return json
  if (job !== null && job !== undefined) return job
  throw badJob(path, 'This export holds no job: it is not of a run, or of one by a version that stored none.')
}

/** A job of another version is told from one that is wrong. */
function requireVersion(job: unknown, path: string): void {
  const { format, version } = (job ?? {}) as { format?: unknown; version?: unknown }
  if (format !== jobVersion.format || typeof version !== 'number' || version === jobVersion.version) return
  throw new StudioError({
    code: 'run.bad-job',
    message: 'The job is of another version than this program can read.',
    remedy: 'Carry it out with the version of FiSAO Studio that wrote it.',
    ...{ expected: `version ${jobVersion.version}`, found: `version ${version}`, where: path },
  })
}

function badJob(
  where: string,
  message: string,
  differs: { expected?: string; found?: string } = {},
  cause?: unknown,
): StudioError {
  const remedy = 'Take the job from the run.json of an export, or mend what is named.'
  return new StudioError({ code: 'run.bad-job', message, remedy, ...differs, where }, { cause })
}

/** Files that are open at the same time. */
const filesAtOnce = 8

/**
 * That every image of an alignment is there and is what the job says. A run of the app leaves out those that are not; a job
 * would then not come to the results that it stands for.
 * @throws StudioError `run.images-missing`, `run.images-changed`, `run.cancelled`
 */
export async function requireJobImages(images: readonly JobFile[], signal?: AbortSignal): Promise<void> {
  const outcomes = await mapSome(images, filesAtOnce, ({ path, sha256 }) => outcomeOf(path, sha256, signal))
  for (const [outcome, words, remedy] of refusals) {
    const paths = images.flatMap(({ path }, i) => (outcomes[i] === outcome ? [path] : []))
    if (paths.length === 0) continue
    throw new StudioError({
      code: `run.images-${outcome}`,
      message: `${paths.length} of the ${images.length} images of this job ${words}.`,
      remedy,
      where: paths[0] as string,
    })
  }
}

const refusals = [
  ['missing', 'cannot be read', 'Put them where the job says, or change the job to say where they are.'],
  ['changed', 'are no longer what they were', 'Put the old files back, or start a new run with them as they are now.'],
] as const

async function outcomeOf(
  path: string,
  sha256: string,
  signal: AbortSignal | undefined,
): Promise<'right' | 'missing' | 'changed'> {
  try {
    if (!(await stat(path)).isFile()) return 'missing'
    return (await sha256Of([path], signal)) === sha256 ? 'right' : 'changed'
  } catch (cause) {
    if (cause instanceof StudioError) throw cause
    return 'missing'
  }
}
