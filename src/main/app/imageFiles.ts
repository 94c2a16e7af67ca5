// The long work on the workspace's images: which files are missing, a moved folder's new place, and deleting for good what was
// removed. It is the library process's (library/imageFiles.ts, db/removals.ts); what is under way ends when the workspace closes.
import type { Deletion, MissingFiles, RelinkReport } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import { shownPath } from '../../shared/shownText.ts'
import type { libraryMethods } from '../../shared/workerProtocol.ts'
import type { WorkerClient } from '../worker/workerClient.ts'
import type { Activities } from './activities.ts'
import type { Workspaces } from './workspaces.ts'

/** As long as a person looks at a page that says "Looking". */
const longestLookMs = 10_000

export interface ImageFilesOptions {
  readonly library: WorkerClient<typeof libraryMethods>
  readonly workspaces: Workspaces
  readonly activities: Pick<Activities, 'during'>
  readonly onChanged: () => void
  readonly onProgress: (progress: { done: number; total: number }) => void
}

export class ImageFiles {
  readonly #options: ImageFilesOptions
  readonly #deletions = new Map<AbortController, Promise<unknown>>()
  #relink: { readonly abort: AbortController; readonly done: Promise<unknown> } | null = null

  constructor(options: ImageFilesOptions) {
    this.#options = options
  }

  async missing(): Promise<MissingFiles> {
    const { library, workspaces } = this.#options
    const { path } = workspaces.requireShown()
    const found = await library.request('findMissingFiles', { path, limitMs: longestLookMs })
    return { ...found, folders: found.folders.map((one) => ({ ...one, folder: shownPath(one.folder) })) }
  }

  /** @throws StudioError `image.relink-running`, and what relinkFolder throws */
  async relink(from: string, to: string): Promise<RelinkReport> {
    const { library, workspaces, onChanged, onProgress } = this.#options
    const { path } = workspaces.require()
    if (this.#relink) throw oneAtATime()
    const abort = new AbortController()
    const work = library.request('relinkFolder', { path, from, to }, { onProgress, signal: abort.signal })
    this.#relink = { abort, done: work.catch(() => undefined) }
    try {
      const report = await work
      onChanged()
      return { ...report, examples: report.examples.map((one) => ({ ...one, path: shownPath(one.path) })) }
    } finally {
      this.#relink = null
    }
  }

  /** Deletes a removal for good, after a backup: it cannot be undone. @returns images that are gone, fewer after a cancel */
  async delete(removalId: number, { images: total }: Deletion): Promise<number> {
    const { library, workspaces, activities, onChanged } = this.#options
    const { path, key } = workspaces.require()
    await workspaces.backUp(path)
    if (workspaces.current?.key !== key) return 0
    const abort = new AbortController()
    const title = total === 1 ? 'A removed image' : `${total.toLocaleString('en')} removed images`
    const work = activities.during({ kind: 'delete', title, cancel: () => abort.abort() }, async (entry) => {
      const onProgress = ({ done }: { done: number }): void => entry.progress(total === 0 ? null : done / total)
      return await library.request('deleteRemoval', { path, removalId }, { onProgress, signal: abort.signal })
    })
    const done = work.catch(() => undefined)
    this.#deletions.set(abort, done)
    try {
      return (await work).images
    } finally {
      this.#deletions.delete(abort)
      onChanged()
    }
  }

  /** Ends the relink that is under way, without a change. */
  async cancelRelink(): Promise<void> {
    this.#relink?.abort.abort()
    await this.#relink?.done
  }

  /** Ends all that is under way; images that are deleted stay so. */
  async cancel(): Promise<void> {
    for (const abort of this.#deletions.keys()) abort.abort()
    await Promise.all([this.cancelRelink(), ...this.#deletions.values()])
  }
}

function oneAtATime(): StudioError {
  return new StudioError({
    code: 'image.relink-running',
    message: 'Another folder is being looked for already.',
    remedy: 'Wait until that has ended, or cancel it.',
  })
}
