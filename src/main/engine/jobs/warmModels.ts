// The models that answered last, kept open for the next question, since opening them takes longer than an answer: one pair
// of them at most. Before it stands a job, after it run/describe.ts. A run that starts has them released first.
import type { DescribeJob } from '../../../shared/job.ts'
import { newPolicy, type Policy } from '../align/policy.ts'
import { ResponseScores } from '../align/responseScores.ts'
import type { ModelFolders, ModelsIdentity } from '../folder/modelIdentity.ts'
import { openTogether, releaseAll } from '../graph/resources.ts'
import { Rng } from '../rng.ts'
import type { DescribingModels } from '../run/describe.ts'
import { AlignmentModels } from '../run/models.ts'
import type { EmbeddingStore } from '../run/verifier.ts'
import { foldersOf, openPolicy, requireLexicon, requireModels } from './jobInputs.ts'
import type { DescribeJobStore } from './jobStore.ts'

/** Models that nobody asked for so long are released. */
const idleMs = 5 * 60_000

interface Opened extends DescribingModels {
  /** All that the sessions and what reads their outputs depend on. */
  readonly key: string
  readonly embeddings: LentEmbeddings
}

export class WarmModels {
  #opened: Opened | null = null
  #identity: { readonly folders: ModelFolders; readonly identity: ModelsIdentity } | null = null
  /** The use under way, and those that wait for it. */
  #turn: Promise<unknown> = Promise.resolve()
  #idle: NodeJS.Timeout | null = null

  /** Models as they were identified last in these folders; null when it was others. */
  identityOf({ model, companion }: ModelFolders): ModelsIdentity | null {
    const known = this.#identity
    return known?.folders.model === model && known.folders.companion === companion ? known.identity : null
  }

  /**
   * Does `work` with the models and the policy of a job; one at a time.
   * @throws StudioError `run.model-changed`, `run.lexicon`, `run.input-changed`, `run.no-weights`, and what opening models
   *   and `work` throw
   */
  async use<T>(
    job: DescribeJob,
    store: DescribeJobStore,
    signal: AbortSignal | undefined,
    work: (models: DescribingModels, policy: Policy) => Promise<T>,
  ): Promise<T> {
    return await this.#inTurn(async () => {
      const identity = await requireModels(job, store, signal)
      this.#identity = { folders: foldersOf(job), identity }
      const opened = await this.#open(job, signal)
      opened.embeddings.lend(store.embeddings(identity))
      try {
        return await work(opened, await openPolicy(job.policy, job.config, opened.models.source, store))
      } finally {
        opened.embeddings.takeBack()
      }
    })
  }

  /** Releases what is open, once the use under way is over. */
  async release(): Promise<void> {
    await this.#inTurn(() => this.#close())
  }

  async #open(job: DescribeJob, signal: AbortSignal | undefined): Promise<Opened> {
    const { config, device, threads } = job
    const { rollout, reward, adapter, optimiser } = config
    const key = JSON.stringify([
      ...[job.models, job.lexicon, device, threads, adapter.rank, optimiser.valueWidth],
      ...[reward.promptTemplate, reward.otherNouns, rollout.batchSize, rollout.maxNewTokens],
    ])
    if (this.#opened?.key === key) return this.#opened
    await this.#close()
    const lexicon = await requireLexicon(job.lexicon, signal)
    const embeddings = new LentEmbeddings()
    const session = { device, ...(threads !== null && { threads }) }
    const opened = await openTogether(async (keep): Promise<Opened> => {
      const models = await keep(AlignmentModels.open(foldersOf(job), { ...session, config, lexicon, embeddings }))
      // The reference is the model with its adapter switched off, whatever is in the adapter.
      const anyPolicy = newPolicy(models.source, config, new Rng({ seed: 0 }))
      const scoring = { ...session, temperature: 1, amongKept: false, microBatchSize: optimiser.microBatchSize }
      const scores = await keep(ResponseScores.open(models.source, anyPolicy, scoring))
      return { key, models, scores, embeddings }
    })
    this.#opened = opened
    return opened
  }

  async #close(): Promise<void> {
    const opened = this.#opened
    this.#opened = null
    if (opened) await releaseAll([opened.models, opened.scores])
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#idle) clearTimeout(this.#idle)
    const before = this.#turn
    const result = (async () => {
      await before
      return await work()
    })()
    const over = result.then(
      () => undefined,
      () => undefined,
    )
    this.#turn = over
    void over.then(() => {
      if (this.#turn === over && this.#opened) this.#idle = setTimeout(() => void this.release(), idleMs).unref()
    })
    return await result
  }
}

/** Models outlive the connection to the workspace that one question has; this is lent to them for it. */
class LentEmbeddings implements EmbeddingStore {
  #store: EmbeddingStore | null = null

  lend(store: EmbeddingStore): void {
    this.#store = store
  }

  takeBack(): void {
    this.#store?.flush()
    this.#store = null
  }

  get(kind: 'image' | 'text', subject: string): Float32Array | undefined {
    return this.#store?.get(kind, subject)
  }

  put(kind: 'image' | 'text', subject: string, embedding: Float32Array): void {
    this.#store?.put(kind, subject, embedding)
  }

  flush(): void {
    this.#store?.flush()
  }
}
