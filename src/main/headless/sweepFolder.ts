// The folder of a sweep on a file system that several machines share: what lies where, read with care, and written so that
// whoever reads sees a file whole or not at all. Before it stand sweep, cell, work and collect; no database is opened here.
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import type { z } from 'zod'
import { StudioError } from '../../shared/errors.ts'
import { type AlignJob, alignJobSchema } from '../../shared/job.ts'
import {
  type CellFailure,
  type CellResult,
  cellFailureSchema,
  cellResultSchema,
  type Sweep,
  type SweepCell,
  sweepSchema,
} from '../../shared/sweep.ts'
import { readJobFile } from '../engine/jobs/jobFile.ts'
import { hashOf, unfinishedName } from '../files/publish.ts'
import { version } from './version.ts'

/** Where a cell's files lie. */
export const sweepFile = (folder: string) => join(folder, 'sweep.json')
export const jobFile = (folder: string, cell: number) => join(folder, 'jobs', `${cell}.json`)
export const cellFolder = (folder: string, cell: number) => join(folder, 'cells', String(cell))
export const snapshotFile = (folder: string, cell: number) => join(cellFolder(folder, cell), 'snapshot.fisao')
export const resultFile = (folder: string, cell: number) => join(cellFolder(folder, cell), 'result.json')
export const failureFile = (folder: string, cell: number) => join(cellFolder(folder, cell), 'failure.json')
export const logFile = (folder: string, cell: number) => join(folder, 'logs', `${cell}.log`)

/** Far above what the files of a sweep take, but for jobs, which jobFile.ts bounds. */
const longestBytes = 4 * 1024 * 1024

/** @throws StudioError `run.bad-sweep` for what is none, or of another version */
export async function readSweep(folder: string): Promise<Sweep> {
  const sweep = await readAs(sweepFile(folder), sweepSchema, badSweep)
  if (sweep !== null) return sweep
  throw badSweep(sweepFile(folder), 'no file')
}

/** @throws StudioError `run.bad-cell` when the sweep has no such cell */
export function cellOf({ cells }: Sweep, cell: number, where: string): SweepCell {
  const found = cells[cell - 1]
  if (found) return found
  throw badCell(where, `cell ${cell} of ${cells.length}`)
}

/** The job of a cell, which is the very one that the sweep was made with. @throws StudioError `run.bad-cell`, `run.bad-job` */
export async function readCellJob(folder: string, { cell, jobSha256 }: SweepCell): Promise<AlignJob> {
  const path = jobFile(folder, cell)
  const job = await readJobFile(path)
  const found = await hashOf(path)
  if (found !== jobSha256) throw badCell(path, `the SHA-256 ${found}`, `the SHA-256 ${jobSha256}`)
  if (job.kind === 'align') return alignJobSchema.parse(job)
  throw badCell(path, `a job of the kind ${job.kind}`, 'an alignment')
}

/** What a cell came to, or null before its end. @throws StudioError `run.bad-cell` for what is not of this cell */
export async function readResult(folder: string, sweep: Sweep, cell: SweepCell): Promise<CellResult | null> {
  const path = resultFile(folder, cell.cell)
  return ofThisCell(await readAs(path, cellResultSchema, badCell), sweep, cell, path)
}

/** Why a cell was not carried out, or null. @throws StudioError `run.bad-cell` for what is not of this cell */
export async function readFailure(folder: string, sweep: Sweep, cell: SweepCell): Promise<CellFailure | null> {
  const path = failureFile(folder, cell.cell)
  return ofThisCell(await readAs(path, cellFailureSchema, badCell), sweep, cell, path)
}

function ofThisCell<Found extends CellResult | CellFailure>(
  found: Found | null,
  sweep: Sweep,
  cell: SweepCell,
  path: string,
): Found | null {
  if (found === null) return null
  for (const [what, expected, is] of [
    ['sweep', sweep.sweepId, found.sweepId],
    ['cell', cell.cell, found.cell],
    ['job', cell.jobSha256, found.jobSha256],
  ] as const) {
    if (is !== expected) throw badCell(path, `${what} ${is}`, `${what} ${expected}`)
  }
  return found
}

/** What a file of a cell says of itself. */
export function madeOf({ sweepId }: Sweep, { cell, jobSha256 }: SweepCell) {
  return { version: 1, sweepId, appVersion: version, cell, jobSha256, host: hostname().slice(0, 255) } as const
}

/** Null for a file that is not there. */
async function readAs<T>(path: string, schema: z.ZodType<T>, refused: typeof badCell): Promise<T | null> {
  let json: unknown
  try {
    const found = await stat(path)
    if (!found.isFile()) throw refused(path, 'no regular file')
    if (found.size > longestBytes) throw refused(path, `a file of ${found.size} bytes`)
    json = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    if (cause instanceof StudioError) throw cause
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw refused(path, cause instanceof SyntaxError ? 'no JSON' : String((cause as Error).message))
  }
  const { version: written } = (json ?? {}) as { version?: unknown }
  if (typeof written === 'number' && written !== 1) throw refused(path, `version ${written}`, 'version 1')
  const read = schema.safeParse(json)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw refused(path, `${issue?.path.join('.') || 'file'}: ${issue?.message ?? 'unknown'}`)
}

/** The error for a file of a cell that is not what was written. */
export function badCell(where: string, found: string, expected = 'a file of this cell'): StudioError {
  return new StudioError({
    code: 'run.bad-cell',
    message: 'A cell of the sweep cannot be used.',
    remedy: 'Take the file away and carry the cell out again, or make the sweep anew.',
    ...{ expected, found, where },
  })
}

/** The error for a folder that is no sweep that this program can carry out. */
export function badSweep(where: string, found: string, expected = 'sweep.json of a sweep'): StudioError {
  return new StudioError({
    code: 'run.bad-sweep',
    message: 'This is not the folder of a sweep that this program can use.',
    remedy: 'Name the folder that the subcommand sweep made, with a program of the same version.',
    ...{ expected, found, where },
  })
}

/**
 * Takes away what a finished cell needs no more: its snapshot, and what other processes left unfinished. Not their results:
 * one that ends at this moment is about to name its own.
 */
export async function tidyCell(folder: string, cell: number): Promise<void> {
  const where = cellFolder(folder, cell)
  const old = [snapshotFile(folder, cell), failureFile(folder, cell)].map((path) => basename(path))
  for (const name of await readdir(where)) {
    if (old.includes(name) || unfinishedName.test(name)) await rm(join(where, name), { force: true })
  }
}
