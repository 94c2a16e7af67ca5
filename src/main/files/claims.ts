// Who carries out which cell of a sweep, where no Slurm says so, and which shard of a run: a token a cell, which a worker takes
// by renaming it. A rename has one winner on every file system, and no clock is compared: a worker is gone when its heartbeat
// has not changed for a while by the clock of whoever watches. Before it stand headless/worker.ts and engine/pool/folderWorkers.ts; after
// it nothing but files.
//
//   open/7                          cell 7 is free
//   claimed/HOST-PID-RANDOM/7       a worker has it, whose heartbeat is the file `heartbeat` beside it
//   closed/7                        it was carried out, or cannot be
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'

const heartbeatName = 'heartbeat'
/** Where tokens lie, by what became of them. */
export const tokenFolders: readonly string[] = ['open', 'claimed', 'closed']

/** Makes a free token a cell, in the new folder of a sweep; that of a run has none at first. */
export function makeTokens(folder: string, cells: number): void {
  for (const name of tokenFolders) mkdirSync(join(folder, name), { recursive: true })
  for (let cell = 1; cell <= cells; cell++) writeFileSync(join(folder, 'open', String(cell)), '')
}

/** One worker's view of the tokens. */
export class Claims {
  /** Of this worker, in `claimed`. */
  readonly name = `${hostname().slice(0, 60)}-${process.pid}-${randomUUID().slice(0, 8)}`
  readonly #folder: string
  readonly #own: string
  readonly #now: () => number
  /** What each other worker's heartbeat said last, and when that was new here. */
  readonly #seen = new Map<string, { readonly beat: string; readonly sinceMs: number }>()
  #beats = 0

  /** @param now milliseconds of a clock that only goes on */
  constructor(folder: string, now: () => number = () => performance.now()) {
    this.#folder = folder
    this.#own = join(folder, 'claimed', this.name)
    this.#now = now
    mkdirSync(this.#own, { recursive: true })
    this.beat()
  }

  /** Shows that this worker is alive; call it several times within the others' patience. */
  beat(): void {
    const next = join(this.#own, `.${heartbeatName}`)
    try {
      writeFileSync(next, String(++this.#beats))
      renameSync(next, join(this.#own, heartbeatName))
    } catch (thrown) {
      // Taken for gone, and its folder removed: it holds nothing then, and says so at its next claim.
      if (!isMissing(thrown)) throw thrown
    }
  }

  /** Takes a free cell, the first one that is still there; null when there is none but those that are to be left to others. */
  take(others: ReadonlySet<number> = new Set()): number | null {
    mkdirSync(this.#own, { recursive: true })
    for (const cell of cellsIn(join(this.#folder, 'open'))) {
      if (others.has(cell)) continue
      const own = join(this.#own, String(cell))
      // A network file system may move it, lose the answer, and say at the second try that it was not there.
      if (move(this.#open(cell), own) || existsSync(own)) return cell
    }
    return null
  }

  /** Gives a cell back, for somebody else to go on with. */
  giveBack(cell: number): void {
    move(join(this.#own, String(cell)), this.#open(cell))
  }

  /** Cells that nobody has to take any more. */
  get closed(): number[] {
    return cellsIn(join(this.#folder, 'closed'))
  }

  /** Frees a cell that was closed, to be tried again. */
  reopen(cell: number): void {
    move(join(this.#folder, 'closed', String(cell)), this.#open(cell))
  }

  /** Nobody has to take the cell any more. */
  close(cell: number): void {
    move(join(this.#own, String(cell)), join(this.#folder, 'closed', String(cell)))
  }

  /**
   * Frees the cells of workers that gave no sign of life for so long, as seen by calling this again and again.
   * @returns the cells; each is freed by one watcher only
   */
  reclaim(staleMs: number): number[] {
    const freed: number[] = []
    for (const other of namesIn(join(this.#folder, 'claimed'))) {
      if (other === this.name) continue
      if (!this.isSilent(other, staleMs)) continue
      const folder = join(this.#folder, 'claimed', other)
      for (const cell of cellsIn(folder)) if (move(join(folder, String(cell)), this.#open(cell))) freed.push(cell)
      removeEmpty(folder)
      this.#seen.delete(other)
    }
    return freed
  }

  /** Whether a worker has shown no change for so long, as seen by calling this again and again. */
  isSilent(other: string, staleMs: number): boolean {
    const beat = readOr(join(this.#folder, 'claimed', other, heartbeatName), '')
    const before = this.#seen.get(other)
    if (before?.beat === beat) return this.#now() - before.sinceMs >= staleMs
    this.#seen.set(other, { beat, sinceMs: this.#now() })
    return false
  }

  /** How many others there are, gone or not. */
  get others(): number {
    return namesIn(join(this.#folder, 'claimed')).filter((name) => name !== this.name).length
  }

  /** Makes a token that anybody may take. */
  offer(cell: number): void {
    writeFileSync(this.#open(cell), '')
  }

  /** Takes a token away from where it is free, closed or this worker's. */
  withdraw(cell: number): void {
    for (const folder of [join(this.#folder, 'open'), join(this.#folder, 'closed'), this.#own])
      rmSync(join(folder, String(cell)), { force: true })
  }

  /** Whether nothing is left but these cells, which nobody has. */
  areOnlyOpen(cells: ReadonlySet<number>): boolean {
    if (cellsIn(join(this.#folder, 'open')).some((cell) => !cells.has(cell))) return false
    return this.#areNoneClaimed
  }

  get #areNoneClaimed(): boolean {
    return namesIn(join(this.#folder, 'claimed')).every(
      (one) => cellsIn(join(this.#folder, 'claimed', one)).length === 0,
    )
  }

  /** Goes, giving back what it holds. */
  leave(): void {
    for (const cell of cellsIn(this.#own)) this.giveBack(cell)
    removeEmpty(this.#own)
  }

  #open(cell: number): string {
    return join(this.#folder, 'open', String(cell))
  }
}

/** @returns whether this call moved the file; false when it was not there */
function move(from: string, to: string): boolean {
  try {
    renameSync(from, to)
    return true
  } catch (thrown) {
    if (isMissing(thrown)) return false
    throw thrown
  }
}

/** Removes the folder of a worker unless it holds a cell: one that was taken for gone may take another at this moment. */
function removeEmpty(folder: string): void {
  for (const name of [heartbeatName, `.${heartbeatName}`]) rmSync(join(folder, name), { force: true })
  try {
    rmdirSync(folder)
  } catch (thrown) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((thrown as NodeJS.ErrnoException).code ?? '')) throw thrown
  }
}

function cellsIn(folder: string): number[] {
  return namesIn(folder)
    .filter((name) => /^[1-9]\d{0,5}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (thrown) {
    if (isMissing(thrown)) return []
    throw thrown
  }
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (thrown) {
    if (isMissing(thrown)) return fallback
    throw thrown
  }
}

function isMissing(thrown: unknown): boolean {
  return (thrown as NodeJS.ErrnoException).code === 'ENOENT'
}
