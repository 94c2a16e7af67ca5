// config.json of a ViP-LLaVA checkpoint (Cai et al. 2024), with the defaults of transformers.
import { join } from 'node:path'
import { epsilon, readSection, unknownField } from '../../folder/configFields.ts'
import { featureLayer, type LlavaConfig, llavaDefaults, readLlavaConfig } from './config.ts'

export interface VipLlavaConfig extends LlavaConfig {
  /** Of the norm before the projector. */
  readonly projectorEpsilon: number
}

const ownShape = {
  projector_layernorm_eps: epsilon.default(1e-5),
  // As the hub and transformers 4 spell it, and as transformers 5 does.
  vision_feature_layers: featureLayer.optional(),
  vision_feature_layer: featureLayer.optional(),
}

/**
 * The config of a `VipLlavaForConditionalGeneration` checkpoint.
 * @param raw config.json
 * @throws StudioError `model.bad-config`, `model.unknown-config-field`
 */
export async function readVipLlavaConfig(
  folder: string,
  raw: Readonly<Record<string, unknown>>,
): Promise<VipLlavaConfig> {
  const path = join(folder, 'config.json')
  const { projector_layernorm_eps, vision_feature_layers, vision_feature_layer, ...rest } = raw
  const own = readSection(path, '', { projector_layernorm_eps, vision_feature_layers, vision_feature_layer }, ownShape)
  // The layers are always taken without the class token, and its projector always has biases.
  const fixed = { vision_feature_select_strategy: 'default', multimodal_projector_bias: true }
  for (const [field, value] of Object.entries(fixed)) {
    if (raw[field] !== undefined && raw[field] !== value) throw unknownField(path, field, raw[field], `${value}`)
  }
  const type = raw['vision_config'] && (raw['vision_config'] as Record<string, unknown>)['model_type']
  if (typeof type === 'string' && type !== 'clip_vision_model') {
    throw unknownField(path, 'vision_config.model_type', type, 'clip_vision_model: its class token is left out')
  }
  const layers = own.vision_feature_layer ?? own.vision_feature_layers ?? [-2, -5, -8, -11, 6]
  const config = await readLlavaConfig(folder, { ...rest, vision_feature_layer: layers }, llavaDefaults)
  return { ...config, projectorEpsilon: own.projector_layernorm_eps }
}
