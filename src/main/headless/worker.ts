// `work`: takes cells of a sweep one after the other where no Slurm deals them out, each in a process of its own, so that one
// that is killed costs no worker. Before it stand claims.ts and workers.sh, after it cell.ts.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { StudioError } from '../../shared/errors.ts'
import type { Sweep } from '../../shared/sweep.ts'
import { Claims } from '../files/claims.ts'
import type { CellOptions } from './cell.ts'
import type { Outcome } from './progress.ts'
import { cellOf, logFile, readFailure, readResult, readSweep } from './sweepFolder.ts'
import type { Work } from './work.ts'

export interface WorkerOptions extends CellOptions {
  /** After which another worker that shows no change counts as gone. */
  readonly staleMs: number
}

/** So many signs of life within the others' patience. */
const beatsWithin = 6
const longestWaitMs = 5_000
/** A cell whose process ends without a reason so often is left to other workers. */
const mostTries = 3

/** @throws StudioError `run.bad-sweep`, `run.cancelled` */
export async function workOn(folder: string, options: WorkerOptions, { reporter, stopping }: Work): Promise<Outcome> {
  const sweep = await readSweep(folder)
  const claims = new Claims(folder)
  const beat = setInterval(() => claims.beat(), options.staleMs / beatsWithin)
  const tries = new Map<number, number>()
  const [done, failed] = [new Set<number>(), new Set<number>()]
  const { signal } = stopping
  try {
    // Those that failed have another chance with a new worker.
    for (const cell of claims.closed) if (!(await hasResult(folder, sweep, cell))) claims.reopen(cell)
    for (;;) {
      if (signal.aborted) throw cancelled()
      const leftToOthers = new Set([...tries].flatMap(([cell, times]) => (times >= mostTries ? [cell] : [])))
      const cell = claims.take(leftToOthers)
      if (cell === null) {
        if (claims.areOnlyOpen(leftToOthers)) break
        claims.reclaim(options.staleMs)
        await delay(Math.min(longestWaitMs, options.staleMs / beatsWithin), undefined, { signal }).catch(
          () => undefined,
        )
        continue
      }
      reporter.note(`cell ${cell} begins; its log is ${logFile(folder, cell)}`)
      await inOwnProcess(folder, cell, options, signal)
      const end = await endOf(folder, sweep, cell)
      if (end !== 'unknown') {
        claims.close(cell)
        ;(end === 'done' ? done : failed).add(cell)
        reporter.progress({
          done: claims.closed.length,
          total: sweep.cells.length,
          phase: 'working',
          remainingMs: null,
        })
        continue
      }
      claims.giveBack(cell)
      if (!signal.aborted) tries.set(cell, (tries.get(cell) ?? 0) + 1)
    }
  } finally {
    clearInterval(beat)
    claims.leave()
  }
  const lost = failed.size > 0 ? `, ${failed.size} failed (${[...failed].join(', ')})` : ''
  const said = `${done.size} cells done by this worker${lost}; collect says what the sweep came to`
  return { kind: 'work', said, out: folder, result: { done: [...done], failed: [...failed] } }
}

async function hasResult(folder: string, sweep: Sweep, cell: number): Promise<boolean> {
  return (await endOf(folder, sweep, cell)) === 'done'
}

/** What the files of a cell say; those that are not of it are somebody's to look at, and no work for a worker. */
async function endOf(folder: string, sweep: Sweep, number: number): Promise<'done' | 'failed' | 'unknown'> {
  try {
    const cell = cellOf(sweep, number, folder)
    if (await readResult(folder, sweep, cell)) return 'done'
    return (await readFailure(folder, sweep, cell)) ? 'failed' : 'unknown'
  } catch (thrown) {
    if (thrown instanceof StudioError && thrown.code === 'run.bad-cell') return 'failed'
    throw thrown
  }
}

/** The same program, with the subcommand cell; what it says goes to the cell's log. */
async function inOwnProcess(folder: string, cell: number, options: CellOptions, signal: AbortSignal): Promise<void> {
  const log = openSync(logFile(folder, cell), 'a', 0o600)
  let child: ChildProcess
  try {
    const scratch = options.scratch === null ? [] : ['--scratch', options.scratch]
    const args = [
      'cell',
      folder,
      String(cell),
      '--progress',
      'none',
      '--copy-every',
      String(options.copyEveryMs / 1000),
    ]
    // In a group of its own, so that Ctrl-C reaches it once, through this worker.
    child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...args, ...scratch], {
      ...{ stdio: ['ignore', log, log], detached: true },
    })
  } finally {
    closeSync(log)
  }
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  try {
    if (signal.aborted) stop()
    await once(child, 'close')
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function cancelled(): StudioError {
  return new StudioError({
    code: 'run.cancelled',
    message: 'The worker was stopped.',
    remedy: 'Start it again to go on; cells go on where they were.',
  })
}
