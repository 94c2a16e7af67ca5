// The sizes of the demo model, as the config.json files that are written beside its weights.
// Training builds its graphs from them through the engine's own readers.
import { pictureEdge } from './pictures.ts'
import { specialIds } from './tokenizerFiles.ts'

/** Vocabulary with special tokens, from that without. */
export const vocabularySize = (tokens: number): number => tokens + Object.keys(specialIds(tokens)).length

/** Pixels on a side of a patch. */
export const patchSize = 12

const visionConfig = {
  model_type: 'clip_vision_model',
  ...{ hidden_size: 96, intermediate_size: 384, num_hidden_layers: 4, num_attention_heads: 4, num_channels: 3 },
  ...{
    image_size: pictureEdge,
    patch_size: patchSize,
    hidden_act: 'quick_gelu',
    layer_norm_eps: 1e-5,
    projection_dim: 96,
  },
}

/** The companion's config.json. @param tokens size of the vocabulary without special tokens */
export function companionConfig(tokens: number): Record<string, unknown> {
  const ids = specialIds(tokens)
  return {
    architectures: ['CLIPModel'],
    model_type: 'clip',
    projection_dim: visionConfig.projection_dim,
    logit_scale_init_value: 2.6592,
    torch_dtype: 'float32',
    vision_config: visionConfig,
    text_config: {
      model_type: 'clip_text_model',
      ...{ hidden_size: 96, intermediate_size: 256, num_hidden_layers: 2, num_attention_heads: 4 },
      ...{ vocab_size: vocabularySize(tokens), max_position_embeddings: 64, hidden_act: 'quick_gelu' },
      ...{ layer_norm_eps: 1e-5, projection_dim: visionConfig.projection_dim },
      ...{ bos_token_id: ids['<s>'], eos_token_id: ids['</s>'], pad_token_id: ids['<pad>'] },
    },
  }
}

/** The vision-language model's config.json. */
export function vlmConfig(tokens: number): Record<string, unknown> {
  const ids = specialIds(tokens)
  return {
    architectures: ['LlavaForConditionalGeneration'],
    model_type: 'llava',
    image_token_index: ids['<image>'],
    ...{ ignore_index: -100, projector_hidden_act: 'gelu', torch_dtype: 'float32' },
    ...{ vision_feature_layer: -1, vision_feature_select_strategy: 'default' },
    pad_token_id: ids['<pad>'],
    tie_word_embeddings: true,
    vision_config: visionConfig,
    text_config: {
      model_type: 'llama',
      ...{ hidden_size: 128, intermediate_size: 352, num_hidden_layers: 4, num_attention_heads: 4 },
      ...{ num_key_value_heads: 4, hidden_act: 'silu', rms_norm_eps: 1e-6, rope_theta: 10000 },
      ...{ max_position_embeddings: 512, vocab_size: vocabularySize(tokens), tie_word_embeddings: true },
      ...{ bos_token_id: ids['<s>'], eos_token_id: ids['</s>'], pad_token_id: ids['<pad>'] },
    },
  }
}
