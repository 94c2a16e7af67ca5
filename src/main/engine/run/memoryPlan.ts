// What a run will hold in memory, part by part, found from its graphs before anything opens. Before it stand a model's
// headers and a config, after it jobs/checkJob.ts, which refuses what no setting of this machine can hold.
import type { FileFormat } from '../../../shared/baseFormat.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import { learnerScoresGraph, learnerTrainingGraph } from '../align/openLearner.ts'
import type { Graph } from '../graph/ir.ts'
import { type GraphMemory, graphMemory } from '../graph/livePeak.ts'
import { mostArrayBytes } from '../graph/runSizes.ts'
import type { ImageLayout } from '../models/architecture.ts'
import { formatOf } from '../models/baseFile.ts'
import { plannedBase } from '../models/baseLayout.ts'
import { type DualEncoderSource, imageEmbeddingGraph, textEmbeddingGraph } from '../models/companion/encoder.ts'
import { loraSlots } from '../models/shared/lora.ts'
import { promptGraph, stepGraph, type VlmSource, visionGraph } from '../models/vlmGraphs.ts'
import { keptFeatureBytes } from '../rollout/imageFeatures.ts'
import { cacheGrowthColumns } from '../rollout/kvCache.ts'
import { packsWeights } from '../rollout/packedWeights.ts'

/** One thing that takes memory as long as a run is open, or again and again. */
export interface MemoryPart {
  readonly of: 'process' | 'weights' | 'copies' | 'decoding' | 'training' | 'encoder' | 'adapter' | 'features'
  readonly bytes: number
}

export interface MemoryPlan {
  readonly parts: readonly MemoryPart[]
  readonly totalBytes: number
  /** Of the arrays that its graphs are fed or answer, the largest; `mostArrayBytes` is what one may have. */
  readonly largestArrayBytes: number
}

export interface PlannedRun {
  readonly source: VlmSource
  /** Null where none is chosen yet. */
  readonly companion: DualEncoderSource | null
  readonly config: RunConfig
  /** How an image of usual size enters the prompt. */
  readonly layout: ImageLayout
  /** The question with its image, tokens. */
  readonly promptTokens: number
  /** Images whose features may be kept. */
  readonly images: number
}

/** Node, the libraries and their buffers, measured: docs/performance.md. */
const processBytes = 240e6
/** A thread of the pool with the code that it loads, measured: docs/performance.md. */
const threadBytes = 40e6
const float32 = 4

/** A way to hold the same run in less memory; results differ by rounding only, with 8 bits by theirs. */
export interface Lighter
  extends Pick<RunConfig['optimiser'], 'microBatchSize' | 'recompute'>,
    Pick<RunConfig['rollout'], 'batchSize'> {
  readonly format: RunConfig['base']['format']
}

/**
 * Plans runs of one model, on the CPU; a device of its own would hold what its sessions hold, weights once there too but those
 * of 4 bits (graph/sharedWeights.ts), and this process the rest.
 * Graphs are built once.
 */
export class MemoryPlanner {
  readonly #run: Omit<PlannedRun, 'config'>
  readonly #graphs = new Map<string, Graph>()
  readonly #sources = new Map<FileFormat, VlmSource>()

  constructor(run: Omit<PlannedRun, 'config'>) {
    this.#run = run
  }

