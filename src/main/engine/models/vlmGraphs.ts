// The graphs of a vision-language model, one a task: images to features, prompts to a cache, the cache to the next
// token, and whole responses to log-probabilities, losses and gradients. The feeds of each are made in rollout/ and
// align/; the parts it is made of stand in the files named after them.
import { gradients } from '../autodiff/backward.ts'
import type { Weights } from '../folder/weights.ts'
import { type Dim, elementCount } from '../graph/dims.ts'
import { GraphBuilder } from '../graph/graphBuilder.ts'
import type { Graph, Value } from '../graph/ir.ts'
import { tensorOps } from '../graph/tensorOps.ts'
import type { VlmConfig, VlmModule, VlmParameters } from './architecture.ts'
import type { DescribedVlm } from './registry.ts'
import {
  type DecoderCall,
  decoder,
  type LayerCache,
  logits,
  sequenceInputs,
  tokenEmbeddings,
} from './shared/decoder.ts'
import { LoraInputs, type LoraSlot, loraSlots } from './shared/lora.ts'
import { inputParameters, storedParameters } from './shared/parameters.ts'
import type { ProductUse } from './shared/quantisedLinear.ts'
import { ValueHeadInputs } from './shared/valueHead.ts'
import { pixelInput } from './shared/visionTower.ts'

/** A model as graphs see it. */
export type VlmSource = DescribedVlm & { readonly weights: Weights }

/** An adapter that a graph takes as inputs: the factors of {@link LoraInputs}, and `lora.scale` but in prompt and step. */
export interface AdapterSpec {
  readonly rank: number
  /** All projections of every layer when left out. */
  readonly slots?: readonly LoraSlot[]
}

/**
 * `pixel_values` [images, channels, size, size], a tile each, to `image_features` [image_rows, hidden]; with an arrangement
 * also to `line_end` [hidden], which promptRows.ts puts among them.
 */
export function visionGraph(source: VlmSource): Graph {
  const { architecture, config, weights } = source
  const g = new GraphBuilder('vision')
  const p = parametersOf(g, source)
  g.output('image_features', projected(g, p, source, tower(g, p, source)))
  if (architecture.arrangement) {
    const { lineEnd } = storedParameters(g, weights, { lineEnd: architecture.arrangement.lineEnd })
    g.output('line_end', tensorOps(g).reshape(lineEnd.tensor('', [config.decoder.hiddenSize]), [-1]))
  }
  return g.build()
}

/**
 * Prompts, padded on the left, to `logits` [batch, vocab] of the token that follows and to the cache: `key.LAYER` and
 * `value.LAYER`, each [batch, kvHeads, seq, headDim]. Inputs: {@link textInputs} and `sequenceInputs`.
 */
export function promptGraph(source: VlmSource, adapter: AdapterSpec | null): Graph {
  const { config } = source
  const g = new GraphBuilder('prompt')
  const p = parametersOf(g, source)
  const { reshape, slice } = tensorOps(g)
  const call: DecoderCall = {
    ...{ batch: 'batch', seq: 'seq' },
    embeddings: promptEmbeddings(g, p, config, imageRows(g, p, source, 'projected')),
    inputs: sequenceInputs(g, config.decoder, 'seq', 'seq'),
    adapter: adapterInputs(g, config, adapter),
  }
  const { hidden, cache } = decoder(g, p, config.decoder, call)
  const width = config.decoder.hiddenSize
  const last = reshape(slice(reshape(hidden, ['batch', 'seq', width]), 1, -1), ['batch', width])
  g.output('logits', logits(p, config.decoder, last))
  cacheOutputs(g, cache)
  return g.build()
}

/**
 * One more token of each row, `input_ids` [batch, 1], to `logits` [batch, vocab] and its part of the cache. The cache
 * so far comes in as `past.key.LAYER` and `past.value.LAYER`, [batch, kvHeads, past, headDim]; columns that are not
 * filled yet are masked.
 * @param weightsFirst faster for two rows and more on the CPU, with weights that are not prepacked
 * @param use by the device that it is for: `decodingUse`
 */
export function stepGraph(
  source: VlmSource,
  adapter: AdapterSpec | null,
  weightsFirst = false,
  use: ProductUse = 'decoding',
): Graph {
  const { config } = source
  const g = new GraphBuilder('step')
  const p = parametersOf(g, source, use)
  const { layers, kvHeads, headDim } = config.decoder
  const ids = g.input('input_ids', 'int64', ['batch', 1])
  const past = Array.from({ length: layers }, (_, layer): LayerCache => {
    const part = (name: string) => g.input(`past.${name}.${layer}`, 'float32', ['batch', kvHeads, 'past', headDim])
    return { key: part('key'), value: part('value') }
  })
  const { hidden, cache } = decoder(g, p, config.decoder, {
    ...{ batch: 'batch', seq: 1, past, weightsFirst },
    embeddings: tokenEmbeddings(g, p, config.decoder, ids),
    inputs: sequenceInputs(g, config.decoder, 1, 'past+1'),
    adapter: adapterInputs(g, config, adapter),
  })
  g.output('logits', logits(p, config.decoder, hidden, weightsFirst))
  cacheOutputs(g, cache)
  return g.build()
}

