// The rows of the grid, fetched in pages as they come into view; a few hundred pages are kept.
import type { ImageQuery, ImageRow } from '../../../../shared/domain.ts'
import { request } from '../../api.ts'

export const pageSize = 120
const mostPages = 200

/** Rows of one query by their place in its order. Listeners are told when a page has arrived. */
export class ImageWindows {
  readonly query: ImageQuery
  readonly #pages = new Map<number, readonly ImageRow[] | 'loading'>()
  readonly #listeners = new Set<() => void>()
  readonly #onError: (thrown: unknown) => void
  #version = 0

  constructor(query: ImageQuery, onError: (thrown: unknown) => void) {
    this.query = query
    this.#onError = onError
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Grows with each page that arrives. */
  readonly version = (): number => this.#version

  /** The row at this place, or undefined while its page is not here. */
  row(index: number): ImageRow | undefined {
    const page = this.#pages.get(Math.floor(index / pageSize))
    return page === undefined || page === 'loading' ? undefined : page[index % pageSize]
  }

  /** Fetches the pages that hold rows [start, end). */
  load(start: number, end: number): void {
    for (let page = Math.floor(start / pageSize); page * pageSize < end; page++) {
      if (!this.#pages.has(page)) void this.#fetch(page)
    }
  }

  async #fetch(page: number): Promise<void> {
    this.#pages.set(page, 'loading')
    try {
      const { images } = await request('images.window', { query: this.query, offset: page * pageSize, limit: pageSize })
      this.#pages.delete(page)
      this.#pages.set(page, images)
      this.#forgetOldest()
      this.#version++
      for (const listener of this.#listeners) listener()
    } catch (thrown) {
      this.#pages.delete(page)
      this.#onError(thrown)
    }
  }

  #forgetOldest(): void {
    for (const page of this.#pages.keys()) {
      if (this.#pages.size <= mostPages) return
      this.#pages.delete(page)
    }
  }
}
