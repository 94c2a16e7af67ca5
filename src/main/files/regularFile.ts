// Files of a person's that main, the library and the engine read: regular ones only, and not for longer than a person waits. A pipe,
// or a drive that is gone, would hold one of the four threads that all file work of a process shares.
import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'

/** What cannot be read as a file: a folder, a pipe, a socket, a device. */
export class NotAFile extends Error {
  readonly code = 'NOT-A-FILE'
}

/** A disk that does not answer. */
export class NoAnswer extends Error {
  readonly code = 'NO-ANSWER'
}

/**
 * Opens a regular file for reading; the caller closes it.
 * @throws NotAFile; NoAnswer after `limitMs`; the system's error
 */
export async function openRegularFile(path: string, limitMs: number): Promise<{ file: FileHandle; stats: Stats }> {
  return await withinMs(limitMs, openIt(path), ({ file }) => void file.close())
}

async function openIt(path: string): Promise<{ file: FileHandle; stats: Stats }> {
  // Asked first, because opening some devices does something to them.
  if (!(await stat(path)).isFile()) throw new NotAFile(`${path} is not a regular file`)
  // Should a pipe have taken its place since, this does not wait for somebody to write into it.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new NotAFile(`${path} is not a regular file`)
    return { file, stats }
  } catch (thrown) {
    await file.close()
    throw thrown
  }
}

/** A drive that has to wake up first answers within this; one that is gone never does. */
const longestAnswerMs = 30_000
/** The largest file over a slow network. */
const longestReadMs = 10 * 60_000

/**
 * All of a regular file.
 * @param refuse throws when the file is not wanted at this size
 * @throws NotAFile; NoAnswer; what `refuse` throws; the system's error
 */
export async function readRegularFile(
  path: string,
  refuse: (sizeBytes: number) => void,
): Promise<{ bytes: Buffer; stats: Stats }> {
  const { file, stats } = await openRegularFile(path, longestAnswerMs)
  try {
    refuse(stats.size)
    return { bytes: await withinMs(longestReadMs, readExactly(file, stats.size)), stats }
  } finally {
    // Not waited for: on a drive that is gone it may never come back.
    file.close().catch(() => undefined)
  }
}

/** So many bytes and no more: a file that grows while it is read has no end. */
async function readExactly(file: FileHandle, sizeBytes: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(sizeBytes)
  let done = 0
  while (done < sizeBytes) {
    const { bytesRead } = await file.read(bytes, done, sizeBytes - done, done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}

/**
 * What the work comes to, if that is soon enough. The work itself cannot be called back: `tooLate` gets what it came to
 * after all. @throws NoAnswer
 */
export async function withinMs<T>(
  limitMs: number,
  work: Promise<T>,
  tooLate: (late: T) => void = () => {},
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  let isLate = false
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      isLate = true
      reject(new NoAnswer(`no answer within ${limitMs / 1000} s`))
    }, limitMs)
  })
  work.then((value) => isLate && tooLate(value)).catch(() => undefined)
  return await Promise.race([work, limit]).finally(() => clearTimeout(timer))
}

/** Lets so many pieces of work in at a time; what a dead drive holds up, it holds up for these alone. */
export class Gate {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(places: number) {
    this.#free = places
  }

  /** Waits for a place. @returns gives it back, once @throws NoAnswer */
  async enter(limitMs: number): Promise<() => void> {
    const entered = new Promise<void>((resolve) => {
      if (this.#free > 0) {
        this.#free--
        resolve()
      } else this.#waiting.push(resolve)
    })
    await withinMs(limitMs, entered, () => this.#leave())
    let hasLeft = false
    return () => {
      if (!hasLeft) this.#leave()
      hasLeft = true
    }
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}
