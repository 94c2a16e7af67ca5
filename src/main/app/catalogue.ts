// The library's questions and small changes, asked of the catalogue process for the workspace that is shown. Before it
// stands studio.ts, after it library/catalogue.ts.
import type { Params, Result } from '../../shared/contract.ts'
import { StudioError } from '../../shared/errors.ts'
import { shownPath, shownText } from '../../shared/shownText.ts'
import type { catalogueMethods, ParamsOf, ResultOf } from '../../shared/workerProtocol.ts'
import type { WorkerClient } from '../worker/workerClient.ts'
import type { Workspaces } from './workspaces.ts'

type Methods = typeof catalogueMethods
type Method = keyof Methods & string
/** What a method takes beside the workspace. */
type Own<M extends Method> = Omit<ParamsOf<Methods, M>, 'path' | 'key'>

export interface CatalogueOptions {
  readonly client: WorkerClient<Methods>
  readonly workspaces: Workspaces
  /** Called after a change of tags or of what is in the library. */
  readonly onChanged: () => void
}

export class Catalogue {
  readonly #options: CatalogueOptions

  constructor(options: CatalogueOptions) {
    this.#options = options
  }

  /** Asks about the workspace that is shown, also one that is only read; once more when the process ended meanwhile. */
  async ask<M extends Method>(method: M, own: Own<M>): Promise<ResultOf<Methods, M>> {
    const { path, key } = this.#options.workspaces.requireShown()
    const params = { ...own, path, key } as unknown as ParamsOf<Methods, M>
    try {
      return await this.#options.client.request(method, params)
    } catch (thrown) {
      if (hasEnded(thrown) && this.#options.workspaces.shown?.key === key)
        return await this.#options.client.request(method, params)
      throw await this.#reason(thrown, path)
    }
  }

  /** Changes the workspace that this app works on. */
  async #change<M extends Method>(method: M, own: Own<M>): Promise<ResultOf<Methods, M>> {
    const { path, key } = this.#options.workspaces.require()
    const params = { ...own, path, key } as unknown as ParamsOf<Methods, M>
    try {
      const result = await this.#options.client.request(method, params)
      this.#options.onChanged()
      return result
    } catch (thrown) {
      throw await this.#reason(thrown, path)
    }
  }

  /** Where the process ended as the file of its workspace went away, that is the reason. */
  async #reason(thrown: unknown, path: string): Promise<unknown> {
    return (hasEnded(thrown) && (await this.#options.workspaces.lossOf(path))) || thrown
  }

  async window(params: Params<'images.window'>): Promise<Result<'images.window'>> {
    const { images } = await this.ask('window', params)
    return {
      images: images.map((image) => ({ ...image, name: shownText(image.name), path: shownPath(image.path) })),
    }
  }

  tag(params: Params<'images.tag'>): Promise<Result<'images.tag'>> {
    return this.#change('tag', params)
  }

  untag(params: Params<'images.untag'>): Promise<Result<'images.untag'>> {
    return this.#change('untag', params)
  }

  undoTags(params: Params<'images.undoTags'>): Promise<Result<'images.undoTags'>> {
    return this.#change('undoTags', params)
  }

  renameTag(params: Params<'images.renameTag'>): Promise<Result<'images.renameTag'>> {
    return this.#change('renameTag', params)
  }

  remove(params: Params<'images.remove'>): Promise<Result<'images.remove'>> {
    return this.#change('remove', params)
  }

  restore(params: Params<'images.restore'>): Promise<Result<'images.restore'>> {
    return this.#change('restore', params)
  }

  /** Has the process let go of the file. One that is not running holds none. */
  async close(): Promise<void> {
    const { client } = this.#options
    if (client.status.state !== 'ready') return
    // Should it end over this, it has let go too.
    await client.request('close', {}).catch(() => undefined)
  }
}

function hasEnded(thrown: unknown): boolean {
  return thrown instanceof StudioError && thrown.code === 'workspace.crashed'
}
