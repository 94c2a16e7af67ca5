// A vision-language model, ready to be used: its architecture, its config, and its weights checked against it. Before it
// stands a Hugging Face folder, after it rollouts, training and evaluation.
import { StudioError } from '../../../shared/errors.ts'
import { openWeights, type Weights } from '../folder/weights.ts'
import type { Graph } from '../graph/ir.ts'
import { describeVlm } from './registry.ts'
import { type ModuleNames, storedName } from './shared/parameters.ts'
import { responseGraph, type VlmSource, visionGraph } from './vlmGraphs.ts'

/**
 * The config and weights of a folder, every tensor checked for its name, shape and dtype. Reads headers only.
 * @throws StudioError what `describeVlm`, `openWeights` and `storedParameters` throw, `weights.unknown-tensor`
 */
export async function openVlm(folder: string): Promise<VlmSource> {
  const source = { ...(await describeVlm(folder)), weights: await openWeights(folder) }
  const { names, supported } = source.architecture
  // Layers of a tower after the one that is handed on stay unread, and the copy of a tied head.
  const unused = [...names.tower, ...names.head]
  const graphs = [visionGraph(source), responseGraph(source, {}).graph]
  requireKnownTensors(
    source.weights,
    names,
    graphs,
    (name) => unused.some((prefix) => name.startsWith(prefix)),
    supported,
  )
  return source
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