  /** @param workers threads that each decode and train (pool/workerPool.ts); 1 for a run that shares nothing */
  plan(config: RunConfig, workers = 1): MemoryPlan {
    const { companion, layout, promptTokens, images } = this.#run
    const { rollout, optimiser, adapter, reward, base } = config
    const format = formatOf(base.format, this.#run.source)
    const source = this.#sourceIn(format)
    const isPacked = packsWeights(source)
    const { decoder } = source.config
    const decoded = Math.min(rollout.batchSize, rollout.responsesPerStep)
    const trained = Math.min(optimiser.microBatchSize, rollout.responsesPerStep)
    const columns = promptTokens + rollout.maxNewTokens
    const capacity = promptTokens + Math.ceil(rollout.maxNewTokens / cacheGrowthColumns) * cacheGrowthColumns
    const lora = { rank: adapter.rank }

    const vision = this.#memory(`vision ${format}`, () => visionGraph(source), { images: layout.tiles })
    const prompt = this.#memory(`prompt ${format} ${adapter.rank}`, () => promptGraph(source, lora), {
      ...{ batch: decoded, seq: promptTokens, image_rows: decoded * layout.rows, positions: promptTokens },
    })
    // One session serves any number of rows where its weights are packed.
    const stepRows = isPacked ? [decoded] : [1, ...(decoded > 1 ? [decoded] : [])]
    const steps = stepRows.map((rows) => {
      const weightsFirst = !isPacked && rows > 1
      const key = `step ${format} ${adapter.rank} ${weightsFirst}`
      const sizes = { batch: rows, past: capacity, positions: capacity + 1 }
      return this.#memory(key, () => stepGraph(source, lora, weightsFirst), sizes, isPacked)
    })
    const ofResponses = {
      // A column more: the value after a response that was cut off is read there.
      ...{ batch: trained, seq: columns + 1, rows: trained * (rollout.maxNewTokens + 1), positions: columns + 1 },
      ...{ image_rows: trained * layout.rows, pairs: Math.max(1, Math.floor(trained / 2)) },
    }
    const method = JSON.stringify([
      format,
      reward.method,
      adapter.rank,
      optimiser.valueWidth,
      rollout.topK,
      rollout.topP,
    ])
    const scores = this.#memory(`scores ${method}`, () => learnerScoresGraph(source, config), ofResponses)
    const training = this.#memory(
      `training ${method} ${optimiser.recompute}`,
      () => learnerTrainingGraph(source, config),
      ofResponses,
    )
    const encoder = companion
      ? [
          this.#memory('image encoder', () => imageEmbeddingGraph(companion), { images: 1 }),
          this.#memory('text encoder', () => textEmbeddingGraph(companion), {
            ...{ batch: 1, seq: companion.config.text.maxPositions },
          }),
        ]
      : []
    const learns = reward.method !== 'none'
    const ofWorker = [prompt, ...steps, scores, ...(learns ? [training] : [])]
    const language = [vision, ...ofWorker]

    const cacheBytes = decoded * capacity * 2 * decoder.layers * decoder.kvHeads * decoder.headDim * float32
    const slots = loraSlots(decoder)
    const factors = slots.reduce((total, slot) => total + adapter.rank * (slot.inFeatures + slot.outFeatures), 0)
    const featureBytes = layout.rows * decoder.hiddenSize * float32
    // Those of the batches under way, once as they are read and once as they are fed.
    const underWay = 2 * Math.max(decoded, trained) * (workers > 1 ? workers + 1 : 1)
    const sum = (memories: readonly GraphMemory[], of: (memory: GraphMemory) => number) =>
      memories.reduce((total, memory) => total + of(memory), 0)
    // Sessions read the same pages of the same files: the tower's, and those of the graph that reads most of the decoder.
    const decoderWeights = Math.max(...language.slice(1).map(({ mappedBytes }) => mappedBytes))
    const languageWeights = vision.mappedBytes + decoderWeights
    const parts: MemoryPart[] = [
      { of: 'process', bytes: processBytes + (workers > 1 ? workers * threadBytes : 0) },
      { of: 'weights', bytes: languageWeights + sum(encoder, ({ mappedBytes }) => mappedBytes) },
      {
        of: 'copies',
        bytes:
          sum([vision, ...encoder], ({ privateBytes }) => privateBytes) +
          workers * sum(ofWorker, ({ privateBytes }) => privateBytes),
      },
      {
        of: 'decoding',
        // A cache that is rearranged stands beside its old self.
        bytes:
          vision.computedBytes +
          workers * (sum([prompt, ...steps], ({ computedBytes }) => computedBytes) + 2 * cacheBytes),
      },
      {
        of: 'training',
        bytes: workers * (scores.computedBytes + scores.outputBytes + (learns ? training.computedBytes : 0)),
      },
      { of: 'encoder', bytes: sum(encoder, ({ computedBytes }) => computedBytes) },
      // Factors, their gradients and sums, two moments; other threads are sent the factors and send gradients back.
      { of: 'adapter', bytes: (5 + (workers > 1 ? 2 * workers : 0)) * float32 * factors },
      {
        of: 'features',
        bytes: Math.min(keptFeatureBytes, images * featureBytes) + underWay * featureBytes,
      },
    ]
    const largestArrayBytes = Math.max(...[...language, ...encoder].map((memory) => memory.largestArrayBytes))
    return { parts, totalBytes: parts.reduce((total, { bytes }) => total + bytes, 0), largestArrayBytes }
  }

  /**
   * The fastest way to hold the run in so many bytes, or null when there is none: half as many at a time, without and with
   * recomputation, and where that does not do, all of it in 8 bits.
   */
  lighter(config: RunConfig, limitBytes: number): Lighter | null {
    const { rollout, optimiser, base } = config
    let together = Math.max(
      Math.min(rollout.batchSize, rollout.responsesPerStep),
      Math.min(optimiser.microBatchSize, rollout.responsesPerStep),
    )
    const withAtOnce = (most: number, recompute: boolean): Lighter => ({
      recompute,
      format: base.format,
      batchSize: Math.min(rollout.batchSize, most),
      microBatchSize: Math.min(optimiser.microBatchSize, most),
    })
    const fits = ({ batchSize, format, ...training }: Lighter): boolean => {
      const changed = { rollout: { ...rollout, batchSize }, optimiser: { ...optimiser, ...training } }
      const plan = this.plan({ ...config, ...changed, base: { format } })
      return plan.totalBytes <= limitBytes && plan.largestArrayBytes <= mostArrayBytes
    }
    if (!fits(withAtOnce(1, true))) {
      // Of four bits a small model is another one (docs/performance.md), so they are not offered.
      const isWide = ['float32', null].includes(formatOf(base.format, this.#run.source))
      return isWide ? this.lighter({ ...config, base: { format: 'int8' } }, limitBytes) : null
    }
    for (; together > 1; together = Math.floor(together / 2)) {
      for (const recompute of optimiser.recompute ? [true] : [false, true]) {
        const lighter = withAtOnce(together, recompute)
        if (fits(lighter)) return lighter
      }
    }
    return withAtOnce(1, true)
  }

  /** The model as a base file of this format would hold it, which need not be there. */
  #sourceIn(format: FileFormat | null): VlmSource {
    if (format === null) return this.#run.source
    const source = this.#sources.get(format) ?? plannedBase(this.#run.source, format)
    this.#sources.set(format, source)
    return source
  }

  #memory(key: string, build: () => Graph, sizes: Readonly<Record<string, number>>, isPrepacked = false): GraphMemory {
    const graph = this.#graphs.get(key) ?? build()
    this.#graphs.set(key, graph)
    return graphMemory(graph, new Map(Object.entries(sizes)), isPrepacked)
  }
}
