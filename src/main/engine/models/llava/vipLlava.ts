// ViP-LLaVA (Cai et al. 2024): LLaVA whose projector sees several layers of its CLIP tower beside each other, after a norm
// over all of them. Arrows and boxes that a person draws into an image are pixels like any other.
import { tensorOps } from '../../graph/tensorOps.ts'
import type { Architecture } from '../architecture.ts'
import { layerNorm } from '../shared/encoderLayers.ts'
import { llava } from './llava.ts'
import { readVipLlavaConfig, type VipLlavaConfig } from './vipLlavaConfig.ts'

export const vipLlava: Architecture<VipLlavaConfig> = {
  ...llava,
  title: 'ViP-LLaVA',
  architectures: ['VipLlavaForConditionalGeneration'],
  modelTypes: ['vipllava'],
  readConfig: readVipLlavaConfig,
  projector(g, p, config, features) {
    const normed = layerNorm(tensorOps(g), p, 'projector_layernorm', features, config.projectorEpsilon)
    return llava.projector(g, p, config, normed)
  },
}
