// The passes over the examples of one step that every learner takes: shuffled minibatches, each in micro-batches that fit
// into memory, an optimiser step after each. Before it stand a learner's examples, after it training.ts.
import type { Feeds } from '../../models/shared/sequenceFeeds.ts'
import type { Rng } from '../../rng.ts'
import { microBatches } from '../microBatches.ts'
import type { Training } from './training.ts'

export interface EpochOptions<Example> {
  readonly epochs: number
  /** Examples of one optimiser step. */
  readonly minibatchSize: number
  /** Examples in memory at once. */
  readonly microBatchSize: number
  /** At the beginning of the step's own stream; orders the examples of each pass. */
  readonly rng: Rng
  /** Inputs of the training graph for some examples of a minibatch; losses that are means weigh them by the whole of it. */
  readonly feeds: (batch: readonly Example[], minibatch: readonly Example[]) => Promise<Feeds>
  /** So long a row of an example is: those of a micro-batch are padded to the longest. */
  readonly length: (example: Example) => number
  /** Learning rates by group for the next optimiser step. */
  readonly rates: () => Readonly<Record<string, number>>
  /** Whether a minibatch's scalars say that the policy has moved far enough: its gradients are then not taken. */
  readonly isTooFar?: (scalars: Readonly<Record<string, number>>) => boolean
  readonly signal?: AbortSignal | undefined
}

export interface EpochReport {
  /** Of each scalar of the graph and of the adapter's gradient norm, the mean over the updates. */
  readonly means: Readonly<Record<string, number>>
  /**
   * Of each scalar of the graph, the mean over the minibatches of the last pass, each before its own update; one that
   * ended the pass because it had moved too far counts too. The latest figures that cost no pass of their own.
   */
  readonly lastEpoch: Readonly<Record<string, number>>
  readonly updates: number
  /** Updates whose gradients were not finite. */
  readonly skipped: number
  readonly stoppedEarly: boolean
}

/** @throws StudioError `run.non-finite` after too many updates in a row without finite gradients, `run.cancelled` */
export async function trainEpochs<Example>(
  training: Training,
  examples: readonly Example[],
  { epochs, minibatchSize, rng, rates, isTooFar, ...batches }: EpochOptions<Example>,
): Promise<EpochReport> {
  const sums = new Map<string, number>()
  let last: Record<string, number>[] = []
  let [updates, skipped] = [0, 0]
  const report = (stoppedEarly: boolean): EpochReport => {
    const lastSums = new Map<string, number>()
    for (const scalars of last) addTo(lastSums, scalars)
    return { means: meansOf(sums, updates), lastEpoch: meansOf(lastSums, last.length), updates, skipped, stoppedEarly }
  }
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = [...examples]
    rng.shuffle(order)
    last = []
    for (let start = 0; start < order.length; start += minibatchSize) {
      const scalars = await accumulate(training, order.slice(start, start + minibatchSize), batches)
      last.push(scalars)
      if (isTooFar?.(scalars)) {
        training.discard()
        return report(true)
      }
      const { adapter } = training.step(rates())
      if (adapter?.isSkipped) skipped++
      updates++
      addTo(sums, { ...scalars, gradientNorm: adapter?.gradientNorm ?? 0 })
    }
  }
  return report(false)
}

/** Gradients of one minibatch, in micro-batches. @returns its losses and other scalars */
async function accumulate<Example>(
  training: Training,
  minibatch: readonly Example[],
  {
    microBatchSize,
    feeds,
    length,
    signal,
  }: Pick<EpochOptions<Example>, 'microBatchSize' | 'feeds' | 'length' | 'signal'>,
): Promise<Record<string, number>> {
  const batches = microBatches(minibatch, microBatchSize, length).map((places) => {
    const batch = places.map((place) => minibatch[place] as Example)
    return () => feeds(batch, minibatch)
  })
  const totals = new Map<string, number>()
  for (const scalars of await training.accumulateEach(batches, signal)) addTo(totals, scalars)
  return Object.fromEntries(totals)
}

function meansOf(sums: ReadonlyMap<string, number>, count: number): Record<string, number> {
  return Object.fromEntries([...sums].map(([name, sum]) => [name, sum / Math.max(1, count)]))
}

function addTo(sums: Map<string, number>, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) sums.set(name, (sums.get(name) ?? 0) + value)
}
