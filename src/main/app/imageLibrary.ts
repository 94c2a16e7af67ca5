// The images of the open workspace: imports in the library process, addresses of pictures. What the grid asks is catalogue.ts's.
import { dirname, extname, sep } from 'node:path'
import type { ImportView, Result } from '../../shared/contract.ts'
import type { ImageFormat } from '../../shared/domain.ts'
import { type ErrorRecord, StudioError, toErrorRecord } from '../../shared/errors.ts'
import { importOutcome } from '../../shared/importOutcome.ts'
import { shownPath, shownText } from '../../shared/shownText.ts'
import type { ImportCounts, libraryMethods } from '../../shared/workerProtocol.ts'
import { evaluatedPath } from '../db/evaluations.ts'
import { freeBytes } from '../db/freeSpace.ts'
import { areImagesLaid } from '../db/imageLayout.ts'
import { imageFacts, originalOf, thumbnailOf } from '../db/images.ts'
import {
  createImport,
  createImportOf,
  importById,
  importIssues,
  leftOutKinds,
  listImports,
  setImportState,
} from '../db/imports.ts'
import { logger } from '../log.ts'
import type { ImageSource } from '../protocols.ts'
import type { WorkerClient } from '../worker/workerClient.ts'
import type { Current, Workspaces } from './workspaces.ts'

const mediaTypes: Readonly<Record<ImageFormat, string>> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  avif: 'image/avif',
  tiff: 'image/tiff',
  bmp: 'image/bmp',
}

/** Of the images that evaluations read, by what their names end in. */
const outsideTypes: Readonly<Record<string, string>> = {
  ...{ '.jpg': 'image/jpeg', '.jpeg': 'image/jpeg', '.png': 'image/png', '.webp': 'image/webp', '.bmp': 'image/bmp' },
  ...{ '.gif': 'image/gif', '.tif': 'image/tiff', '.tiff': 'image/tiff', '.avif': 'image/avif' },
}

/** An import is given up when its process ended this often without getting any further: a picture may be the reason. */
const mostEndsInARow = 3

interface RunningImport {
  readonly abort: AbortController
  readonly done: Promise<void>
  counts: ImportCounts
}

/** How often a full disk is looked at while an import waits for room. */
const lookForRoomMs = 3_000
/** Room for some batches of thumbnails; with less an import would end again at once. */
const importBytes = 32 * 1024 * 1024

export interface ImageLibraryOptions {
  readonly library: WorkerClient<typeof libraryMethods>
  readonly workspaces: Workspaces
  readonly onImportChanged: (importId: number, live: ImportCounts | null) => void
  /** Called when images came to lie in another way than they were shown. */
  readonly onLaid: () => void
  readonly onError: (error: ReturnType<typeof toErrorRecord>) => void
}

export class ImageLibrary implements ImageSource {
  readonly #options: ImageLibraryOptions
  readonly #running = new Map<number, RunningImport>()
  /** Why imports that were not cancelled ended before their end. */
  readonly #failures = new Map<number, { readonly key: string; readonly error: ErrorRecord }>()
  /** How many files of an import that has ended here the workspace had already. */
  readonly #known = new Map<number, number>()
  #roomTimer: NodeJS.Timeout | null = null
  #laying: Pick<RunningImport, 'abort' | 'done'> | null = null

  constructor(options: ImageLibraryOptions) {
    this.#options = options
  }

