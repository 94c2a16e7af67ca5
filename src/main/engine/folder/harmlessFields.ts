// Fields of a Hugging Face config that change nothing of what is computed: what tools write down for themselves, and
// known mathematics at the value at which it does nothing. configFields.ts refuses all others by name.

/** Fields that any section may hold and that do not change what the model computes in evaluation. */
const describing = new Set(
  `_name_or_path _commit_hash _attn_implementation_autoset architectures transformers_version dtype torch_dtype
  model_type initializer_range initializer_factor use_cache id2label label2id problem_type return_dict
  output_hidden_states output_attentions torchscript tf_legacy_loss finetuning_task task_specific_params
  tokenizer_class prefix use_bfloat16 ignore_index pretraining_tp
  gradient_checkpointing logit_scale_init_value is_decoder max_length min_length do_sample early_stopping num_beams
  num_beam_groups diversity_penalty temperature top_k top_p typical_p repetition_penalty length_penalty
  no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids num_return_sequences output_scores
  return_dict_in_generate forced_bos_token_id forced_eos_token_id remove_invalid_values
  exponential_decay_length_penalty suppress_tokens begin_suppress_tokens sep_token_id decoder_start_token_id
  chunk_size_feed_forward unk_token_id model_max_length image_seq_length auto_map transformers.js_config
  max_sequence_length max_new_tokens tokenizer_model_max_length tokenizer_padding_side attn_implementation
  use_flash_attn use_flash_attention use_flash_attention_2 use_sdpa name_or_path model_name license
  drop_path_rate is_composition keys_to_ignore_at_inference sub_configs base_config_key`.split(/\s+/),
)

/** Families of such fields: of unsloth, of how attention is carried out, and dropout, which evaluation and PPO leave out. */
const families =
  /^(unsloth_|_attn_|_flash_attn|_sub_config|_experts_implementation)|(^|_)dropout(_|$)|_pdrop$|^layerdrop$/

/** Mathematics that transformers knows of other models, at the values at which it changes nothing. */
const neutral: Readonly<Record<string, readonly unknown[]>> = {
  partial_rotary_factor: [1],
  rotary_pct: [1],
  residual_multiplier: [1],
  embedding_multiplier: [1],
  logits_scaling: [1],
  logit_scale: [1],
  scale_emb: [1],
  scale_depth: [0],
  full_attn_mod: [1],
  interpolate_factor: [1],
  num_registers: [0],
  num_register_tokens: [0],
  num_experts: [0],
  num_local_experts: [0, 1],
  n_routed_experts: [0],
}

/** Whether a field at this value may be left unread. */
export function isHarmless(field: string, value: unknown): boolean {
  if (describing.has(field) || families.test(field) || isNothing(value)) return true
  return Object.hasOwn(neutral, field) && (neutral[field] as readonly unknown[]).includes(value)
}

/** What transformers writes for a feature that is not used. */
function isNothing(value: unknown): boolean {
  if (value === null || value === false) return true
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
