// The result of a cell, taken to this machine and looked at from end to end before anything of it is taken over: its bytes, its
// version, its schema and seals, and whether its runs are those of the cell's job, at their end. Before it stands collect.ts.
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunId } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import type { AlignJob } from '../../shared/job.ts'
import { lookSchema } from '../../shared/look.ts'
import { runConfigSchema } from '../../shared/runConfig.ts'
import { type CellResult, placeboOf, type Sweep, type SweepCell } from '../../shared/sweep.ts'
import { listCheckpoints } from '../db/checkpoints.ts'
import type { ReadableDb } from '../db/connection.ts'
import { damagedParts } from '../db/damagedParts.ts'
import { checkContents, checkFile } from '../db/fileCheck.ts'
import { looksUntil } from '../db/looks.ts'
import { currentVersion, schemaVersion } from '../db/migrate.ts'
import { modelById } from '../db/models.ts'
import { closeWorkspace, openWorkspace } from '../db/open.ts'
import { listRuns, runById } from '../db/runs.ts'
import { runOfJob } from '../engine/jobs/jobWorkspace.ts'
import { readRunCursor } from '../engine/jobs/runStore.ts'
import { badCell, cellFolder } from './sweepFolder.ts'

export interface CheckedCell {
  readonly folder: string
  readonly sweep: Sweep
  readonly cell: SweepCell
  readonly job: AlignJob
  readonly result: CellResult
}

/**
 * Opens the workspace of a cell that has passed every check, for as long as `work` reads it.
 * @param place a folder of this machine
 * @throws StudioError naming what is not as it was written; all of what is wrong with one cell
 */
export async function readingCell<T>(
  checked: CheckedCell,
  place: string,
  work: (db: ReadableDb, runIds: readonly RunId[]) => T,
): Promise<T> {
  const { folder, sweep, cell, job, result } = checked
  if (result.appVersion !== sweep.appVersion) {
    const where = join(cellFolder(folder, cell.cell), 'result.json')
    throw badCell(where, `FiSAO Studio ${result.appVersion}`, `FiSAO Studio ${sweep.appVersion}`)
  }
  const copy = join(place, `${sweep.sweepId}-${cell.cell}.collected`)
  const source = join(cellFolder(folder, cell.cell), result.file)
  try {
    await copyChecked(source, copy, result)
    checkFile(copy)
    const db = openWorkspace(copy)
    try {
      if (schemaVersion(db) !== currentVersion) {
        throw badCell(source, `schema ${schemaVersion(db)}`, `schema ${currentVersion}`)
      }
      checkContents(db)
      const [damaged] = damagedParts(db)
      if (damaged) throw badCell(source, `${damaged}: other bytes than were stored`)
      return work(db, runsOf(db, job, cell.placebo, source))
    } finally {
      closeWorkspace(db)
    }
  } finally {
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(copy + end, { force: true })
  }
}

/** Copies the result here, and no further than it says that it is long. @throws StudioError `run.bad-cell` */
async function copyChecked(source: string, copy: string, { sha256, sizeBytes }: CellResult): Promise<void> {
  const found = await stat(source).catch((cause: NodeJS.ErrnoException) => {
    throw badCell(source, `a file that cannot be read (${cause.code})`)
  })
  // Before it is opened: a pipe would be waited for without end.
  if (!found.isFile()) throw badCell(source, 'no regular file')
  if (found.size !== sizeBytes) throw badCell(source, `${found.size} bytes`, `${sizeBytes} bytes`)
  const from = await open(source)
  try {
    const to = await open(copy, 'w', 0o600)
    const hash = createHash('sha256')
    try {
      const buffer = Buffer.alloc(8 * 1024 * 1024)
      for (let at = 0; at < sizeBytes; ) {
        const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.length, sizeBytes - at), at)
        if (bytesRead === 0) throw badCell(source, `${at} bytes`, `${sizeBytes} bytes`)
        hash.update(buffer.subarray(0, bytesRead))
        await to.writeFile(buffer.subarray(0, bytesRead))
        at += bytesRead
      }
    } finally {
      await to.close()
    }
    const digest = hash.digest('hex')
    if (digest !== sha256) throw badCell(source, `the SHA-256 ${digest}`, `the SHA-256 ${sha256}`)
  } finally {
    await from.close()
  }
}

/** The run of the cell's job and its placebo, and no others. @throws StudioError `run.bad-cell`, `run.bad-checkpoint` */
function runsOf(db: ReadableDb, job: AlignJob, hasPlacebo: boolean, where: string): RunId[] {
  const jobs = hasPlacebo ? [job, placeboOf(job)] : [job]
  const runIds = jobs.map((one) => {
    const runId = runOfJob(db, one)
    if (runId === undefined) throw badCell(where, 'no run of it', `a run of the job “${one.name}”`)
    requireRun(db, runId, one, where)
    return runId
  })
  const others = listRuns(db).length - runIds.length
  if (others !== 0) throw badCell(where, `${others} other runs`, `${runIds.length} runs`)
  return runIds
}

/** That what stands in the run's rows is what its job asks for, and can be read by those who will. */
function requireRun(db: ReadableDb, runId: RunId, job: AlignJob, where: string): void {
  const run = runById(db, runId)
  const model = run && modelById(db, run.modelId)
  const facts: readonly (readonly [what: string, found: unknown, expected: unknown])[] = [
    ['state', run?.state, 'complete'],
    ['name', run?.name, job.name],
    ['preset', run?.preset, job.preset],
    ['seed', run?.seed, job.seed],
    ['config', JSON.stringify(runConfigSchema.safeParse(run?.config).data), JSON.stringify(job.config)],
    ['model', model?.folder, job.models.model.folder],
    ['weights', model?.weightsSha256, job.models.model.weightsSha256],
    ['encoder', model?.companionFolder, job.models.companion.folder],
  ]
  const wrong = facts.find(([, found, expected]) => found !== expected)
  if (wrong) throw badCell(where, `${wrong[0]} ${wrong[1]}`, `${wrong[0]} ${wrong[2]}`)
  const cursors = listCheckpoints(db, runId).map(readRunCursor)
  if (JSON.stringify(cursors.at(-1)?.calibration) !== JSON.stringify(run?.calibration)) {
    throw badCell(where, 'another calibration than that of its last step')
  }
  for (const look of looksUntil(db, runId, Number.MAX_SAFE_INTEGER)) {
    const { error } = lookSchema.safeParse(look)
    if (error) throw badCell(where, `a look that cannot be read: ${error.issues[0]?.message}`)
  }
}

/**
 * What is thrown of one cell is about that cell, also what nobody expected of a file that somebody made up, and no reason to
 * leave the others; only what is said of this machine's disk is about all of them.
 */
export function isAboutCell(thrown: unknown): boolean {
  return !(thrown instanceof StudioError) || !/^workspace\.(disk-|read-only|removed|taken-over)/.test(thrown.code)
}
