// `collect`: the runs of a sweep's finished cells in one workspace, each cell in one transaction and once, and what is missing,
// failed, refused or foreign. Before it stand the cells of any machines, after it the app that opens the workspace.
import { existsSync, rmSync } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { type ErrorRecord, StudioError, toErrorRecord } from '../../shared/errors.ts'
import type { Sweep, SweepCell } from '../../shared/sweep.ts'
import type { WritableDb } from '../db/connection.ts'
import { inWords } from '../db/connection.ts'
import { copyRuns, isCollected } from '../db/copyRun.ts'
import { createWorkspace } from '../db/open.ts'
import { storeSweep, sweepById } from '../db/sweeps.ts'
import { publishCopy } from '../files/publish.ts'
import { isAboutCell, readingCell } from './collectedCell.ts'
import { localPlace, requireLocal } from './localPlace.ts'
import type { Outcome } from './progress.ts'
import { badCell, cellFolder, logFile, readCellJob, readFailure, readResult, readSweep } from './sweepFolder.ts'
import type { Work } from './work.ts'
import { workingOn } from './workspace.ts'

export interface CollectOptions {
  /** A workspace on a disk of this machine; null for `collected.fisao` in the folder, made anew. */
  readonly into: string | null
  readonly scratch: string | null
}

interface Told {
  readonly cell: number
  readonly name: string
}

/** What a sweep came to. */
export interface Collected {
  readonly sweepId: string
  readonly workspace: string
  /** Taken over now, with the numbers of their runs. */
  readonly collected: readonly (Told & { readonly runs: readonly number[] })[]
  /** Taken over before. */
  readonly known: readonly number[]
  /** Not at their end yet. */
  readonly missing: readonly number[]
  readonly failed: readonly (Told & { readonly error: ErrorRecord; readonly log: readonly string[] })[]
  readonly refused: readonly (Told & { readonly error: ErrorRecord })[]
  /** Names in the folder of cells that are none of this sweep. */
  readonly foreign: readonly string[]
}

/** @throws StudioError `run.bad-sweep`, `workspace.shared-disk`, `workspace.in-use`, `run.cancelled`, and of the workspace */
export async function collect(folder: string, options: CollectOptions, work: Work): Promise<Outcome> {
  const sweep = await readSweep(folder)
  const { into } = options
  if (into !== null) await requireLocal(dirname(into))
  const place = await localPlace(options.scratch)
  const path = into ?? join(place, `${sweep.sweepId}-collection.fisao`)
  const ends = ['', '-wal', '-shm', '-lock']
  if (into === null) for (const end of ends) rmSync(path + end, { force: true })
  if (!existsSync(path)) createWorkspace(path)
  const { reporter, stopping } = work
  const collecting: Collecting = {
    isStopped: () => stopping.by !== null,
    report: (done, total) => reporter.progress({ done, total, phase: 'collecting', remainingMs: null }),
  }
  const found = await workingOn(path, (db) => {
    stopping.waitForCommits()
    return collectInto(db, { folder, sweep, place }, collecting)
  })
  const workspace = into ?? join(folder, 'collected.fisao')
  if (into === null) {
    await publishCopy(path, folder, () => 'collected.fisao')
    for (const end of ends) rmSync(path + end, { force: true })
  }
  const result: Collected = { sweepId: sweep.sweepId, workspace, ...found }
  return { kind: 'collect', said: sentencesOf(result).join('\n'), out: workspace, result }
}

interface From {
  readonly folder: string
  readonly sweep: Sweep
  /** A folder of this person's on a disk of this machine. */
  readonly place: string
}

/** How a collection hears of its end and tells how far it is; asked before each cell. */
export interface Collecting {
  readonly isStopped: () => boolean
  readonly report: (done: number, total: number) => void
}

/** What was found in the folder. */
export type Found = Omit<Collected, 'sweepId' | 'workspace'>

