// The models that answered last, kept open for the next question, since opening them takes longer than an answer: one pair
// of them at most. Before it stands a job, after it run/describe.ts. A run that starts has them released first.
import type { DescribeJob } from '../../../shared/job.ts'
import { newPolicy, type Policy } from '../align/policy.ts'
import { ResponseScores } from '../align/responseScores.ts'
import type { ModelFolders, ModelsIdentity } from '../folder/modelIdentity.ts'
import { openTogether, releaseAll } from '../graph/resources.ts'
import { baseOptions } from '../models/baseFile.ts'
import { Rng } from '../rng.ts'
import type { DescribingModels } from '../run/describe.ts'
import { AlignmentModels } from '../run/models.ts'
import type { EmbeddingStore } from '../run/verifier.ts'
import { foldersOf, openPolicy, requireLexicon, requireModels } from './jobInputs.ts'
import type { DescribeJobStore } from './jobStore.ts'
import { KeptOpen } from './keptOpen.ts'

interface Opened extends DescribingModels {
  readonly embeddings: LentEmbeddings
  release(): Promise<void>
}

export class WarmModels {
  readonly #kept = new KeptOpen<Opened>()
  #identified: { readonly folders: ModelFolders; readonly identity: ModelsIdentity } | null = null

  /** Models as they were identified last in these folders; null when it was others. */
  identityOf({ model, companion }: ModelFolders): ModelsIdentity | null {
    const known = this.#identified
    return known?.folders.model === model && known.folders.companion === companion ? known.identity : null
  }

  /**
   * Does `work` with the models and the policy of a job; one at a time.
   * @param readying told the share of the model that is made ready, where it has to be
   * @throws StudioError `run.model-changed`, `run.lexicon`, `run.input-changed`, `run.no-weights`, and what opening models
   *   and `work` throw
   */
  async use<T>(
    job: DescribeJob,
    store: DescribeJobStore,
    signal: AbortSignal | undefined,
    readying: (share: number) => void,
    work: (models: DescribingModels, policy: Policy) => Promise<T>,
  ): Promise<T> {
    const identity = await requireModels(job, store, signal)
    this.#identified = { folders: foldersOf(job), identity }
    const open = (): Promise<Opened> => openedFor(job, signal, readying)
    return await this.#kept.use(keyOf(job), open, async (opened) => {
      opened.embeddings.lend(store.embeddings(identity))
      try {
        return await work(opened, await openPolicy(job.policy, job.config, opened.models.source, store))
      } finally {
        opened.embeddings.takeBack()
      }
    })
  }

  /** Releases what is open, once the use under way is over. */
  release(): Promise<void> {
    return this.#kept.release()
  }
}

/** All that the sessions, and what reads their outputs, depend on. */
function keyOf({ models, lexicon, device, threads, config }: DescribeJob): string {
  const { rollout, reward, adapter, optimiser, base } = config
  return JSON.stringify([
    ...[models, lexicon, device, threads, adapter.rank, optimiser.valueWidth, optimiser.microBatchSize],
    ...[base, reward.promptTemplate, reward.otherNouns, rollout.batchSize, rollout.maxNewTokens],
  ])
}

async function openedFor(
  job: DescribeJob,
  signal: AbortSignal | undefined,
  readying: (share: number) => void,
): Promise<Opened> {
  const { config, device, threads } = job
  const lexicon = await requireLexicon(job.lexicon, signal)
  const embeddings = new LentEmbeddings()
  const session = { device, ...(threads !== null && { threads }) }
  return await openTogether(async (keep): Promise<Opened> => {
    const base = baseOptions(job.models.model.weightsSha256, readying, signal)
    const options = { ...session, config, lexicon, embeddings, base }
    const models = await keep(AlignmentModels.open(foldersOf(job), options))
    // The reference is the model with its adapter switched off, whatever is in the adapter.
    const anyPolicy = newPolicy(models.source, config, new Rng({ seed: 0 }))
    const { microBatchSize } = config.optimiser
    const scoring = { ...session, temperature: 1, amongKept: false, microBatchSize }
    const scores = await keep(ResponseScores.open(models.source, anyPolicy, scoring))
    return { models, scores, embeddings, release: () => releaseAll([models, scores]) }
  })
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
