// One thing that takes long to open, kept for its next use: a pair of models, an encoder. Uses wait for each other; what
// nobody asked for in a while is released. Used by warmModels.ts and evidence.ts.

interface Releasable {
  release(): Promise<void>
}

/** After so long without a use. */
const idleMs = 5 * 60_000

export class KeptOpen<T extends Releasable> {
  #kept: { readonly key: string; readonly thing: T } | null = null
  /** The use under way, and those that wait for it. */
  #turn: Promise<void> = Promise.resolve()
  #idle: NodeJS.Timeout | null = null

  /**
   * Does `work` with what `open` gives, or with what it gave before under the same key; one use at a time.
   * @throws what `open` and `work` throw
   */
  async use<Result>(key: string, open: () => Promise<T>, work: (thing: T) => Promise<Result>): Promise<Result> {
    return await this.#inTurn(async () => {
      if (this.#kept?.key !== key) {
        await this.#close()
        this.#kept = { key, thing: await open() }
      }
      return await work(this.#kept.thing)
    })
  }

  /** Releases what is open, once the use under way is over. */
  async release(): Promise<void> {
    await this.#inTurn(() => this.#close())
  }

  async #close(): Promise<void> {
    const kept = this.#kept
    this.#kept = null
    await kept?.thing.release()
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#idle) clearTimeout(this.#idle)
    const result = this.#turn.then(work)
    const over = result.then(
      () => undefined,
      () => undefined,
    )
    this.#turn = over
    void over.then(() => {
      if (this.#turn === over && this.#kept) this.#idle = setTimeout(() => void this.release(), idleMs).unref()
    })
    return await result
  }
}