/** Takes over what there is into an open workspace. @throws StudioError `run.cancelled`, and what its disk says */
export async function collectInto(
  db: WritableDb,
  { folder, sweep, place }: From,
  { isStopped, report }: Collecting,
): Promise<Found> {
  const collected: Collected['collected'][number][] = []
  const [known, missing]: [number[], number[]] = [[], []]
  const failed: Collected['failed'][number][] = []
  const refused: Collected['refused'][number][] = []
  const foreign = await foreignNames(folder, sweep)
  remember(db, sweep, resolve(folder))
  for (const [i, cell] of sweep.cells.entries()) {
    if (isStopped()) throw stopped()
    report(i, sweep.cells.length)
    const told = { cell: cell.cell, name: cell.name }
    try {
      const end = await collectCell(db, { folder, sweep, place }, cell)
      if (end === 'known') known.push(cell.cell)
      else if (end === 'missing') missing.push(cell.cell)
      else if ('runs' in end) collected.push({ ...told, runs: end.runs })
      else failed.push({ ...told, error: end.error, log: await lastLines(logFile(folder, cell.cell)) })
    } catch (caught) {
      const thrown = inWords(caught, cellFolder(folder, cell.cell))
      if (!isAboutCell(thrown)) throw thrown
      refused.push({
        ...told,
        error: toErrorRecord(thrown instanceof StudioError ? thrown : madeUp(thrown, cellFolder(folder, cell.cell))),
      })
    }
  }
  return { collected, known, missing, failed, refused, foreign }
}

/** So that the app groups its runs, and looks there again. */
function remember(db: WritableDb, { sweepId }: Sweep, folder: string): void {
  if (sweepById(db, sweepId)?.folder === folder) return
  storeSweep(db, { sweepId, name: basename(folder), folder, createdAtMs: Date.now() })
}

type CellEnd = 'known' | 'missing' | { readonly runs: readonly number[] } | { readonly error: ErrorRecord }

async function collectCell(db: WritableDb, { folder, sweep, place }: From, cell: SweepCell): Promise<CellEnd> {
  const origin = { sweepId: sweep.sweepId, cell: cell.cell }
  if (isCollected(db, origin)) return 'known'
  const result = await readResult(folder, sweep, cell)
  if (!result) return (await readFailure(folder, sweep, cell)) ?? 'missing'
  const job = await readCellJob(folder, cell)
  const runs = await readingCell({ folder, sweep, cell, job, result }, place, (source, runIds) =>
    copyRuns(source, runIds, db, origin, Date.now()),
  )
  return runs === null ? 'known' : { runs }
}

/** Whatever lies among the cells and is none of them. */
async function foreignNames(folder: string, { cells }: Sweep): Promise<string[]> {
  const names = await readdir(join(folder, 'cells'))
  return names.filter((name) => !/^[1-9]\d*$/.test(name) || Number(name) > cells.length).sort()
}

const logLines = 5
const logBytes = 4096

async function lastLines(path: string): Promise<string[]> {
  try {
    const file = await open(path)
    try {
      const { size } = await file.stat()
      const buffer = Buffer.alloc(Math.min(size, logBytes))
      await file.read(buffer, 0, buffer.length, size - buffer.length)
      return buffer.toString('utf8').trimEnd().split('\n').slice(-logLines)
    } finally {
      await file.close()
    }
  } catch {
    // A cell that failed before its log began has none.
    return []
  }
}

/** What was found, for a person. */
function sentencesOf({ workspace, collected, known, missing, failed, refused, foreign }: Collected): string[] {
  const before = known.length > 0 ? `, ${known.length} were there before` : ''
  return [
    `${collected.length} cells collected${before}; their runs are in ${workspace}`,
    ...(missing.length > 0 ? [`not at their end: ${missing.join(', ')}`] : []),
    ...failed.flatMap(({ cell, name, error, log }) => [
      `failed: ${cell} (${name}). ${error.message} ${error.remedy}`,
      ...log.map((line) => `    ${line}`),
    ]),
    ...refused.map(({ cell, name, error }) => {
      const { message, expected, found, where } = error
      return `refused: ${cell} (${name}). ${message} ${expected ? `Expected ${expected}, found ${found}. ` : ''}(${where})`
    }),
    ...(foreign.length > 0 ? [`not of this sweep: ${foreign.join(', ')}`] : []),
  ]
}

/** What nobody expected of a file that passed the checks. */
function madeUp(thrown: unknown, where: string): StudioError {
  return badCell(where, thrown instanceof Error ? thrown.message : String(thrown))
}

function stopped(): StudioError {
  return new StudioError({
    code: 'run.cancelled',
    message: 'The collection was stopped; what it took over is kept.',
    remedy: 'Start it again to go on.',
  })
}
