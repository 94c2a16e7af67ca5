// The workspace that is open: creating, opening, closing, restoring, and the list of recent ones.
import { randomUUID } from 'node:crypto'
import { basename, extname } from 'node:path'
import type { OpenWorkspace, RecentEntry } from '../../shared/contract.ts'
import { allImages } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import type { libraryMethods } from '../../shared/workerProtocol.ts'
import type { WritableDb } from '../db/connection.ts'
import { countImages } from '../db/images.ts'
import { closeWorkspace, openWorkspace } from '../db/open.ts'
import { endSession, startSession } from '../db/settings.ts'
import { logger } from '../log.ts'
import type { WorkerClient } from '../worker/workerClient.ts'
import { Presence } from './presence.ts'
import type { SettingsFile } from './settingsFile.ts'

const longestRecentList = 12
/** How often a workspace that stays open is looked at; the schedule itself, one a day, is backup.ts's. */
const lookForBackupMs = 3600 * 1000

/** The open workspace with its connection. */
export interface Current {
  readonly path: string
  /** New at each opening; part of its image addresses. */
  readonly key: string
  readonly db: WritableDb
  readonly sessionId: number
  readonly isDemo: boolean
}

export interface WorkspacesOptions {
  readonly library: WorkerClient<typeof libraryMethods>
  readonly settings: SettingsFile
  readonly appVersion: string
  /** Called after a workspace was opened. */
  readonly onOpened: (current: Current) => void
  /** Called before the connection closes, to end what still uses it. */
  readonly onClosing: () => Promise<void>
  readonly onChange: () => void
}

export class Workspaces {
  readonly #options: WorkspacesOptions
  #current: Current | null = null
  #backupTimer: NodeJS.Timeout | null = null
  readonly #presence: Presence

  constructor(options: WorkspacesOptions) {
    this.#options = options
    this.#presence = new Presence({ onChange: options.onChange })
  }

  get current(): Current | null {
    return this.#current
  }

  /** The open workspace. @throws StudioError `workspace.none-open` */
  require(): Current {
    if (this.#current) return this.#current
    throw new StudioError({
      code: 'workspace.none-open',
      message: 'No workspace is open.',
      remedy: 'Create or open one on the Home screen first.',
    })
  }

  /** The open workspace as the renderer shows it. */
  describe(): OpenWorkspace | null {
    if (!this.#current) return null
    const { path, key, db, isDemo } = this.#current
    return { path, key, name: nameOf(path), imageCount: countImages(db, allImages), isDemo }
  }

  /** Makes a new workspace file and opens it; its name gets the ending `.fisao`. */
  async create(path: string, isDemo = false): Promise<OpenWorkspace> {
    const target = extname(path) === '.fisao' ? path : `${path}.fisao`
    return await this.#open(target, { create: true, isDemo })
  }

  async open(path: string, isDemo = false): Promise<OpenWorkspace> {
    return await this.#open(path, { create: false, isDemo })
  }

  async #open(path: string, { create, isDemo }: { create: boolean; isDemo: boolean }): Promise<OpenWorkspace> {
    const { library, appVersion, onOpened } = this.#options
    if (this.#current?.path === path) return this.describe() as OpenWorkspace
    await library.request('prepareWorkspace', { path, create })
    await this.close()
    const db = openWorkspace(path)
    const sessionId = startSession(db, appVersion, Date.now())
    this.#current = { path, key: randomUUID(), db, sessionId, isDemo }
    this.#remember()
    onOpened(this.#current)
    const backUp = (): void => {
      library.request('backupIfDue', { path }).catch((thrown: unknown) => logger.error('no backup was taken', thrown))
    }
    backUp()
    this.#backupTimer = setInterval(backUp, lookForBackupMs)
    return this.describe() as OpenWorkspace
  }

  /** Closes the workspace, if one is open; what it holds is on the disk already. */
  async close(): Promise<void> {
    if (!this.#current) return
    if (this.#backupTimer) clearInterval(this.#backupTimer)
    await this.#options.onClosing()
    const { db, sessionId } = this.#current
    this.#remember()
    endSession(db, sessionId, Date.now())
    this.#current = null
    closeWorkspace(db)
    this.#options.onChange()
  }

  /** Puts a backup in the place of a damaged workspace and opens it. */
  async restore(path: string, backup: string): Promise<{ workspace: OpenWorkspace; keptAs: string }> {
    const { keptAs } = await this.#options.library.request('restoreBackup', { path, backup })
    return { workspace: await this.open(path), keptAs }
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
}

function nameOf(path: string): string {
  return basename(path, extname(path))
}
