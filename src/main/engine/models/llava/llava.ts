// LLaVA (Liu et al. 2023): the hidden states of a CLIP or SigLIP tower, through two linear layers, become one row of the
// prompt each.
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'
import { tensorOps } from '../../graph/tensorOps.ts'
import type { Architecture } from '../architecture.ts'
import { activate } from '../shared/activation.ts'
import type { Parameters } from '../shared/parameters.ts'
import { patchCount } from '../shared/towerConfig.ts'
import { towerStates } from '../shared/visionTower.ts'
import { type LlavaConfig, readLlavaConfig } from './config.ts'

export const llava: Architecture<LlavaConfig> = {
  title: 'LLaVA',
  architectures: ['LlavaForConditionalGeneration'],
  modelTypes: ['llava'],
  supported: 'a LLaVA model with a CLIP or SigLIP tower and a decoder of LLaMA, Mistral, Qwen2, Qwen3, Phi3 or Gemma 2',
  // As transformers 4 and the hub write them, by the modules' own names, and as transformers 5 does.
  names: {
    tower: ['vision_tower.vision_model.', 'model.vision_tower.vision_model.', 'vision_tower.', 'model.vision_tower.'],
    projector: ['multi_modal_projector.', 'model.multi_modal_projector.'],
    decoder: ['language_model.model.', 'model.language_model.'],
    head: ['language_model.lm_head.', 'lm_head.'],
  },
  peftPrefix: 'model.language_model.',
  readConfig: readLlavaConfig,
  imageLayout(config) {
    const rows = towerRows(config)
    return { tiles: 1, rows, tokens: rows, promptText: (imageToken) => imageToken.repeat(rows) }
  },
  towerFeatures,
  towerWidth: ({ vision, featureLayers }) => vision.hiddenSize * featureLayers.length,
  projector,
}

function towerRows({ vision, featureStrategy }: LlavaConfig): number {
  return patchCount(vision) + (vision.kind === 'clip' && featureStrategy === 'full' ? 1 : 0)
}

function towerFeatures(g: GraphBuilder, tower: Parameters, config: LlavaConfig, pixels: Value): Value {
  const ops = tensorOps(g)
  const { vision, featureLayers, featureStrategy } = config
  const indices = featureLayers.map((layer) => (layer < 0 ? vision.layers + 1 + layer : layer))
  const states = towerStates(g, tower, vision, pixels, Math.max(...indices))
  const chosen = ops.concat(
    indices.map((index) => states[index] as Value),
    -1,
  )
  return featureStrategy === 'default' ? ops.slice(chosen, 1, 1) : chosen
}

/** linear_2(act(linear_1 x)). */
function projector(g: GraphBuilder, p: Parameters, { projector, decoder }: LlavaConfig, features: Value): Value {
  const { activation, bias } = projector
  const layer = (name: string, x: Value) => p.linear(name, x, decoder.hiddenSize, { bias })
  return layer('linear_2', activate(tensorOps(g), activation, layer('linear_1', features)))
}
