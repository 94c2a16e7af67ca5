// Which tensors a base file holds and in which numbers, found from a model's headers. Before it stands vlm.ts, after it
// baseFile.ts, which writes such a file, and run/memoryPlan.ts, which plans with one that is not there yet.
import type { FileFormat } from '../../../shared/baseFormat.ts'
import { type BlockFormat, blockFormatFor } from '../folder/blockQuantisation.ts'
import { type SafetensorsDType, type StoredTensor, safetensorsDTypes } from '../folder/safetensors.ts'
import { Weights } from '../folder/weights.ts'
import { elementBytes, type FileSlice, type Graph, type Initializer } from '../graph/ir.ts'
import { quantisedParts } from './shared/quantisedLinear.ts'
import { responseGraph, type VlmSource, visionGraph } from './vlmGraphs.ts'

/** One tensor of a model, under the name that graphs give it. */
export interface BaseTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly from: StoredTensor
  /** Null for a tensor that is not quantised. */
  readonly block: BlockFormat | null
  /** Held as float32, also beside its quantised form. */
  readonly isFloat: boolean
}

/** A tensor of the file. */
export interface BasePart {
  /** What is in it of a {@link BaseTensor}. */
  readonly of: BaseTensor
  readonly kind: 'floats' | 'q' | 'scales' | 'zeros'
  readonly name: string
  readonly dtype: SafetensorsDType
  readonly shape: readonly number[]
}

/**
 * What the graphs of a model read, each tensor once. Quantised are the weights of the decoder and its head that x is multiplied
 * by: all but a hundredth of what a token of a response reads. As float32 stay
 *
 * - norms and biases, which are small;
 * - the embedding table, of which a run reads a few rows that the system keeps; where the head is tied to it, it is both;
 * - tower and projector: an image is seen once and its features are kept, and they are compared with the verifier's;
 * - a weight whose rows no block divides (`blockFormatFor`), or that is cut in parts before it is multiplied.
 */
export function baseTensors(source: VlmSource, format: FileFormat): BaseTensor[] {
  const { names } = source.architecture
  const quantisable = [...names.decoder, ...names.head]
  const graphs = [visionGraph(source), responseGraph(source).graph]
  const uses = usesOf(graphs)
  const initializers = new Map(graphs.flatMap((graph) => graph.initializers).map((one) => [one.value.name, one]))
  return [...initializers.values()].flatMap((initializer) => {
    if (!('external' in initializer)) return []
    const { name, dtype, shape } = initializer.value
    const from: StoredTensor = { name, dtype, shape: shape as readonly number[], slice: initializer.external }
    const isWeight = uses.get(name)?.has('product') === true && quantisable.some((prefix) => name.startsWith(prefix))
    const block = isWeight && format !== 'float32' ? blockFormatFor(bitsOf[format], from.shape[1] as number) : null
    return [{ name, shape: from.shape, from, block, isFloat: block === null || uses.get(name)?.has('other') === true }]
  })
}

const bitsOf = { int8: 8, int4: 4 } as const

/** Whether each initializer is the second factor of a product, something else, or both; halves are widened before. */
function usesOf(graphs: readonly Graph[]): Map<string, Set<'product' | 'other'>> {
  const uses = new Map<string, Set<'product' | 'other'>>()
  for (const { nodes, initializers } of graphs) {
    const holders = new Map(initializers.filter(isExternal).map(({ value: { name } }) => [name, name]))
    for (const { op, inputs, outputs, attributes } of nodes) {
      inputs.forEach((value, i) => {
        const holder = value && holders.get(value.name)
        if (holder == null) return
        if (op === 'Cast') {
          holders.set(outputs[0]?.name as string, holder)
          return
        }
        const use = op === 'Gemm' && i === 1 && attributes['transB'] === 1 ? 'product' : 'other'
        uses.set(holder, (uses.get(holder) ?? new Set()).add(use))
      })
    }
  }
  return uses
}

function isExternal(initializer: Initializer): boolean {
  return 'external' in initializer
}

/**
 * What the file holds, in the order of its bytes. Zero points come last: their bytes may be of any number, and floats begin at
 * a multiple of four.
 */
export function partsOf(tensors: readonly BaseTensor[]): BasePart[] {
  const parts = tensors.flatMap(partsOfTensor)
  return [...parts.filter(({ kind }) => kind !== 'zeros'), ...parts.filter(({ kind }) => kind === 'zeros')]
}

function partsOfTensor(of: BaseTensor): BasePart[] {
  const { name, shape, block, isFloat } = of
  const floats: BasePart[] = isFloat ? [{ of, kind: 'floats', name, dtype: 'F32', shape }] : []
  if (block === null) return floats
  const [rows, inputs] = shape as [number, number]
  const { bits } = block
  const blocks = inputs / block.block
  const { scales, zeros } = quantisedParts
  return [
    ...floats,
    { of, kind: 'q', name: name + quantisedParts[bits], dtype: 'U8', shape: [rows, (inputs * bits) / 8] },
    { of, kind: 'scales', name: name + scales, dtype: 'F32', shape: [rows, blocks] },
    { of, kind: 'zeros', name: name + zeros, dtype: 'U8', shape: [rows, (blocks * bits) / 8] },
  ]
}

export function partBytes({ dtype, shape }: Pick<BasePart, 'dtype' | 'shape'>): number {
  return shape.reduce((product, dim) => product * dim, elementBytes[safetensorsDTypes[dtype]])
}

/** The model as it would be with a base file, for graphs that are only looked at. */
export function plannedBase(source: VlmSource, format: FileFormat): VlmSource {
  let end = 0
  const tensors = partsOf(baseTensors(source, format)).map((part): StoredTensor => {
    const slice: FileSlice = { file: 'planned', offsetBytes: end, sizeBytes: partBytes(part) }
    end += slice.sizeBytes
    return { name: part.name, dtype: safetensorsDTypes[part.dtype], shape: part.shape, slice }
  })
  return { ...source, weights: new Weights(source.weights.folder, new Map([['planned', tensors]])) }
}
