// The tokenizer of a GGUF file as Hugging Face stores it: tokenizer.json and tokenizer_config.json. Before it stands
// llamaFolder.ts's metadata, after it convert.ts.
import type { Metadata } from './llamaFolder.ts'

/** `LLAMA_TOKEN_TYPE_CONTROL` */
const controlType = 3

/** A token that texts are searched for before anything else. */
export function addedToken(id: number, content: string): Record<string, unknown> {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
}

/**
 * tokenizer.json: byte-level BPE that reads each digit apart, which is what llama.cpp calls `smollm`.
 * @throws StudioError `weights.unsupported-model` for any other, `weights.bad-header`
 */
export function tokenizerJson(metadata: Metadata): Record<string, unknown> {
  metadata.require('tokenizer.ggml.model', 'gpt2')
  metadata.require('tokenizer.ggml.pre', 'smollm')
  const tokens = metadata.strings('tokenizer.ggml.tokens')
  const types = metadata.numbers('tokenizer.ggml.token_type')
  const byteLevel = { type: 'ByteLevel', trim_offsets: true, use_regex: true }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: tokens.flatMap((token, id) => (types[id] === controlType ? [addedToken(id, token)] : [])),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Digits', individual_digits: true },
        { ...byteLevel, add_prefix_space: false },
      ],
    },
    post_processor: null,
    decoder: { ...byteLevel, add_prefix_space: true },
    model: {
      type: 'BPE',
      ...{ dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: false },
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      // Spaces are another letter in tokens of bytes, so the one space lies between the two.
      merges: metadata.strings('tokenizer.ggml.merges').map((merge) => merge.split(' ')),
    },
  }
}

/** tokenizer_config.json, with the file's chat template. @throws StudioError `weights.bad-header` */
export function tokenizerConfig(metadata: Metadata): Record<string, unknown> {
  const tokens = metadata.strings('tokenizer.ggml.tokens')
  const named = (name: string) => tokens[metadata.number(`tokenizer.ggml.${name}_token_id`)]
  return {
    // The general class, which takes tokenizer.json as it is; GPT-2's own would part digits in its way.
    tokenizer_class: 'PreTrainedTokenizerFast',
    ...{ bos_token: named('bos'), eos_token: named('eos'), unk_token: named('unknown'), pad_token: named('padding') },
    model_max_length: metadata.number('llama.context_length'),
    clean_up_tokenization_spaces: false,
    chat_template: metadata.string('tokenizer.chat_template'),
  }
}
