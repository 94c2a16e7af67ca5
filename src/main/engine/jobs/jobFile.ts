// A job that comes as a file: read, and its inputs looked at before anything is begun, so that what is wrong is said at
// once and by name. Before it stands whoever wrote the file, after it runJob.ts.
import { readFile, stat } from 'node:fs/promises'
import { StudioError } from '../../../shared/errors.ts'
import { exportFormat, type Job, type JobFile, jobSchema } from '../../../shared/job.ts'
import { mapSome } from '../../../shared/mapSome.ts'
import { sha256Of } from '../folder/hashes.ts'
import { parseJson } from '../folder/json.ts'

/** Fields that an error names; a file that is none at all has very many. */
const mostFieldsNamed = 8

/**
 * Reads a job, or the job that an export's `run.json` holds.
 * @throws StudioError `run.bad-job` naming each field that is wrong
 */
export async function readJobFile(path: string): Promise<Job> {
  let json: unknown
  try {
    json = parseJson(await readFile(path, 'utf8'))
  } catch (cause) {
    const found = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'no file' : 'no JSON'
    throw badJob(path, 'The job cannot be read.', { expected: 'a JSON file', found }, cause)
  }
  const read = jobSchema.safeParse(jobWithin(json, path))
  if (read.success) return read.data
  const { issues } = read.error
  const named = issues.slice(0, mostFieldsNamed).map(({ path: at, message }) => `${at.join('.') || 'job'}: ${message}`)
  const more = issues.length > named.length ? `; and ${issues.length - named.length} more` : ''
  throw badJob(path, `The job cannot be used: ${named.join('; ')}${more}.`, {}, read.error)
}

function jobWithin(json: unknown, path: string): unknown {
  const { format, job } = (json ?? {}) as { format?: unknown; job?: unknown }
  if (format !== exportFormat) return json
  if (job !== null && job !== undefined) return job
  throw badJob(path, 'This export holds no job: it is not of a run, or of one by a version that stored none.')
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
