// The LoRA adapter inside a graph (Hu et al. 2022): y = x Wᵀ + s (x Aᵀ) Bᵀ. Factors and s are inputs of every graph,
// so one set of base weights serves the policy (s = alpha / rank) and the reference (s = 0). Graphs that only decode
// are fed s B as B: a node less for each layer that is adapted.

import { type LoraAdapter, type LoraFactors, loraScale } from '../../folder/peft.ts'
import type { Weights } from '../../folder/weights.ts'
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'
import { type Tensor, tensor } from '../../graph/ortSession.ts'
import { tensorOps } from '../../graph/tensorOps.ts'
import type { Architecture } from '../architecture.ts'
import type { DecoderConfig } from './decoderConfig.ts'
import { storedName } from './parameters.ts'

/** A linear layer of the decoder that an adapter can change, e.g. `layers.0.self_attn.q_proj`. */
export interface LoraSlot {
  readonly path: string
  readonly inFeatures: number
  readonly outFeatures: number
}

/** All slots of a decoder: q, k, v, o, gate, up and down of every layer, fused ones as the one layer that they are. */
export function loraSlots(config: DecoderConfig): LoraSlot[] {
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim, layers, fused } = config
  const attention: readonly [string, number, number][] = fused
    ? [['self_attn.qkv_proj', hiddenSize, (heads + 2 * kvHeads) * headDim]]
    : [
        ['self_attn.q_proj', hiddenSize, heads * headDim],
        ['self_attn.k_proj', hiddenSize, kvHeads * headDim],
        ['self_attn.v_proj', hiddenSize, kvHeads * headDim],
      ]
  const mlp: readonly [string, number, number][] = fused
    ? [['mlp.gate_up_proj', hiddenSize, 2 * intermediateSize]]
    : [
        ['mlp.gate_proj', hiddenSize, intermediateSize],
        ['mlp.up_proj', hiddenSize, intermediateSize],
      ]
  // Random numbers of a new adapter are drawn in this order.
  const projections: readonly [string, number, number][] = [
    ...attention,
    ['self_attn.o_proj', heads * headDim, hiddenSize],
    ...mlp,
    ['mlp.down_proj', intermediateSize, hiddenSize],
  ]
  return Array.from({ length: layers }, (_, layer) =>
    projections.map(([name, inFeatures, outFeatures]) => ({
      path: `layers.${layer}.${name}`,
      inFeatures,
      outFeatures,
    })),
  ).flat()
}

/** The adapter's inputs in one graph. */
export class LoraInputs {
  /** s, without axes; null where it is in B. */
  readonly #scale: Value | null
  /** `lora.PATH.a` [rank, in] and `lora.PATH.b` [out, rank], by those names. */
  readonly factors: ReadonlyMap<string, Value>
  readonly #g: GraphBuilder

  constructor(g: GraphBuilder, slots: readonly LoraSlot[], rank: number, hasScale: boolean) {
    this.#g = g
    this.#scale = hasScale ? g.input('lora.scale', 'float32', []) : null
    this.factors = new Map(
      slots.flatMap(({ path, inFeatures, outFeatures }) =>
        [
          g.input(factorName(path, 'a'), 'float32', [rank, inFeatures]),
          g.input(factorName(path, 'b'), 'float32', [outFeatures, rank]),
        ].map((value) => [value.name, value] as const),
      ),
    )
  }

  /** `base` [rows, out] with the adapter's part of the layer at `x` [rows, in] added; base where it has none. */
  adapt(path: string, x: Value, base: Value): Value {
    const [a, b] = (['a', 'b'] as const).map((factor) => this.factors.get(factorName(path, factor)))
    if (!a || !b) return base
    const { gemm, mul } = tensorOps(this.#g)
    const inner = gemm(x, a, { transB: true })
    return gemm(this.#scale ? mul(inner, this.#scale) : inner, b, { transB: true, c: base })
  }
}

export function factorName(path: string, factor: 'a' | 'b'): string {
  return `lora.${path}.${factor}`
}

/** A new adapter, which changes nothing yet: A as PyTorch initialises a linear layer, B zero. */
export function newAdapter(
  slots: readonly LoraSlot[],
  { rank, alpha }: Pick<LoraAdapter, 'rank' | 'alpha'>,
  uniform: () => number,
): LoraAdapter {
  const layers = new Map<string, LoraFactors>()
  for (const { path, inFeatures, outFeatures } of slots) {
    // Kaiming-uniform with a = √5, as peft: U(-1/√in, 1/√in).
    const bound = 1 / Math.sqrt(inFeatures)
    const a = Float32Array.from({ length: rank * inFeatures }, () => (2 * uniform() - 1) * bound)
    layers.set(path, { a, b: new Float32Array(outFeatures * rank), inFeatures, outFeatures })
  }
  return { rank, alpha, layers }
}

/** An adapter's layers by decoder path, whatever the modules were called where it was trained. */
export function byDecoderPath(names: AdapterNames, adapter: LoraAdapter): LoraAdapter {
  return renamed(adapter, (name) => decoderPath(names, name))
}

/** An adapter's layers by their paths in the checkpoint. */
export function storedAdapter(names: AdapterNames, weights: Weights, adapter: LoraAdapter): LoraAdapter {
  return renamed(adapter, (name) =>
    storedName(weights, names.names.decoder, `${decoderPath(names, name)}.weight`).replace(/\.weight$/, ''),
  )
}

/** An adapter's layers by the names of transformers' modules, as Python's peft writes them. */
export function peftAdapter(names: AdapterNames, adapter: LoraAdapter): LoraAdapter {
  return renamed(adapter, (name) => names.peftPrefix + decoderPath(names, name))
}

type AdapterNames = Pick<Architecture, 'names' | 'peftPrefix'>

/** The path of a decoder layer without what checkpoints and adapters put before it, e.g. `layers.0.mlp.up_proj`. */
function decoderPath({ names, peftPrefix }: AdapterNames, name: string): string {
  const prefix = [peftPrefix, ...names.decoder].find((one) => name.startsWith(one))
  return prefix === undefined ? name : name.slice(prefix.length)
}

function renamed(adapter: LoraAdapter, rename: (name: string) => string): LoraAdapter {
  return { ...adapter, layers: new Map([...adapter.layers].map(([name, factors]) => [rename(name), factors])) }
}

/**
 * The feeds of {@link LoraInputs}.
 * @param strength factor of s: 0 is the reference policy, 1 the adapter as trained
 */
export function loraFeeds(adapter: LoraAdapter, strength = 1): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = { 'lora.scale': tensor('float32', [], [loraScale(adapter) * strength]) }
  for (const [path, { a, b, inFeatures, outFeatures }] of adapter.layers) {
    feeds[factorName(path, 'a')] = tensor('float32', [adapter.rank, inFeatures], a)
    feeds[factorName(path, 'b')] = tensor('float32', [outFeatures, adapter.rank], b)
  }
  return feeds
}

/** The feeds of {@link LoraInputs} without a scale, from those with it. */
export function scaledFactors({ 'lora.scale': scale, ...factors }: Readonly<Record<string, Tensor>>) {
  const s = Number(scale?.values[0] ?? 1)
  const scaled = (name: string, factor: Tensor): Tensor =>
    s === 1 || !name.endsWith('.b') ? factor : { ...factor, values: (factor.values as Float32Array).map((b) => s * b) }
  return Object.fromEntries(Object.entries(factors).map(([name, factor]) => [name, scaled(name, factor)]))
}
