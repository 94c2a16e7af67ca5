// Watches the file of the open workspace from outside of SQLite, which would go on writing into a file that was deleted,
// replaced or overwritten meanwhile without a word. workspaces.ts is told at once.
import { type FileHandle, open, rm, stat, truncate } from 'node:fs/promises'

/** What happened to the file while it was open, or to the lock beside it. */
export type FileLoss = 'deleted' | 'moved' | 'overwritten' | 'unlocked'

export interface WorkspaceWatchOptions {
  readonly path: string
  readonly isLocked: () => Promise<boolean>
  /** Whether what stands in the file is still this workspace, whole: another program may have written to it by the rules. */
  readonly isSound: () => Promise<boolean>
  /** Called once. */
  readonly onLost: (loss: FileLoss) => void
  /** The log has grown this far that it should be folded into the file; nothing else folds it while the file is watched. */
  readonly onLogLarge: () => Promise<void>
}

const everyMs = 1_000
/** Some commits of a small adapter; more is folded in more rarely, and reading has more to go through. */
const largeLogBytes = 8 * 1024 * 1024

/** The first bytes of the file with SQLite's header, and its length: they change when the log is folded in, and never else. */
interface Face {
  readonly header: string
  readonly size: bigint
  readonly modifiedNs: bigint
}

/** One file, from its opening to its closing. Its handle must be opened before SQLite's and closed after it: closing any
 * handle of a file gives up all locks that the process holds on it (POSIX). */
export class WorkspaceWatch {
  readonly #options: WorkspaceWatchOptions
  readonly #handle: FileHandle
  #face: Face
  /** Of the log, when it was last seen beside the file. */
  #logInode: bigint | null = null
  #timer: NodeJS.Timeout | null = null
  #isOver = false

  private constructor(options: WorkspaceWatchOptions, handle: FileHandle, face: Face) {
    this.#options = options
    this.#handle = handle
    this.#face = face
  }

  static async open(options: WorkspaceWatchOptions): Promise<WorkspaceWatch> {
    const handle = await open(options.path, 'r')
    return new WorkspaceWatch(options, handle, await faceOf(handle))
  }

  /** Begins to look, once the workspace is open. */
  start(): void {
    this.#isOver = false
    void this.#look()
  }

  /** Looks at once, also while it waits for its next look. @returns whether the file is lost; that is told first */
  async lookNow(): Promise<boolean> {
    const loss = await this.#lossOf()
    if (loss === null || this.#isOver) return loss !== null
    this.stop()
    this.#options.onLost(loss)
    return true
  }

  /** Stops to look; the handle stays open. */
  stop(): void {
    this.#isOver = true
    if (this.#timer) clearTimeout(this.#timer)
  }

  /** Call it after SQLite has closed its own. */
  async close(): Promise<void> {
    this.stop()
    await this.#handle.close()
  }

  /**
   * Empties the log of a file that another program has overwritten: folded in, it would ruin what stands there now.
   * Call it before SQLite closes.
   */
  async dropLog(): Promise<void> {
    if (await this.#hasOwnLog()) await truncate(`${this.#options.path}-wal`)
  }

  /** Removes the log that SQLite leaves under the old name of a lost file: it would be played into whatever comes there. */
  async removeLog(): Promise<void> {
    if (await this.#hasOwnLog()) await rm(`${this.#options.path}-wal`, { force: true })
    await rm(`${this.#options.path}-shm`, { force: true })
  }

  async #hasOwnLog(): Promise<boolean> {
    const there = await stat(`${this.#options.path}-wal`, { bigint: true }).catch(() => null)
    return there !== null && there.ino === this.#logInode
  }

  async #look(): Promise<void> {
    try {
      const isLost = await this.lookNow()
      if (isLost || this.#isOver) return
      const log = await stat(`${this.#options.path}-wal`, { bigint: true }).catch(() => null)
      this.#logInode = log?.ino ?? null
      if (log && log.size > largeLogBytes && !this.#isOver) {
        await this.#options.onLogLarge()
        this.#face = await faceOf(this.#handle)
      }
    } catch {
      // A disk that does not answer for now is not a file that is gone; the next look tells.
    }
    if (!this.#isOver) this.#timer = setTimeout(() => void this.#look(), everyMs)
  }

  async #lossOf(): Promise<FileLoss | null> {
    const own = await this.#handle.stat({ bigint: true })
    if (own.nlink === 0n) return 'deleted'
    if (!(await this.#options.isLocked())) return 'unlocked'
    const there = await stat(this.#options.path, { bigint: true }).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR') return null
      throw thrown
    })
    if (there === null || there.ino !== own.ino || there.dev !== own.dev) return 'moved'
    if (own.size === this.#face.size && own.mtimeNs === this.#face.modifiedNs) return null
    const face = await faceOf(this.#handle)
    const isOther = face.size !== this.#face.size || face.header !== this.#face.header
    if (isOther && !(await this.#options.isSound())) return 'overwritten'
    this.#face = face
    return null
  }
}

async function faceOf(handle: FileHandle): Promise<Face> {
  const { size, mtimeNs } = await handle.stat({ bigint: true })
  const header = Buffer.alloc(100)
  await handle.read(header, 0, header.length, 0)
  return { header: header.toString('latin1'), size, modifiedNs: mtimeNs }
}
