// A LLaVA checkpoint, ready to be used: its config, its weights checked against it, its tokenizer, prompt template
// and image processor. Before it stands a Hugging Face folder, after it rollouts, training and evaluation.
import { StudioError } from '../../../shared/errors.ts'
import { openWeights, type Weights } from '../folder/weights.ts'
import type { Graph } from '../graph/ir.ts'
import { readVlmConfig } from './hfConfig.ts'
import { storedName } from './shared/parameters.ts'
import { responseGraph, type VlmSource, visionGraph } from './vlmGraphs.ts'

/**
 * The config and weights of a LLaVA folder, every tensor checked for its name, shape and dtype. Reads headers only.
 * @throws StudioError what `readVlmConfig`, `openWeights` and `storedParameters` throw, `weights.unknown-tensor`
 */
export async function openVlm(folder: string): Promise<VlmSource> {
  const source = { config: await readVlmConfig(folder), weights: await openWeights(folder) }
  requireKnownTensors(
    source.weights,
    [visionGraph(source), responseGraph(source, {}).graph],
    /^(model\.)?vision_tower\./,
  )
  return source
}

/** Tensors that older versions of transformers stored and nothing computes with. */
const buffers = /(rotary_emb\.|\.position_ids$|\.inv_freq$|^lm_head\.|^language_model\.lm_head\.)/

/**
 * A tensor that no graph reads would mean other mathematics than this, such as a norm of the queries.
 * @param unused names that may stay unread, e.g. layers of a tower after the one that is handed on
 * @throws StudioError `weights.unknown-tensor`
 */
export function requireKnownTensors(weights: Weights, graphs: readonly Graph[], unused: RegExp): void {
  const read = new Set(
    graphs.flatMap(({ initializers }) => initializers.map(({ value }) => storedName(weights, value.name))),
  )
  const unknown = weights.names.filter((name) => !read.has(name) && !buffers.test(name) && !unused.test(name))
  if (unknown.length === 0) return
  throw new StudioError({
    code: 'weights.unknown-tensor',
    message: `This model has parts that FiSAO Studio does not compute: ${unknown.slice(0, 3).join(', ')}.`,
    remedy: 'Choose a LLaVA model with a CLIP or SigLIP tower and a LLaMA, Mistral or Qwen2 decoder.',
    expected: 'only tensors that its config.json asks for',
    found: `${unknown.length} more`,
    where: weights.folder,
  })
}