  /** Starts to import a folder. */
  importFolder(folder: string): { importId: number; done: Promise<void> } {
    const { path, db } = this.#options.workspaces.require()
    const importId = createImport(db, folder, Date.now())
    return { importId, done: this.#run(path, importId) }
  }

  /** Starts to import files and folders; one alone is as if it had been chosen. */
  importPaths(paths: readonly string[]): { importId: number; done: Promise<void> } {
    const [only] = paths
    if (only !== undefined && paths.length === 1) return this.importFolder(only)
    const { path, db } = this.#options.workspaces.require()
    const importId = createImportOf(db, folderOfAll(paths), paths, Date.now())
    return { importId, done: this.#run(path, importId) }
  }

  /** Goes on with an import that was cancelled or interrupted. */
  resumeImport(importId: number): void {
    const { path, db } = this.#options.workspaces.require()
    if (!importById(db, importId) || this.#running.has(importId)) return
    this.#failures.delete(importId)
    void this.#run(path, importId)
  }

  /** Goes on with the imports that a full disk ended, once there is room again. */
  async #lookForRoom(): Promise<void> {
    const { current } = this.#options.workspaces
    const waiting = [...this.#failures].filter(([, { key, error }]) => key === current?.key && isDiskFull(error))
    if (!current || waiting.length === 0) return
    const free = await freeBytes(current.path)
    if (this.#options.workspaces.current?.key !== current.key) return
    if (free === null || free >= importBytes) for (const [importId] of waiting) this.resumeImport(importId)
    else this.#waitForRoom()
  }

  #waitForRoom(): void {
    if (this.#roomTimer) clearTimeout(this.#roomTimer)
    this.#roomTimer = setTimeout(() => void this.#lookForRoom(), lookForRoomMs)
  }

  /** Goes on with what an end of the app interrupted, or what an earlier version left to do. */
  resumeInterrupted({ path, db }: Current): void {
    if (!areImagesLaid(db)) this.#lay(path)
    for (const { importId, state } of listImports(db)) if (state === 'running') this.resumeImport(importId)
  }

  /** Lays images anew that an earlier version stored as their files lie; stopped, it begins again at the next opening. */
  #lay(path: string): void {
    const { library, onLaid } = this.#options
    const abort = new AbortController()
    const done = library
      .request('layImages', { path }, { signal: abort.signal })
      .then(({ laid }) => {
        if (laid > 0) onLaid()
      })
      .catch((thrown: unknown) => logger.warn(`images were not laid anew: ${String(thrown)}`))
      .finally(() => {
        this.#laying = null
      })
    this.#laying = { abort, done }
  }

  cancelImport(importId: number): void {
    this.#running.get(importId)?.abort.abort()
  }

  /** Stops all imports once they have stored what they had; they go on by themselves at the next opening. */
  async pauseAll(): Promise<void> {
    const running = [...this.#running]
    for (const [, { abort }] of running) abort.abort()
    this.#laying?.abort.abort()
    await Promise.all([...running.map(([, { done }]) => done), this.#laying?.done])
    if (this.#roomTimer) clearTimeout(this.#roomTimer)
    this.#failures.clear()
    this.#known.clear()
    const { db } = this.#options.workspaces.require()
    try {
      for (const [importId] of running) {
        if (importById(db, importId)?.state === 'cancelled') setImportState(db, importId, 'running', Date.now())
      }
    } catch (thrown) {
      // Nothing may keep a workspace from closing; this import then waits to be resumed by hand.
      logger.warn(`an import will not go on by itself: ${String(thrown)}`)
    }
  }

  /** Ends all imports at once, without a word to a file that is no longer there. */
  async abandonAll(): Promise<void> {
    const { library } = this.#options
    const running = [...this.#running.values(), ...(this.#laying ? [this.#laying] : [])]
    for (const { abort } of running) abort.abort()
    this.#failures.clear()
    this.#known.clear()
    if (running.length === 0) return
    library.stop()
    await Promise.all(running.map(({ done }) => done))
    library.start()
  }

  /** Runs an import in the library process; when that process dies on the way, the import goes on in the next. */
  #run(path: string, importId: number): Promise<void> {
    const { library, onImportChanged } = this.#options
    const abort = new AbortController()
    let furthestSeen = -1
    let endsInARow = 0
    const onProgress = (counts: ImportCounts): void => {
      running.counts = counts
      if (counts.seen > furthestSeen) {
        furthestSeen = counts.seen
        endsInARow = 0
      }
      onImportChanged(importId, counts)
    }
    const work = async (): Promise<void> => {
      for (;;) {
        try {
          await library.request('runImport', { path, importId }, { onProgress, signal: abort.signal })
          return
        } catch (thrown) {
          const died = thrown instanceof StudioError && thrown.code === 'workspace.crashed'
          endsInARow++
          if (died && endsInARow < mostEndsInARow && !abort.signal.aborted) continue
          logger.warn(`import ${importId} ended early: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
          if (!abort.signal.aborted) this.#fail(importId, toErrorRecord(thrown))
          return
        }
      }
    }
    const done = work().finally(() => {
      this.#running.delete(importId)
      this.#known.set(importId, running.counts.known)
      onImportChanged(importId, null)
    })
    const counts = { seen: 0, added: 0, known: 0, skipped: 0, found: 0, walking: true }
    const running: RunningImport = { abort, done, counts }
    this.#running.set(importId, running)
    onImportChanged(importId, counts)
    return done
  }

  #fail(importId: number, error: ErrorRecord): void {
    const { workspaces, onError } = this.#options
    const key = workspaces.current?.key
    if (key !== undefined) this.#failures.set(importId, { key, error })
    onError(error)
    if (isDiskFull(error)) this.#waitForRoom()
  }

  imports(): ImportView[] {
    const { shown } = this.#options.workspaces
    if (!shown) return []
    return listImports(shown.db).map((record) => {
      const { importId } = record
      const leftOut = leftOutKinds(shown.db, importId)
      return {
        ...{ ...record, folder: shownPath(record.folder) },
        live: this.#running.get(importId)?.counts ?? null,
        error: this.#failures.get(importId)?.error ?? null,
        leftOut: leftOut.map((kind) => ({ ...kind, example: shownPath(kind.example) })),
        outcome: importOutcome(record, leftOut, this.#known.get(importId) ?? null),
      }
    })
  }

  issues(importId: number, offset: number, limit: number): Result<'images.importIssues'> {
    const { total, issues } = importIssues(this.#options.workspaces.requireShown().db, importId, offset, limit)
    const shown = issues.map((issue) => ({
      ...{ ...issue, path: shownPath(issue.path), message: shownText(issue.message) },
    }))
    return { total, issues: shown }
  }

  get(imageId: number): Result<'images.get'> {
    const image = imageFacts(this.#options.workspaces.requireShown().db, imageId)
    return { image: image ? { ...image, name: shownText(image.name), path: shownPath(image.path) } : null }
  }

  isCurrent(workspaceKey: string): boolean {
    return this.#options.workspaces.shown?.key === workspaceKey
  }

  thumbnail(imageId: number): Buffer | null {
    const { shown } = this.#options.workspaces
    return (shown && thumbnailOf(shown.db, imageId)) ?? null
  }

  /** Path and media type of an image of an evaluation; what its name does not say to be an image is none. */
  evaluated(evaluationId: number, item: number): { path: string; mediaType: string } | null {
    const { shown } = this.#options.workspaces
    const path = shown && evaluatedPath(shown.db, evaluationId, item)
    const mediaType = path && outsideTypes[extname(path).toLowerCase()]
    return path && mediaType ? { path, mediaType } : null
  }

  async forPage(path: string): Promise<Uint8Array | null> {
    return (await this.#options.library.request('pagePicture', { path })).jpeg
  }

  original(imageId: number): { path: string; mediaType: string } | null {
    const { shown } = this.#options.workspaces
    const found = shown && originalOf(shown.db, imageId)
    return found ? { path: found.path, mediaType: mediaTypes[found.format] } : null
  }
}

/** The deepest folder that holds all of the paths. */
function folderOfAll(paths: readonly string[]): string {
  return paths.map(dirname).reduce((common, folder) => {
    let shared = common
    while (shared !== folder && !folder.startsWith(shared.endsWith(sep) ? shared : shared + sep)) {
      const above = dirname(shared)
      if (above === shared) break
      shared = above
    }
    return shared
  })
}

function isDiskFull({ code }: ErrorRecord): boolean {
  return code === 'workspace.disk-full'
}
