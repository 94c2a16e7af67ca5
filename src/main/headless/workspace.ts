// A workspace file, opened to work on it or to read from it, and which run and step of it are meant. Before it stands the
// command line, after it workspaceWork.ts, inspection.ts and runReport.ts.
import type { RunId, RunRecord } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import type { AlignJob } from '../../shared/job.ts'
import { missingRun, noCheckpoint, noWeights } from '../../shared/runErrors.ts'
import { checkpointAtStep, lastCheckpoint } from '../db/checkpoints.ts'
import type { ReadableDb, WritableDb } from '../db/connection.ts'
import { pinnedLookStep } from '../db/looks.ts'
import { closeWorkspace, openForReading, openWorkspace, prepareWorkspace } from '../db/open.ts'
import { inUse, lockWorkspace, type WorkspaceLock } from '../db/owner.ts'
import { listRuns, runById } from '../db/runs.ts'
import { storedJobOf } from '../engine/jobs/storedJob.ts'

/** @throws StudioError `workspace.in-use`, and what opening throws */
export async function workingOn<Result>(path: string, work: (db: WritableDb) => Promise<Result>): Promise<Result> {
  // First, since a lock would leave a file beside what is none.
  refuseOthers(path)
  const lock = lockWorkspace(path)
  if (!lock) throw inUse(path)
  try {
    await prepareWorkspace(path)
    const db = openWorkspace(path)
    try {
      return await work(db)
    } finally {
      closeWorkspace(db)
    }
  } finally {
    lock.release()
  }
}

/**
 * Another program may work on it meanwhile.
 * @throws StudioError what opening throws
 */
export async function readingFrom<Result>(path: string, work: (db: ReadableDb) => Promise<Result>): Promise<Result> {
  requireCurrent(path)
  // A connection that only reads would leave the files of the log behind.
  const lock = lockIfWritable(path)
  try {
    const db = lock ? openWorkspace(path) : openForReading(path)
    try {
      return await work(db)
    } finally {
      closeWorkspace(db)
    }
  } finally {
    lock?.release()
  }
}

/** @throws StudioError `workspace.needs-migration` for one of an older version: reading does not change it */
function requireCurrent(path: string): void {
  try {
    closeWorkspace(openForReading(path))
  } catch (cause) {
    if (!isOlder(cause)) throw cause
    throw new StudioError(
      {
        code: 'workspace.needs-migration',
        message: 'This workspace was made by an older version of FiSAO Studio.',
        remedy: 'Open it once in the app, which makes a backup and takes it to this version.',
        where: path,
      },
      { cause },
    )
  }
}

/** Null where another program has it, or where nothing can be written. */
function lockIfWritable(path: string): WorkspaceLock | null {
  try {
    return lockWorkspace(path)
  } catch (thrown) {
    if (thrown instanceof StudioError && thrown.code === 'workspace.read-only') return null
    throw thrown
  }
}

/** @throws StudioError for what is no workspace; one of an older version is prepared later */
function refuseOthers(path: string): void {
  try {
    closeWorkspace(openForReading(path))
  } catch (thrown) {
    if (!isOlder(thrown)) throw thrown
  }
}

function isOlder(thrown: unknown): boolean {
  return thrown instanceof StudioError && thrown.code === 'workspace.needs-migration'
}

/** @param runId null for the newest one @throws StudioError `run.missing` */
export function chosenRun(db: ReadableDb, runId: number | null): RunRecord {
  const run = runId === null ? listRuns(db)[0] : runById(db, runId as RunId)
  if (run) return run
  if (runId !== null) throw missingRun(runId as RunId)
  throw new StudioError({
    code: 'run.missing',
    message: 'The workspace holds no run.',
    remedy: 'Make one in the app, or with the subcommand align.',
    where: db.name,
  })
}

/** The step that a person means: a number, `last`, or `best`, which is the model as it came when no step was better. */
export function stepNamed(db: ReadableDb, { runId }: RunRecord, step: string): number {
  if (step === 'best') return pinnedLookStep(db, runId) ?? 0
  if (step === 'last') return lastCheckpoint(db, runId)?.step ?? 0
  if (/^\d{1,9}$/.test(step)) return Number(step)
  const remedy = 'A step is a number, best or last.'
  throw new StudioError({ code: 'app.usage', message: `“${step}” is no step.`, remedy })
}

/**
 * The step that a person means, which has its weights.
 * @throws StudioError `run.no-checkpoint`, `run.no-weights`
 */
export function chosenStep(db: ReadableDb, run: RunRecord, step: string): number {
  const { runId } = run
  const number = stepNamed(db, run, step)
  const checkpoint = checkpointAtStep(db, runId, number)
  if (!checkpoint) throw noCheckpoint(runId, number)
  if (number > 0 && !checkpoint.hasWeights) throw noWeights(number)
  return number
}

/** The job of the newest run; null when it has none. @throws StudioError what opening throws, `run.bad-job` */
export async function storedJobIn(path: string): Promise<AlignJob | null> {
  return await readingFrom(path, async (db) => storedJobOf(db, chosenRun(db, null).runId))
}
