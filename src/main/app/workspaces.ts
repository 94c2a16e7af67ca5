// The workspace that is open: creating, opening, closing, restoring, and the list of recent ones. One app at a time works
// on a workspace; a second one may open it for reading.
import { randomUUID } from 'node:crypto'
import { basename, extname } from 'node:path'
import type { OpenWorkspace, RecentEntry, Result } from '../../shared/contract.ts'
import { allImages } from '../../shared/domain.ts'
import { StudioError, toErrorRecord } from '../../shared/errors.ts'
import type { libraryMethods } from '../../shared/workerProtocol.ts'
import { takeBackup } from '../db/backup.ts'
import { inWords, type ReadableDb, type WritableDb } from '../db/connection.ts'
import { countImages } from '../db/images.ts'
import { checkPlace, closeWorkspace, openForReading, openWorkspace } from '../db/open.ts'
import { inUse, lockWorkspace, takenOver, type WorkspaceLock } from '../db/owner.ts'
import { logger } from '../log.ts'
import type { WorkerClient } from '../worker/workerClient.ts'
import type { Activities } from './activities.ts'
import { Presence } from './presence.ts'
import type { SettingsFile } from './settingsFile.ts'
import { lossError, noneOpen, readingOnly } from './workspaceErrors.ts'
import { noteClosing, noteOpening, trueFile, trueFolder } from './workspaceOpening.ts'
import { type FileLoss, WorkspaceWatch } from './workspaceWatch.ts'

const longestRecentList = 12
/** How often a workspace that stays open is looked at; the schedule itself, one a day, is backup.ts's. */
const lookForBackupMs = 3600 * 1000

/** What SQLite says of a file that is not what it was. */
const unsound: readonly string[] = ['workspace.damaged', 'workspace.foreign', 'workspace.disk-error']

/** The open workspace with its connection. */
export interface Current {
  readonly path: string
  /** New at each opening; part of its image addresses. */
  readonly key: string
  readonly db: WritableDb
  readonly isDemo: boolean
  /** Of this app's ownership, for the processes that write on its behalf; null when it could not be written down. */
  readonly ownerToken: string | null
}

/** The workspace that is shown, to work on or to read. */
export type Shown = Pick<Current, 'path' | 'key'> & { readonly db: ReadableDb }

/** What belongs to the opening beside the connection. */
interface Opening {
  readonly sessionId: number | null
  readonly lock: WorkspaceLock
  readonly watch: WorkspaceWatch
  readonly backupTimer: NodeJS.Timeout
}

/** A workspace that another app works on. */
interface Reading {
  readonly path: string
  readonly key: string
  readonly db: ReadableDb
  /** Who works on it, as a sentence. */
  readonly because: string
}

export interface WorkspacesOptions {
  readonly library: WorkerClient<typeof libraryMethods>
  readonly settings: SettingsFile
  readonly appVersion: string
  /** Called after a workspace was opened to work on it. */
  readonly onOpened: (current: Current) => void
  /** Called before the connection closes, to end what still uses it. */
  readonly onClosing: () => Promise<void>
  /** Called when its file was lost: what still uses it is to end at once. */
  readonly onLost: () => Promise<void>
  /** Called before main's own connection closes, which must be the last: other processes are to let go of the file. */
  readonly onLettingGo: () => Promise<void>
  /** Something that the person has not asked for and should know. */
  readonly onError: (error: StudioError) => void
  readonly onChange: () => void
  /** Where long work is told. */
  readonly activities: Pick<Activities, 'during'>
}

export class Workspaces {
  readonly #options: WorkspacesOptions
  #current: (Current & Opening) | null = null
  #reading: Reading | null = null
  #isPreparing = false
  /** Openings and closings follow one another. */
  #turn: Promise<unknown> = Promise.resolve()
  /** What a person was told when the last file was lost, until one is opened again: what that meets is its own. */
  #lastLoss: StudioError | null = null
  readonly #presence: Presence

