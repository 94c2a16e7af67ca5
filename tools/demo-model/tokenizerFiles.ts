// The demo model's tokenizers as Hugging Face stores them: one vocabulary, read with case by the language model and
// without by its companion. bpe.ts makes the vocabulary from what the demo world says.
import { Tokenizer } from '@huggingface/tokenizers'
import { trainBpe, type Vocabulary } from './bpe.ts'
import { classNames, scenesOf, splits, trainingCaption, wordPrompts } from './world.ts'

/** Few enough that some names of classes take several tokens, as words do in the vocabularies of large models. */
const mergeCount = 290
const corpusScenes = 8_000

/** After the vocabulary; none may have the id 2, which older CLIP configs take for something else. */
export const specialTokens = ['<s>', '</s>', '<pad>', '<image>'] as const
export type SpecialToken = (typeof specialTokens)[number]

/** What a person may ask of the model; it was trained on these. */
export const instructions: readonly string[] = [
  'Describe this image.',
  'What is in this image?',
  'Please describe this image in detail.',
]

/** LLaVA 1.5's prompt (Liu et al. 2023) for one question. */
export function promptText(instruction: string): string {
  return `USER: <image>\n${instruction} ASSISTANT:`
}

export const chatTemplate =
  "{% for message in messages %}{{ message['role'].upper() + ': ' }}" +
  "{% if message['content'] is string %}{{ message['content'] + ' ' }}{% else %}" +
  "{% for part in message['content'] if part['type'] == 'image' %}{{ '<image>\n' }}{% endfor %}" +
  "{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] + ' ' }}{% endfor %}{% endif %}" +
  "{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"

/** The vocabulary of the demo world's captions and prompts; the same on every machine. */
export function demoVocabulary(): Vocabulary {
  return trainBpe(corpus(), mergeCount)
}

function* corpus(): Iterable<string> {
  for (const scene of scenesOf({ seed: splits.train.seed, count: corpusScenes })) {
    const caption = ` ${trainingCaption(scene, 0, 0)}`
    yield caption
    yield caption.toLowerCase().slice(1)
  }
  for (const name of classNames) for (const prompt of wordPrompts) for (let i = 0; i < 10; i++) yield prompt(name)
  for (const instruction of instructions) for (let i = 0; i < 1000; i++) yield promptText(instruction)
}

export type TokenizerUse = 'language' | 'companion'

/** `tokenizer.json`, as the `tokenizers` library writes it. */
export function tokenizerJson({ tokens, merges }: Vocabulary, use: TokenizerUse): Record<string, unknown> {
  const idOf = specialIds(tokens.length)
  const special = (id: SpecialToken) => ({ SpecialToken: { id, type_id: 0 } })
  const sequence = { Sequence: { id: 'A', type_id: 0 } }
  const single = use === 'language' ? [special('<s>'), sequence] : [special('<s>'), sequence, special('</s>')]
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content) => ({
      id: idOf[content],
      content,
      ...{ single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
    })),
    normalizer: use === 'companion' ? { type: 'Lowercase' } : null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: Object.fromEntries(
        (['<s>', '</s>'] as const).map((id) => [id, { id, ids: [idOf[id]], tokens: [id] }]),
      ),
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      ...{ dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: false },
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map((pair) => [...pair]),
    },
  }
}

/** `tokenizer_config.json`. */
export function tokenizerConfig(use: TokenizerUse, maxLength: number): Record<string, unknown> {
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    ...{ bos_token: '<s>', eos_token: '</s>', pad_token: '<pad>' },
    model_max_length: maxLength,
    clean_up_tokenization_spaces: false,
    ...(use === 'language' && {
      ...{ image_token: '<image>', padding_side: 'left', chat_template: chatTemplate },
      additional_special_tokens: ['<image>'],
    }),
  }
}

export function specialIds(vocabularySize: number): Record<SpecialToken, number> {
  const ids = specialTokens.map((token, i) => [token, vocabularySize + i])
  return Object.fromEntries(ids) as Record<SpecialToken, number>
}

/** Texts to token ids as the files say, special tokens included. */
export function encoderOf(vocabulary: Vocabulary, use: TokenizerUse): (text: string) => number[] {
  const tokenizer = new Tokenizer(tokenizerJson(vocabulary, use), tokenizerConfig(use, 512))
  return (text) => tokenizer.encode(text).ids
}
