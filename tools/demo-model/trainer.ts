// Steps of a training graph whose parameters are inputs: run, clip, AdamW. contrastive.ts and captioning.ts build the
// graphs and the feeds.
import { AdamW } from '../../src/main/engine/align/optimiser/adamw.ts'
import { learningRate } from '../../src/main/engine/align/optimiser/learningRate.ts'
import type { Graph } from '../../src/main/engine/graph/ir.ts'
import { OrtSession, type Tensor, tensor } from '../../src/main/engine/graph/ortSession.ts'
import { floatsOf } from '../../src/main/engine/graph/tensor.ts'
import { Rng } from '../../src/main/engine/rng.ts'

export interface TrainingSettings {
  readonly steps: number
  readonly peakRate: number
  readonly warmupSteps: number
  readonly weightDecay: number
  readonly threads: number
}

export class Trainer {
  readonly parameters: Readonly<Record<string, Float32Array>>
  readonly #session: OrtSession
  readonly #feeds: Record<string, Tensor> = {}
  readonly #optimiser: AdamW
  readonly #settings: TrainingSettings
  #step = 0

  private constructor(
    session: OrtSession,
    shapes: ReadonlyMap<string, readonly number[]>,
    parameters: Readonly<Record<string, Float32Array>>,
    settings: TrainingSettings,
  ) {
    this.#session = session
    this.parameters = parameters
    this.#settings = settings
    for (const [name, shape] of shapes) {
      this.#feeds[name] = tensor('float32', shape, parameters[name] as Float32Array)
    }
    this.#optimiser = new AdamW(parameters, {
      ...{ beta1: 0.9, beta2: 0.98, epsilon: 1e-8 },
      weightDecay: settings.weightDecay,
      maxGradientNorm: 1,
    })
  }

  /** @param graph with an output `grad.NAME` for each parameter, and its losses */
  static async open(
    graph: Graph,
    shapes: ReadonlyMap<string, readonly number[]>,
    parameters: Readonly<Record<string, Float32Array>>,
    settings: TrainingSettings,
  ): Promise<Trainer> {
    const session = await OrtSession.open(graph, { device: 'cpu', threads: settings.threads })
    return new Trainer(session, shapes, parameters, settings)
  }

  /** One update. Answers the outputs that are no gradients, e.g. the losses. */
  async step(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Float32Array>> {
    const outputs = await this.#session.compute({ ...this.#feeds, ...feeds })
    const gradients: Record<string, Float32Array> = {}
    const others: Record<string, Float32Array> = {}
    for (const name of Object.keys(outputs)) {
      const values = floatsOf(outputs, name)
      if (name.startsWith('grad.')) gradients[name.slice('grad.'.length)] = values
      else others[name] = values
    }
    const { steps: totalSteps, peakRate: peak, warmupSteps } = this.#settings
    const rate = learningRate({ kind: 'cosine', peak, warmupSteps, totalSteps }, this.#step++)
    this.#optimiser.step(gradients, rate)
    return others
  }

  async release(): Promise<void> {
    await this.#session.release()
  }
}

/** Batches of indices: every epoch in another order, each index at most once. */
export class BatchOrder {
  readonly #rng: Rng
  readonly #count: number
  readonly #batch: number
  #order: number[] = []

  constructor(seed: number, count: number, batch: number) {
    this.#rng = new Rng({ seed }).fork(1)
    this.#count = count
    this.#batch = batch
  }

  next(): number[] {
    if (this.#order.length < this.#batch) {
      this.#order = Array.from({ length: this.#count }, (_, index) => index)
      this.#rng.shuffle(this.#order)
    }
    return this.#order.splice(0, this.#batch)
  }
}