/** What a model says about given responses, a row for each response token of the batch. */
export interface ResponseTerms {
  /** log π(token | before), at the input `temperature`, over the vocabulary or what was kept of it, [rows] */
  readonly logProbs: Value
  /** -Σ π log π over the same, [rows] */
  readonly entropy: () => Value
  /** Of the value head, [rows]; absent without one. */
  readonly values: Value | null
  /** After the final norm, at the column that predicts the token, [rows, hidden] */
  readonly hidden: Value
  /** Divided by the temperature, -1e30 for tokens that were not kept, [rows, vocab] */
  readonly logits: Value
}

/** A loss, and the parameters that follow its gradient. */
export interface Objective {
  /** Without axes. */
  readonly loss: Value
  readonly trains: readonly ('adapter' | 'valueHead' | 'base')[]
}

export interface ResponseGraphOptions {
  readonly adapter?: AdapterSpec | null
  /** Width of the value head's inner layer; none when left out. */
  readonly valueHead?: number | null
  /** What to compute besides; further inputs are declared on the builder. Each loss is an output by its name. */
  readonly objectives?: (g: GraphBuilder, terms: ResponseTerms) => Readonly<Record<string, Objective>>
  /**
   * π is the distribution over the tokens that the sampler kept at each row, the input `kept_tokens` bool [rows, vocab],
   * as a response was drawn under top-k or top-p (DeepSeek-AI, DeepSeek-V3.2, 2025, section 3.1).
   */
  readonly amongKept?: boolean
  /** Outputs besides `logProbs` and `values`. */
  readonly outputs?: readonly ('logits' | 'hidden' | 'entropy')[]
  /** Where images come in: projected features, features of the tower, or pixels. */
  readonly images?: ImageInput
  /** Every parameter a graph input, or those of these modules, so that they can be trained; others stay in files. */
  readonly trainBase?: boolean | readonly VlmModule[]
  /** Bounds memory to one layer's activations at the price of a second forward pass. */
  readonly recompute?: boolean
}

export interface ResponseGraph {
  readonly graph: Graph
  /** Names of the trained parameters, by group, in the order of their `grad.NAME` outputs. */
  readonly trained: readonly string[]
  /** Shapes of the parameters that are inputs. */
  readonly parameters: ReadonlyMap<string, readonly number[]>
}

/**
 * Whole sequences to what is trained on them. Inputs: {@link textInputs}, `sequenceInputs`, `temperature` [],
 * `response_rows` int64 [rows] (the row of [batch * seq] that predicts each response token, the one before it) and
 * `response_ids` int64 [rows]. Only these rows reach the head, so padding costs nothing there.
 */
export function responseGraph(source: VlmSource, options: ResponseGraphOptions = {}): ResponseGraph {
  const { config, architecture } = source
  const { adapter = null, valueHead = null, images = 'projected', trainBase = false, recompute = false } = options
  const g = new GraphBuilder('response')
  const trained = inputParameters(g, architecture.names)
  const p = trainBase === true ? trained.modules : { ...parametersOf(g, source), ...chosen(trained.modules, trainBase) }
  const embeddings = promptEmbeddings(g, p, config, imageRows(g, p, source, images))
  const inputs = sequenceInputs(g, config.decoder, 'seq', 'seq')
  const lora = adapterInputs(g, config, adapter, true)
  const head = valueHead === null ? null : new ValueHeadInputs(g, config.decoder.hiddenSize, valueHead)
  const result = decoder(g, p, config.decoder, { batch: 'batch', seq: 'seq', embeddings, inputs, adapter: lora })
  const terms = responseTerms(g, p, config, result.hidden, head, options.amongKept === true)
  const objectives = options.objectives?.(g, terms) ?? {}
  const groups = { adapter: lora?.factors, valueHead: head?.parameters, base: trained.all }
  const sums = new Map<string, Value>()
  for (const [name, { loss, trains }] of Object.entries(objectives)) {
    g.output(name, loss)
    const wrt = trains.flatMap((group) => [...(groups[group]?.values() ?? [])])
    gradients(g, loss, wrt, { recompute }).forEach((gradient, i) => {
      const { name: parameter } = wrt[i] as Value
      const sum = sums.get(parameter)
      sums.set(parameter, sum ? tensorOps(g).add(sum, gradient) : gradient)
    })
  }
  for (const [name, gradient] of sums) g.output(`grad.${name}`, gradient)
  g.output('logProbs', terms.logProbs)
  if (terms.values) g.output('values', terms.values)
  for (const name of options.outputs ?? []) g.output(name, name === 'entropy' ? terms.entropy() : terms[name])
  const parameters = Object.values(groups).flatMap((group) => [...(group?.values() ?? [])])
  return {
    graph: g.build(),
    trained: [...sums.keys()],
    parameters: new Map(parameters.map(({ name, shape }) => [name, shape as readonly number[]])),
  }
}

