// The files of the workspace's images: which are missing, and a moved folder's new place. The long work is the library
// process's (library/imageFiles.ts); one relink at a time, ended when the workspace closes.
import type { MissingFiles, RelinkReport } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import { shownPath } from '../../shared/shownText.ts'
import type { libraryMethods } from '../../shared/workerProtocol.ts'
import type { WorkerClient } from '../worker/workerClient.ts'
import type { Workspaces } from './workspaces.ts'

/** As long as a person looks at a page that says "Looking". */
const longestLookMs = 10_000

export interface ImageFilesOptions {
  readonly library: WorkerClient<typeof libraryMethods>
  readonly workspaces: Workspaces
  readonly onChanged: () => void
  readonly onProgress: (progress: { done: number; total: number }) => void
}

export class ImageFiles {
  readonly #options: ImageFilesOptions
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

  /** Ends the relink that is under way, without a change. */
  async cancel(): Promise<void> {
    this.#relink?.abort.abort()
    await this.#relink?.done
  }
}

function oneAtATime(): StudioError {
  return new StudioError({
    code: 'image.relink-running',
    message: 'Another folder is being looked for already.',
    remedy: 'Wait until that has ended, or cancel it.',
  })
}
