// The images of the open workspace: imports in the library process, queries for the grid, addresses of pictures.
import type { ImportView, Result } from '../../shared/contract.ts'
import type { ImageFormat, ImageQuery } from '../../shared/domain.ts'
import { StudioError, toErrorRecord } from '../../shared/errors.ts'
import type { ImportCounts, libraryMethods } from '../../shared/workerProtocol.ts'
import { countImages, imageWindow, originalOf, thumbnailOf } from '../db/images.ts'
import { createImport, importById, importIssues, listImports, setImportState } from '../db/imports.ts'
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
}

/** An import is given up when its process ended this often without getting any further: a picture may be the reason. */
const mostEndsInARow = 3

interface RunningImport {
  readonly abort: AbortController
  readonly done: Promise<void>
  counts: ImportCounts
}

export interface ImageLibraryOptions {
  readonly library: WorkerClient<typeof libraryMethods>
  readonly workspaces: Workspaces
  readonly onImportChanged: (importId: number) => void
  readonly onError: (error: ReturnType<typeof toErrorRecord>) => void
}

export class ImageLibrary implements ImageSource {
  readonly #options: ImageLibraryOptions
  readonly #running = new Map<number, RunningImport>()

  constructor(options: ImageLibraryOptions) {
    this.#options = options
  }

  /** Starts to import a folder. */
  importFolder(folder: string): { importId: number; done: Promise<void> } {
    const { path, db } = this.#options.workspaces.require()
    const importId = createImport(db, folder, Date.now())
    return { importId, done: this.#run(path, importId) }
  }

  /** Goes on with an import that was cancelled or interrupted. */
  resumeImport(importId: number): void {
    const { path, db } = this.#options.workspaces.require()
    if (!importById(db, importId) || this.#running.has(importId)) return
    void this.#run(path, importId)
  }

  /** Goes on with imports that an end of the app interrupted. */
  resumeInterrupted({ db }: Current): void {
    for (const { importId, state } of listImports(db)) if (state === 'running') this.resumeImport(importId)
  }

  cancelImport(importId: number): void {
    this.#running.get(importId)?.abort.abort()
  }

  /** Stops all imports once they have stored what they had; they go on by themselves at the next opening. */
  async pauseAll(): Promise<void> {
    const running = [...this.#running]
    for (const [, { abort }] of running) abort.abort()
    await Promise.all(running.map(([, { done }]) => done))
    const { db } = this.#options.workspaces.require()
    for (const [importId] of running) {
      if (importById(db, importId)?.state === 'cancelled') setImportState(db, importId, 'running', Date.now())
    }
  }

  /** Runs an import in the library process; when that process dies on the way, the import goes on in the next. */
  #run(path: string, importId: number): Promise<void> {
    const { library, onImportChanged, onError } = this.#options
    const abort = new AbortController()
    let furthestSeen = -1
    let endsInARow = 0
    const onProgress = (counts: ImportCounts): void => {
      running.counts = counts
      if (counts.seen > furthestSeen) {
        furthestSeen = counts.seen
        endsInARow = 0
      }
      onImportChanged(importId)
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
          if (!abort.signal.aborted) onError(toErrorRecord(thrown))
          return
        }
      }
    }
    const done = work().finally(() => {
      this.#running.delete(importId)
      onImportChanged(importId)
    })
    const counts = { seen: 0, added: 0, known: 0, skipped: 0, found: 0, walking: true }
    const running: RunningImport = { abort, done, counts }
    this.#running.set(importId, running)
    onImportChanged(importId)
    return done
  }

  imports(): ImportView[] {
    const { current } = this.#options.workspaces
    if (!current) return []
    return listImports(current.db).map((record) => ({
      ...record,
      live: this.#running.get(record.importId)?.counts ?? null,
    }))
  }

  issues(importId: number, offset: number, limit: number): Result<'images.importIssues'> {
    return importIssues(this.#options.workspaces.require().db, importId, offset, limit)
  }

  count(query: ImageQuery): number {
    return countImages(this.#options.workspaces.require().db, query)
  }

  window(query: ImageQuery, offset: number, limit: number): Result<'images.window'> {
    return { images: imageWindow(this.#options.workspaces.require().db, query, offset, limit) }
  }

  isCurrent(workspaceKey: string): boolean {
    return this.#options.workspaces.current?.key === workspaceKey
  }

  thumbnail(imageId: number): Buffer | null {
    const { current } = this.#options.workspaces
    return (current && thumbnailOf(current.db, imageId)) ?? null
  }

  original(imageId: number): { path: string; mediaType: string } | null {
    const { current } = this.#options.workspaces
    const found = current && originalOf(current.db, imageId)
    return found ? { path: found.path, mediaType: mediaTypes[found.format] } : null
  }
}