function responseTerms(
  g: GraphBuilder,
  p: VlmParameters,
  { decoder: config }: VlmConfig,
  states: Value,
  head: ValueHeadInputs | null,
  amongKept: boolean,
): ResponseTerms {
  const { div, gather, gatherElements, mul, reduceLogSumExp, reduceSum, reshape, softmax, sub, where } = tensorOps(g)
  const hidden = gather(states, g.input('response_rows', 'int64', ['rows']))
  const all = div(logits(p, config, hidden), g.input('temperature', 'float32', []))
  // Not minus infinity: the entropy multiplies it by a probability of 0.
  const scaled = amongKept ? where(g.input('kept_tokens', 'bool', ['rows', config.vocabSize]), all, -1e30) : all
  const ids = reshape(g.input('response_ids', 'int64', ['rows']), ['rows', 1])
  const normaliser = reduceLogSumExp(scaled, [-1])
  return {
    // log π = logit - log Σ exp logits, without the log-probabilities of all other tokens.
    logProbs: sub(reshape(gatherElements(scaled, ids, 1), ['rows']), normaliser),
    // -Σ π log π = log Σ exp logits - Σ π logit
    entropy: () => sub(normaliser, reduceSum(mul(softmax(scaled, -1), scaled), [-1])),
    values: head?.values(hidden) ?? null,
    hidden,
    logits: scaled,
  }
}

export type ImageInput = 'projected' | 'features' | 'pixels'

/**
 * Rows of all images one after the other, [image_rows, hidden], from the input `image_features` of that shape,
 * `tower_features` [images, tower_rows, width] or `pixel_values`.
 */
function imageRows(g: GraphBuilder, p: VlmParameters, source: VlmSource, input: ImageInput): Value {
  const { architecture, config } = source
  const { hiddenSize } = config.decoder
  if (input === 'projected') return g.input('image_features', 'float32', ['image_rows', hiddenSize])
  const features =
    input === 'features'
      ? g.input('tower_features', 'float32', ['images', 'tower_rows', architecture.towerWidth(config)])
      : tower(g, p, source)
  return projected(g, p, source, features)
}

function tower(g: GraphBuilder, p: VlmParameters, { architecture, config }: VlmSource): Value {
  return architecture.towerFeatures(g, p.tower, config, pixelInput(g, config.vision))
}

/** Rows of all tiles one after the other, [image_rows, hidden]. */
function projected(g: GraphBuilder, p: VlmParameters, { architecture, config }: VlmSource, features: Value): Value {
  const rows = architecture.projector(g, p.projector, config, features)
  return tensorOps(g).reshape(rows, [elementCount(rows.shape.slice(0, -1)), config.decoder.hiddenSize])
}

/** Some modules of a model. */
function chosen(modules: VlmParameters, names: false | readonly VlmModule[]): Partial<VlmParameters> {
  return Object.fromEntries((names || []).map((name) => [name, modules[name]]))
}

function parametersOf(g: GraphBuilder, { architecture, weights }: VlmSource, use?: ProductUse): VlmParameters {
  return storedParameters(g, weights, architecture.names, use)
}

/**
 * Embeddings [batch * seq, hidden] of text with images in it. Declares `input_ids` int64 [batch, seq], `is_image`
 * bool [batch, seq], true where a token stands for a part of an image, and there `image_index` int64 [batch, seq],
 * its row among all image tokens (0 elsewhere).
 */
function promptEmbeddings(g: GraphBuilder, p: VlmParameters, { decoder: config }: VlmConfig, images: Value): Value {
  const { gather, reshape, where } = tensorOps(g)
  const rows: Dim = 'batch*seq'
  const ids = g.input('input_ids', 'int64', ['batch', 'seq'])
  const isImage = reshape(g.input('is_image', 'bool', ['batch', 'seq']), [rows, 1])
  const index = reshape(g.input('image_index', 'int64', ['batch', 'seq']), [rows])
  return where(isImage, gather(images, index), tokenEmbeddings(g, p, config, ids))
}

function adapterInputs(g: GraphBuilder, { decoder: config }: VlmConfig, adapter: AdapterSpec | null, hasScale = false) {
  return adapter ? new LoraInputs(g, adapter.slots ?? loraSlots(config), adapter.rank, hasScale) : undefined
}

function cacheOutputs(g: GraphBuilder, cache: readonly LayerCache[]): void {
  cache.forEach(({ key, value }, layer) => {
    g.output(`key.${layer}`, key)
    g.output(`value.${layer}`, value)
  })
}