  constructor(options: WorkspacesOptions) {
    this.#options = options
    this.#presence = new Presence({ onChange: options.onChange })
  }

  /** The workspace that this app works on. */
  get current(): Current | null {
    return this.#current
  }

  /** The workspace that is shown, to work on or to read. */
  get shown(): Shown | null {
    return this.#current ?? this.#reading
  }

  /** Whether a file is being checked, backed up or migrated, before the workspace in it is open. */
  get isPreparing(): boolean {
    return this.#isPreparing
  }

  /** The workspace that this app works on. @throws StudioError `workspace.none-open`, `workspace.reading-only` */
  require(): Current {
    if (this.#current) return this.#current
    throw this.#reading ? readingOnly(this.#reading) : noneOpen()
  }

  /** The workspace that is shown, when it is only read from. @throws StudioError `workspace.none-open` */
  requireShown(): Shown {
    const shown = this.shown
    if (shown) return shown
    throw noneOpen()
  }

  /** The open workspace as the renderer shows it. */
  describe(): OpenWorkspace | null {
    const shown = this.shown
    if (!shown) return null
    const { path, key, db } = shown
    const imageCount = countImages(db, allImages)
    const isDemo = this.#current?.isDemo ?? false
    return { path, key, name: nameOf(path), imageCount, isDemo, readOnlyBecause: this.#reading?.because ?? null }
  }

  /**
   * Makes a new workspace file and opens it; its name gets the ending `.fisao`.
   * @throws StudioError `workspace.no-folder`, `.name-too-long`, and what making it throws
   */
  async create(path: string, isDemo = false): Promise<OpenWorkspace> {
    const target = extname(path) === '.fisao' ? path : `${path}.fisao`
    return await this.#inTurn(async () => {
      const place = await trueFolder(target)
      checkPlace(place)
      return await this.#open(place, { create: true, isDemo })
    })
  }

  /** Opens a workspace to work on it. @throws StudioError `workspace.in-use`, and what preparing it throws */
  async open(path: string, isDemo = false): Promise<OpenWorkspace> {
    return await this.#inTurn(async () => this.#open(await trueFile(path), { create: false, isDemo }))
  }

