// `cell`: one cell of a sweep, carried out in a local file, copied into the sweep's folder now and then, and committed there
// as a whole. Before it stand Slurm or worker.ts; after it collect.ts. Killed at any moment, it goes on from its last copy.
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type ErrorRecord, StudioError } from '../../shared/errors.ts'
import type { AlignJob } from '../../shared/job.ts'
import { type CellResult, placeboOf, type Sweep, type SweepCell } from '../../shared/sweep.ts'
import { closeWorkspace, foldLog, openForReading, prepareWorkspace } from '../db/open.ts'
import { lockWorkspace } from '../db/owner.ts'
import { publishCopy, publishText } from '../files/publish.ts'
import { localPlace } from './localPlace.ts'
import { problemOf } from './problems.ts'
import type { Outcome } from './progress.ts'
import {
  badSweep,
  cellFolder,
  cellOf,
  failureFile,
  madeOf,
  readCellJob,
  readResult,
  readSweep,
  resultFile,
  snapshotFile,
  tidyCell,
} from './sweepFolder.ts'
import { version } from './version.ts'
import { align, type Work } from './work.ts'

export interface CellOptions {
  /** Folder to work in; null for what the environment says. */
  readonly scratch: string | null
  /** Between two copies into the sweep's folder. */
  readonly copyEveryMs: number
}

const ends = ['', '-wal', '-shm', '-journal', '.copy', '.unfinished']

/**
 * Carries a cell out, from where it was left; one that is done ends at once.
 * @throws StudioError `run.bad-sweep`, `run.bad-cell`, `run.cell-busy`, `workspace.shared-disk`, and what an alignment throws
 */
export async function carryOutCell(folder: string, number: number, options: CellOptions, work: Work): Promise<Outcome> {
  const sweep = await readSweep(folder)
  const cell = cellOf(sweep, number, folder)
  requireVersion(sweep, folder)
  const done = await readResult(folder, sweep, cell)
  if (done) return outcomeOf(folder, cell, done, 'was done before')
  const job = await readCellJob(folder, cell)
  const place = await localPlace(options.scratch)
  const path = join(place, `${sweep.sweepId}-${number}.fisao`)
  const lock = lockWorkspace(`${path}-cell`)
  if (!lock) throw busy(path)
  try {
    await rm(failureFile(folder, number), { force: true })
    const result = await inLocalFile(folder, { sweep, cell, job, path }, options, work)
    for (const end of ends) rmSync(path + end, { force: true })
    return outcomeOf(folder, cell, result, 'is done')
  } finally {
    lock.release()
  }
}

interface LocalCell {
  readonly sweep: Sweep
  readonly cell: SweepCell
  readonly job: AlignJob
  /** Of the workspace. */
  readonly path: string
}

async function inLocalFile(folder: string, local: LocalCell, options: CellOptions, work: Work): Promise<CellResult> {
  const { sweep, cell, job, path } = local
  const note = (text: string) => work.reporter.note(text)
  await takeUp(snapshotFile(folder, cell.cell), path, note)
  const copies = new Copies(path, folder, cell.cell, options.copyEveryMs, note)
  try {
    const goOn = { ...work, resume: true }
    await align(job, path, goOn, { isBeside: false, onCommit: () => copies.committed() })
    if (cell.placebo) await align(placeboOf(job), path, goOn, { isBeside: true, onCommit: () => copies.committed() })
    await copies.ended()
    return await commit(folder, sweep, cell, path)
  } catch (thrown) {
    const error = problemOf(thrown)
    const isStopped = error.code === 'run.cancelled'
    // Another machine may have ended the same cell, and tidied up under this one's hands.
    const other = isStopped ? null : await readResult(folder, sweep, cell).catch(() => null)
    if (other) return other
    await copies.last()
    if (!isStopped) await tellFailure(folder, sweep, cell, error).catch((also) => note(problemOf(also).message))
    throw thrown
  }
}

async function tellFailure(folder: string, sweep: Sweep, cell: SweepCell, error: ErrorRecord): Promise<void> {
  const failure = { format: 'fisao-cell-failure', ...madeOf(sweep, cell), error }
  await publishText(failureFile(folder, cell.cell), `${JSON.stringify(failure, null, 1)}\n`)
}

