// A vision-language model, ready to be used: its architecture, its config, and its weights checked against it. Before it
// stands a Hugging Face folder, after it rollouts, training and evaluation.
import { StudioError } from '../../../shared/errors.ts'
import { openWeights, type Weights } from '../folder/weights.ts'
import type { Graph } from '../graph/ir.ts'
import { describeVlm } from './registry.ts'
import { table as embeddingTable } from './shared/decoder.ts'
import { type ModuleNames, storedName } from './shared/parameters.ts'
import { compareTensors } from './shared/tensorComparison.ts'
import { responseGraph, type VlmSource, visionGraph } from './vlmGraphs.ts'

/**
 * The config and weights of a folder, every tensor checked for its name, shape and dtype. Reads headers only, and the head
 * where a config says that it is the embedding table.
 * @throws StudioError what `describeVlm`, `openWeights` and `storedParameters` throw, `weights.unknown-tensor`
 */
export async function openVlm(folder: string): Promise<VlmSource> {
  const source = withStoredHead({ ...(await describeVlm(folder)), weights: await openWeights(folder) })
  return checked(await source)
}

/**
 * transformers ties a head to the embedding table only where the two are equal, whatever the config says: a checkpoint
 * with another head means that head.
 */
async function withStoredHead(source: VlmSource): Promise<VlmSource> {
  const { architecture, config, weights } = source
  const head = storedName(weights, architecture.names.head, 'weight')
  if (!config.decoder.tied || !weights.has(head)) return source
  const table = storedName(weights, architecture.names.decoder, `${embeddingTable}.weight`)
  const equality = await compareTensors(weights.get(head), weights.get(table))
  const tied = equality === 'identical' || equality === 'same-values'
  return { ...source, config: { ...config, decoder: { ...config.decoder, tied } } }
}

function checked(source: VlmSource): VlmSource {
  const { arrangement, supported, names } = source.architecture
  const graphs = [visionGraph(source), responseGraph(source, {}).graph]
  const { decoder, vision } = source.config
  const used = graphs.flatMap(({ initializers }) =>
    initializers.map(({ value }) => layerOf(names.tower, value.name) ?? -1),
  )
  const lastUsed = Math.max(...used)
  const isUnused = (name: string): boolean => {
    if (decoder.tied && names.head.some((prefix) => name === `${prefix}weight`)) return true
    const layer = layerOf(names.tower, name)
    // Layers of the tower after the one that is handed on, its last norm and its pooling.
    if (layer !== null) return layer > lastUsed && layer < vision.layers
    return /^(post_layernorm|head)\./.test(pathIn(names.tower, name) ?? '')
  }
  const all = { ...names, ...(arrangement && { lineEnd: arrangement.lineEnd }) }
  requireKnownTensors(source.weights, all, graphs, isUnused, supported)
  return source
}

/** Where a tensor stands in a module, by the first of its prefixes that fits; null for one of another module. */
function pathIn(prefixes: readonly string[], name: string): string | null {
  const prefix = prefixes.find((each) => name.startsWith(each))
  return prefix === undefined ? null : name.slice(prefix.length)
}

/** The layer of a tower that a tensor belongs to; null for what belongs to none. */
function layerOf(tower: readonly string[], name: string): number | null {
  const layer = /^encoder\.layers\.(\d+)\./.exec(pathIn(tower, name) ?? '')?.[1]
  return layer === undefined ? null : Number(layer)
}

/** Tensors that older versions of transformers stored and nothing computes with. */
const buffers = /(rotary_emb\.|\.position_ids$|\.inv_freq$)/

/**
 * A tensor that no graph reads would mean other mathematics than this, such as a norm of the queries.
 * @param isUnused whether a tensor of this name may stay unread
 * @param supported models to choose instead
 * @throws StudioError `weights.unknown-tensor`
 */
export function requireKnownTensors(
  weights: Weights,
  names: ModuleNames,
  graphs: readonly Graph[],
  isUnused: (name: string) => boolean,
  supported: string,
): void {
  const read = new Set(
    graphs.flatMap(({ initializers }) => initializers.map(({ value }) => storedAs(weights, names, value.name))),
  )
  const unknown = weights.names.filter((name) => !read.has(name) && !buffers.test(name) && !isUnused(name))
  if (unknown.length === 0) return
  throw new StudioError({
    code: 'weights.unknown-tensor',
    message: `This model has parts that FiSAO Studio does not compute: ${unknown.slice(0, 3).join(', ')}.`,
    remedy: `Choose ${supported}.`,
    expected: 'only tensors that its config.json asks for',
    found: `${unknown.length} more`,
    where: weights.folder,
  })
}

/** The stored name of a graph's value, which is called as the first spelling of its module. */
function storedAs(weights: Weights, names: ModuleNames, name: string): string {
  const prefixes = Object.values(names).find(([first]) => name.startsWith(first))
  return prefixes ? storedName(weights, prefixes, name.slice(prefixes[0].length)) : name
}