  /** Opens a workspace that another app works on, to look at it; once that app is gone, to work on it. */
  async openForReading(named: string): Promise<OpenWorkspace> {
    return await this.#inTurn(async () => {
      const path = await trueFile(named)
      this.#lastLoss = null
      const lock = lockWorkspace(path)
      if (lock) {
        lock.release()
        return await this.#open(path, { create: false, isDemo: false })
      }
      const because = inUse(path).message
      const db = openForReading(path)
      await this.#close()
      this.#reading = { path, key: randomUUID(), db, because }
      this.#options.onChange()
      return this.describe() as OpenWorkspace
    })
  }

  async #open(path: string, { create, isDemo }: { create: boolean; isDemo: boolean }): Promise<OpenWorkspace> {
    const { library, appVersion, onOpened } = this.#options
    if (this.#current?.path === path) return this.describe() as OpenWorkspace
    this.#lastLoss = null
    const lock = lockWorkspace(path)
    if (!lock) throw inUse(path)
    let watch: WorkspaceWatch | undefined
    let db: WritableDb | undefined
    try {
      this.#isPreparing = true
      await library.request('prepareWorkspace', { path, create }).finally(() => {
        this.#isPreparing = false
      })
      await this.#close()
      const key = randomUUID()
      watch = await WorkspaceWatch.open({
        path,
        isSound: () => this.#isSound(path),
        isLocked: () => this.#current?.lock.isValid() ?? Promise.resolve(true),
        onLost: (loss) => void this.#inTurn(() => this.#lose(key, loss)),
        onLogLarge: () => this.#foldLog(path),
      })
      db = openWorkspace(path, { foldsLog: false })
      const { sessionId, ownerToken } = noteOpening(db, appVersion)
      const backUp = (): void => void this.backUp(path, 'backupIfDue')
      const backupTimer = setInterval(backUp, lookForBackupMs)
      this.#current = { path, key, db, isDemo, ownerToken, sessionId, lock, watch, backupTimer }
      watch.start()
      backUp()
    } catch (thrown) {
      db?.close()
      await watch?.close()
      lock.release()
      throw thrown
    }
    this.#remember()
    onOpened(this.#current)
    return this.describe() as OpenWorkspace
  }

  /** Takes a backup of a workspace that is open, unless the last one holds all of it; a person is told when it fails. */
  async backUp(path: string, method: 'takeBackup' | 'backupIfDue' = 'takeBackup'): Promise<void> {
    try {
      const { library, activities } = this.#options
      const work = { kind: 'backup' as const, title: `Backup of ${nameOf(path)}` }
      await activities.during(work, () => library.request(method, { path }))
    } catch (thrown) {
      const record = toErrorRecord(thrown)
      logger.error('no backup was taken', thrown)
      // One that ended with its process is taken at the next occasion.
      if (['workspace.crashed', 'workspace.stopped', 'workspace.failed'].includes(record.code)) return
      if (this.#current?.path !== path) return
      this.#options.onError(new StudioError({ ...record, message: `No backup could be taken. ${record.message}` }))
    }
  }

  /** @throws StudioError when it cannot be told now */
  async #isSound(path: string): Promise<boolean> {
    try {
      await this.#options.library.request('checkWorkspace', { path })
      return true
    } catch (thrown) {
      const { code } = toErrorRecord(thrown)
      if (['workspace.damaged', 'workspace.foreign', 'workspace.newer'].includes(code)) return false
      throw thrown
    }
  }

  async #foldLog(path: string): Promise<void> {
    try {
      await this.#options.library.request('foldLog', { path })
    } catch (thrown) {
      // It grows until the next look; a full disk is told by what cannot be stored.
      logger.warn(`the log was not folded in: ${String(thrown)}`)
    }
  }

  /** Closes the workspace, if one is open; what it holds is on the disk already. */
  async close(): Promise<void> {
    await this.#inTurn(() => this.#close())
  }

  async #close(): Promise<void> {
    if (this.#reading) {
      const { db } = this.#reading
      this.#reading = null
      await this.#options.onLettingGo()
      closeWorkspace(db)
      this.#options.onChange()
    }
    if (!this.#current) return
    clearInterval(this.#current.backupTimer)
    await this.#options.onClosing()
    const { db, sessionId, watch } = this.#current
    watch.stop()
    this.#remember()
    noteClosing(db, sessionId)
    await this.#letGo()
  }

  /** Closes the connection and what belongs to it, in the order that {@link WorkspaceWatch} asks for. */
  async #letGo(): Promise<void> {
    if (!this.#current) return
    const { db, watch, lock, backupTimer } = this.#current
    clearInterval(backupTimer)
    this.#current = null
    await this.#options.onLettingGo()
    closeWorkspace(db)
    await watch.close()
    lock.release()
    this.#options.onChange()
  }

  /** Its file went away under it: everything that works on it ends, what was committed is kept, and the person is told. */
  async #lose(key: string, loss: FileLoss): Promise<void> {
    const lost = this.#current
    if (lost?.key !== key) return
    const { path, db, watch } = lost
    logger.warn(`the file of the workspace was ${loss}: ${path}`)
    if (loss === 'unlocked' && this.#lockAgain(lost)) return
    await this.#options.onLost()
    let keptAs: string | null = null
    try {
      if (loss === 'overwritten') await watch.dropLog()
      // SQLite itself folds nothing into a file that has another name now.
      else if (loss === 'moved') db.pragma('wal_checkpoint(TRUNCATE)')
      // The connection still holds all of it: the disk gives its space back only when it closes.
      else if (loss === 'deleted') keptAs = await takeBackup(db, path)
    } catch (thrown) {
      logger.error('not all of the lost workspace could be saved', thrown)
    }
    await this.#letGo()
    if (loss !== 'unlocked') await watch.removeLog()
    this.#lastLoss = loss === 'unlocked' ? takenOver(path) : lossError(path, loss, keptAs)
    this.#options.onError(this.#lastLoss)
  }

  /**
   * What a page is answered for what a request threw. What SQLite finds wrong with a file that another program has just
   * deleted, moved or overwritten is no damage: the page is told what the person is told.
   */
  async explain(thrown: unknown): Promise<unknown> {
    const path = this.shown?.path
    const error = inWords(thrown, path ?? this.#lastLoss?.where ?? '')
    if (!(error instanceof StudioError) || !unsound.includes(error.code)) return error
    const current = this.#current
    if (current && current.path === error.where) await current.watch.lookNow().catch(() => false)
    return (await this.lossOf(error.where ?? '')) ?? error
  }

  /** What the person is told of a workspace that went away under the app; undefined while it is open, or closed by them. */
  async lossOf(path: string): Promise<StudioError | undefined> {
    await this.#turn
    return this.#lastLoss?.where === path && this.#current?.path !== path ? this.#lastLoss : undefined
  }

  /** Somebody removed the file of the lock. @returns whether nobody has claimed the workspace since */
  #lockAgain(lost: Current & Opening): boolean {
    const lock = lockWorkspace(lost.path)
    if (!lock) return false
    lost.lock.release()
    this.#current = { ...lost, lock }
    lost.watch.start()
    return true
  }

  /** Puts a backup in the place of a damaged workspace and opens it. */
  async restore(path: string, backup: string): Promise<{ workspace: OpenWorkspace; keptAs: string }> {
    return await this.#replace(path, () => this.#options.library.request('restoreBackup', { path, backup }))
  }

  /** Puts what can be read of a damaged workspace in its place and opens it. */
  async salvage(path: string): Promise<NonNullable<Result<'workspace.salvage'>>> {
    return await this.#replace(path, () => this.#options.library.request('salvageWorkspace', { path }))
  }

  /** Puts another file in the place of a workspace that nobody has open, and opens it. */
  async #replace<T extends object>(path: string, work: () => Promise<T>): Promise<T & { workspace: OpenWorkspace }> {
    return await this.#inTurn(async () => {
      if (this.#current?.path === path) await this.#close()
      const lock = lockWorkspace(path)
      if (!lock) throw inUse(path)
      const done = await work().finally(() => lock.release())
      return { ...done, workspace: await this.#open(path, { create: false, isDemo: false }) }
    })
  }

  /** Recent workspaces, last opened first; those whose file is gone are marked. */
  recent(): RecentEntry[] {
    const { recentWorkspaces } = this.#options.settings.get()
    const open = this.describe()
    this.#presence.look(recentWorkspaces.map(({ path }) => path))
    return recentWorkspaces.map((entry) => ({
      ...entry,
      ...(entry.path === open?.path && { imageCount: open.imageCount }),
      missing: this.#presence.isMissing(entry.path),
    }))
  }

  forget(path: string): void {
    const { settings, onChange } = this.#options
    settings.update({ recentWorkspaces: settings.get().recentWorkspaces.filter((entry) => entry.path !== path) })
    onChange()
  }

  /** Puts the open workspace at the head of the recent ones. The demo has its own button and is not listed. */
  #remember(): void {
    const { settings, onChange } = this.#options
    const open = this.describe()
    if (open && !open.isDemo) {
      const { path, name, imageCount } = open
      const others = settings.get().recentWorkspaces.filter((entry) => entry.path !== path)
      const entry = { path, name, imageCount, openedAtMs: Date.now() }
      settings.update({ recentWorkspaces: [entry, ...others].slice(0, longestRecentList) })
    }
    onChange()
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }
}

function nameOf(path: string): string {
  return basename(path, extname(path))
}
