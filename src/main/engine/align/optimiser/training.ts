// One optimiser step over a training graph: micro-batches in, gradients summed, parameters updated in place.
// Before it stands a response graph with objectives (ppoLoss.ts), after it checkpoints.
import { mapSome } from '../../../../shared/mapSome.ts'
import { openMemory } from '../../graph/deviceMemory.ts'
import type { HeldTensors, TensorMemory } from '../../graph/heldTensors.ts'
import type { SessionOptions } from '../../graph/ortSession.ts'
import { releaseAll } from '../../graph/resources.ts'
import { floatsOf, type Tensor, tensor } from '../../graph/tensor.ts'
import type { Feeds } from '../../models/shared/sequenceFeeds.ts'
import type { ResponseGraph } from '../../models/vlmGraphs.ts'
import { type GraphRunner, thisThread, type Workers } from '../../pool/workers.ts'
import { AdamW, type AdamWOptions, type AdamWState, type NamedArrays, type StepReport } from './adamw.ts'

/** Parameters that share an optimiser, e.g. the adapter, or the value head. */
export interface ParameterGroup {
  /** By the names of the graph's inputs; updated in place. */
  readonly parameters: NamedArrays
  readonly optimiser: AdamWOptions
  /** Of an earlier training of the same parameters, to go on exactly where it was. */
  readonly state?: AdamWState
}

export type ParameterGroups = Readonly<Record<string, ParameterGroup>>

export interface TrainingOptions extends Pick<SessionOptions, 'device' | 'threads' | 'prepackWeights'> {
  /** Who computes micro-batches; this thread when left out. */
  readonly workers?: Workers
}

export class Training {
  readonly #runner: GraphRunner
  /** Micro-batches under way at the same time. */
  readonly #atOnce: number
  readonly #graph: ResponseGraph
  readonly #groups: ParameterGroups
  readonly #optimisers: ReadonlyMap<string, AdamW>
  readonly #memory: TensorMemory
  /** The parameters as the graph reads them; the optimisers' arrays, or copies of them on the device. */
  readonly #held: HeldTensors
  readonly #sums = new Map<string, Float32Array>()

  private constructor(
    runner: GraphRunner,
    atOnce: number,
    graph: ResponseGraph,
    groups: ParameterGroups,
    optimisers: ReadonlyMap<string, AdamW>,
    memory: TensorMemory,
  ) {
    this.#runner = runner
    this.#atOnce = atOnce
    this.#graph = graph
    this.#groups = groups
    this.#optimisers = optimisers
    this.#memory = memory
    this.#held = memory.hold(this.#parameters())
  }

  /** @throws StudioError as `OrtSession.open` does, `run.bad-optimiser-state` when a state does not fit */
  static async open(
    graph: ResponseGraph,
    groups: ParameterGroups,
    { workers = thisThread, ...options }: TrainingOptions,
  ): Promise<Training> {
    // Before the session: a state that does not fit must not leave one open.
    const optimisers = Object.entries(groups).map(
      ([name, { parameters, optimiser, state }]) => [name, new AdamW(parameters, optimiser, state)] as const,
    )
    const runner = await workers.openGraph(graph.graph, options)
    return new Training(runner, workers.atOnce, graph, groups, new Map(optimisers), openMemory(options.device))
  }

  /** What a resumed training needs, by group; arrays are the optimisers' own, not copies. */
  get states(): Readonly<Record<string, AdamWState>> {
    return Object.fromEntries([...this.#optimisers].map(([name, { state }]) => [name, state]))
  }

  /**
   * Forward and backward over one micro-batch; its gradients are added to those since the last step. Losses that are
   * means weigh their tokens themselves (`token_weight`), so the sum is the gradient of the whole batch.
   * @param feeds all inputs but the parameters
   * @returns the losses and other scalars of this micro-batch by name
   * @throws StudioError as `OrtSession.run` does
   */
  async accumulate(feeds: Feeds, signal?: AbortSignal): Promise<Record<string, number>> {
    const [scalars] = await this.accumulateEach([async () => feeds], signal)
    return scalars as Record<string, number>
  }

  /**
   * As {@link accumulate}, over several micro-batches; whoever computes them, their gradients are added in their order.
   * @param batches their feeds, made when their turn comes
   */
  async accumulateEach(
    batches: readonly (() => Promise<Feeds>)[],
    signal?: AbortSignal,
  ): Promise<Record<string, number>[]> {
    // Parameters change between steps only, so a device is sent them once for all micro-batches of a step.
    if (this.#sums.size === 0) this.#held.replace(this.#parameters())
    const early = new Map<number, Readonly<Record<string, Tensor>>>()
    let next = 0
    return await mapSome(batches, this.#atOnce, async (feeds, place) => {
      const inputs = { ...(await feeds()), ...this.#held.feeds() }
      const results = await this.#runner.compute(inputs, signal ? { signal } : {})
      early.set(place, results)
      for (let due = early.get(next); due; due = early.get(next)) {
        early.delete(next++)
        this.#add(due)
      }
      const scalars = Object.entries(results).filter(([, { shape }]) => shape.length === 0)
      return Object.fromEntries(scalars.map(([name, { values }]) => [name, Number(values[0])]))
    })
  }

  /**
   * Updates each group by the summed gradients and forgets them. A group whose gradients are not finite stays as it
   * is, and the step is counted as skipped.
   * @param learningRates by group
   */
  step(learningRates: Readonly<Record<string, number>>): Record<string, StepReport> {
    const gradients = Object.fromEntries(this.#sums)
    const reports: Record<string, StepReport> = {}
    for (const [name, optimiser] of this.#optimisers) {
      reports[name] = optimiser.step(gradients, learningRates[name] ?? 0)
    }
    this.#sums.clear()
    return reports
  }

  /** Forgets the gradients since the last step without taking one. */
  discard(): void {
    this.#sums.clear()
  }

  async release(): Promise<void> {
    await releaseAll([this.#runner, this.#held, this.#memory])
  }

  #add(results: Readonly<Record<string, Tensor>>): void {
    for (const name of this.#graph.trained) {
      const gradient = floatsOf(results, `grad.${name}`)
      const sum = this.#sums.get(name)
      // What a run answers is a copy of its own, so the first one serves as the sum.
      if (!sum) this.#sums.set(name, gradient)
      else addTo(sum, gradient)
    }
  }

  #parameters(): Feeds {
    const feeds: Record<string, Tensor> = {}
    for (const { parameters } of Object.values(this.#groups)) {
      for (const [name, values] of Object.entries(parameters)) {
        feeds[name] = tensor('float32', this.#graph.parameters.get(name) ?? [values.length], values)
      }
    }
    return feeds
  }
}

/** Adds the numbers to the sum, which is as long. */
export function addTo(sum: Float32Array, numbers: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (numbers[i] as number)
}