/** Puts the last copy of the cell's work in the local place; what cannot be used there is begun anew. */
async function takeUp(snapshot: string, path: string, note: (text: string) => void): Promise<void> {
  if (existsSync(snapshot)) {
    for (const end of ends) rmSync(path + end, { force: true })
    copyFileSync(snapshot, path)
  }
  if (!existsSync(path)) return
  try {
    await prepareWorkspace(path)
  } catch (thrown) {
    if (!(thrown instanceof StudioError) || !/^workspace\.(damaged|foreign|newer)$/.test(thrown.code)) throw thrown
    note(`what was left of an earlier start cannot be used, so the cell begins anew. ${thrown.message}`)
    for (const end of ends) rmSync(path + end, { force: true })
  }
}

/** Copies of a cell's work into the sweep's folder. One that fails costs the way back to it and nothing else. */
class Copies {
  readonly #path: string
  readonly #folder: string
  readonly #cell: number
  readonly #everyMs: number
  readonly #note: (text: string) => void
  #lastMs = performance.now()
  #underWay: Promise<void> | null = null

  constructor(path: string, folder: string, cell: number, everyMs: number, note: (text: string) => void) {
    this.#path = path
    this.#folder = folder
    this.#cell = cell
    this.#everyMs = everyMs
    this.#note = note
  }

  /** Call it after each commit. */
  committed(): void {
    if (this.#underWay || performance.now() - this.#lastMs < this.#everyMs) return
    this.#underWay = this.#copy().finally(() => {
      this.#underWay = null
      this.#lastMs = performance.now()
    })
  }

  /** Waits for a copy that is under way. */
  async ended(): Promise<void> {
    await this.#underWay
  }

  /** Copies what there is, before the process goes. */
  async last(): Promise<void> {
    await this.ended()
    if (existsSync(this.#path)) await this.#copy()
  }

  async #copy(): Promise<void> {
    const copy = `${this.#path}.copy`
    try {
      const db = openForReading(this.#path)
      try {
        // All pages in one turn: a commit between two turns would begin it anew.
        await db.backup(copy, { progress: () => 0x7fffffff })
      } finally {
        closeWorkspace(db)
      }
      const snapshot = snapshotFile(this.#folder, this.#cell)
      await publishCopy(copy, cellFolder(this.#folder, this.#cell), () => basename(snapshot))
    } catch (thrown) {
      this.#note(`the work so far could not be copied to the sweep’s folder: ${problemOf(thrown).message}`)
    } finally {
      rmSync(copy, { force: true })
    }
  }
}

/** The workspace first, under the name of its hash; the result that names it makes it count. */
async function commit(folder: string, sweep: Sweep, cell: SweepCell, path: string): Promise<CellResult> {
  // A connection that only read, such as a copy's, leaves the last steps in the log when it is the last one to close.
  foldLog(path)
  const copied = await publishCopy(path, cellFolder(folder, cell.cell), (hash) => `result-${hash.slice(0, 16)}.fisao`)
  const result: CellResult = { format: 'fisao-cell-result', ...madeOf(sweep, cell), ...copied }
  // Another machine may have ended the same cell meanwhile; its result counts then.
  const other = await readResult(folder, sweep, cell).catch(() => null)
  if (!other) await publishText(resultFile(folder, cell.cell), `${JSON.stringify(result, null, 1)}\n`)
  else if (other.file !== copied.file) await rm(join(cellFolder(folder, cell.cell), copied.file), { force: true })
  await tidyCell(folder, cell.cell)
  return other ?? result
}

function outcomeOf(folder: string, { cell, name }: SweepCell, result: CellResult, what: string): Outcome {
  const out = join(cellFolder(folder, cell), result.file)
  return { kind: 'cell', said: `cell ${cell} (${name}) ${what}; its result is ${out}`, out, result }
}

/** Bytes follow from the program as from everything else. */
function requireVersion({ appVersion }: Sweep, where: string): void {
  if (appVersion !== version) throw badSweep(where, `made by version ${appVersion}`, `version ${version}`)
}

function busy(where: string): StudioError {
  return new StudioError({
    code: 'run.cell-busy',
    message: 'Another process on this machine is at work on this cell.',
    remedy: 'Wait for it to end; its result will lie in the folder of the sweep.',
    where,
  })
}
