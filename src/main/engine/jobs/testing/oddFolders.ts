// Model folders as people have them by mistake, or make them to harm: made from the tiny checkpoints of tools/parity, with
// the code and the sentence that a person gets at the check. Used by oddFolders.test.ts and by e2e/oddFolders.spec.ts.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Change, changedFolder, type Fields } from '../../models/testing/changedFolder.ts'
import { fixtureRoot } from '../../models/testing/parityFixtures.ts'

export interface OddFolder {
  readonly what: string
  /** A checkpoint that is changed; null for a folder with nothing but the change. */
  readonly base: 'clip-llama' | 'clip-mistral' | 'clip-encoder' | null
  readonly change: Change
  /** Of the refusal; null for a folder that opens. */
  readonly code: string | null
  /** The sentence, and where the remedy tells more, a part of it. */
  readonly says?: RegExp
  readonly advises?: RegExp
}

/** Makes the folder at `path`, which is not there yet. */
export async function makeOddFolder(path: string, { what, base, change }: OddFolder): Promise<void> {
  if (what === gone) return
  const empty = join(path, '..', 'empty')
  mkdirSync(empty, { recursive: true })
  await changedFolder(base === null ? empty : join(fixtureRoot, base), path, change)
  if (what === leadingOut) symlinkSync(join(fixtureRoot, 'clip-llama', 'config.json'), join(path, 'config.json'))
  if (what === folderAsFile) mkdirSync(join(path, 'config.json'))
  if (what === deeper) await changedFolder(join(fixtureRoot, 'clip-llama'), join(path, 'the model'), {})
  if (what === cache) {
    writeFileSync(join(path, 'refs'), 'f00d')
    mkdirSync(join(path, 'snapshots'))
    await changedFolder(join(fixtureRoot, 'clip-llama'), join(path, 'snapshots', 'f00d'), {})
  }
}

const gone = 'a folder that is not there'
const leadingOut = 'config.json is a link out of the folder'
const folderAsFile = 'config.json is a folder'
const deeper = 'the model is in a folder of the folder'
const cache = 'the cache of a download, not the revision in it'

const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4991495816\n'
const fixture = (file: string): string => readFileSync(join(fixtureRoot, 'clip-llama', file), 'utf8')
const bytes = (file: string): Uint8Array => readFileSync(join(fixtureRoot, 'clip-llama', file))

type Told = Pick<OddFolder, 'code' | 'says' | 'advises'>
const files = (
  what: string,
  content: NonNullable<Change['files']>,
  told: Told,
  base: OddFolder['base'] = 'clip-llama',
) => {
  return { what, base, change: { files: content }, ...told }
}
const json = (what: string, file: string, change: (fields: Fields) => void, told: Told): OddFolder => {
  return { what, base: 'clip-llama', change: { json: { [file]: change } }, ...told }
}
const config = (what: string, fields: Fields, told: Told) =>
  json(what, 'config.json', (all) => Object.assign(all, fields), told)
const text = (what: string, fields: Fields, told: Told) =>
  json(what, 'config.json', (all) => Object.assign(all['text_config'] as Fields, fields), told)
const vision = (what: string, fields: Fields, told: Told) =>
  json(what, 'config.json', (all) => Object.assign(all['vision_config'] as Fields, fields), told)

const missing = (says: RegExp, advises = /./): Told => ({ code: 'model.missing-file', says, advises })
const notCheckpoints: OddFolder[] = [
  files('an empty folder', {}, missing(/^config.json is missing/), null),
  { what: gone, base: null, change: {}, ...missing(/^The folder of this model is no longer there/, /drive/) },
  files('llama.cpp', { 'model-q4.gguf': 'GGUF' }, missing(/llama.cpp \(GGUF\)/, /Hugging Face/), null),
  files('a pipeline', { 'model_index.json': '{}' }, missing(/makes images/, /vision-language/), null),
  files('an adapter', { 'adapter_config.json': '{}' }, missing(/adapter alone/, /trained on/), null),
  files('authors’ own', { 'params.json': '{}', 'consolidated.00.pth': '' }, missing(/authors’ own program/), null),
  files('ONNX', { 'decoder.onnx': '' }, missing(/form of ONNX/), null),
  files('OpenCLIP', { 'open_clip_config.json': '{}' }, missing(/OpenCLIP/), null),
  files('Keras', { 'tf_model.h5': '' }, missing(/form of another program/), null),
  files('packed', { 'model.zip': 'PK' }, missing(/packed file/, /Unpack/), null),
  files(
    'half a download',
    { 'model.safetensors.part': '' },
    missing(/did not finish \(model.safetensors.part\)/),
    null,
  ),
  files(
    'half a download by Hugging Face',
    { '.cache/huggingface/download/ab.incomplete': '' },
    missing(/did not finish/),
    null,
  ),
  { what: deeper, base: null, change: {}, ...missing(/lies deeper/, /the model\.$/) },
  { what: cache, base: null, change: {}, ...missing(/lies deeper/, /snapshots.f00d\.$/) },
]

const standIn = (says: RegExp): Told => ({ code: 'model.stand-in', says })
const badConfig = (says: RegExp): Told => ({ code: 'model.bad-config', says })
const configs: OddFolder[] = [
  files('config.json by git alone', { 'config.json': pointer }, standIn(/placeholder of Git LFS.*5.0 GB/)),
  files('a page of a site', { 'config.json': '<!DOCTYPE html><html>' }, standIn(/page of a web site/)),
  files('a server’s answer', { 'config.json': 'Entry not found' }, standIn(/answer of a server/)),
  files('an empty config.json', { 'config.json': '' }, standIn(/is empty/)),
  files(
    'a config.json cut short',
    { 'config.json': fixture('config.json').slice(0, 200) },
    badConfig(/not a JSON object/),
  ),
  files('a list', { 'config.json': '[]' }, badConfig(/not a JSON object/)),
  files('a config.json of a million brackets', { 'config.json': '['.repeat(1e6) }, badConfig(/not a JSON object/)),
  files('a comma too many', { 'config.json': '{"model_type": "llava",}' }, badConfig(/not a JSON object/)),
  {
    what: leadingOut,
    base: 'clip-llama',
    change: { files: { 'config.json': null } },
    code: 'weights.outside',
    says: /leads out/,
  },
  {
    what: folderAsFile,
    base: 'clip-llama',
    change: { files: { 'config.json': null } },
    code: 'weights.unreadable',
    says: /not a file/,
  },
  files(
    'a byte order mark and line ends of Windows',
    { 'config.json': `\ufeff${fixture('config.json').replaceAll('\n', '\r\n')}` },
    { code: null },
  ),
  files(
    'NaN where it does not matter',
    { 'config.json': fixture('config.json').replace('"initializer_range": 0.02', '"initializer_range": NaN') },
    { code: null },
  ),
  files(
    'NaN where it matters',
    { 'config.json': fixture('config.json').replace('"rms_norm_eps": 1e-05', '"rms_norm_eps": NaN') },
    badConfig(/rms_norm_eps/),
  ),
  vision('heads that do not divide', { hidden_size: 33 }, badConfig(/multiple of its number of heads/)),
  text('terabytes', { hidden_size: 1e12 }, badConfig(/text_config.hidden_size/)),
]

const kind = (model_type: string, architecture: string, says: RegExp, advises = /llava/i): OddFolder =>
  config(architecture, { model_type, architectures: [architecture] }, { code: 'model.unsupported', says, advises })
const quantised = (says: RegExp): Told => ({ code: 'model.quantised', says, advises: /that it was made of/ })
const field = (says: RegExp): Told => ({ code: 'model.unknown-config-field', says, advises: /LLaMA, Mistral, Qwen2/ })
const kinds: OddFolder[] = [
  kind('llava_llama', 'LlavaLlamaForCausalLM', /authors’ own program/, /-hf/),
  kind('paligemma', 'PaliGemmaForConditionalGeneration', /^PaliGemma/),
  kind('qwen2_5_vl', 'Qwen2_5_VLForConditionalGeneration', /^Qwen-VL/),
  kind('internvl_chat', 'InternVLChatModel', /^InternVL/),
  kind('mllama', 'MllamaForConditionalGeneration', /^Llama 3.2 Vision/),
  kind('phi3_v', 'Phi3VForCausalLM', /^Phi Vision/),
  kind('florence2', 'Florence2ForConditionalGeneration', /^Florence-2/),
  kind('blip-2', 'Blip2ForConditionalGeneration', /^BLIP/),
  kind('minicpmv', 'MiniCPMV', /^MiniCPM-V/),
  kind('molmo', 'MolmoForCausalLM', /^Molmo/),
  kind('llama', 'LlamaForCausalLM', /language model, which sees no images/),
  kind('whisper', 'WhisperForConditionalGeneration', /text or speech/),
  kind('dinov2', 'Dinov2Model', /image encoder/),
  kind('blimp', 'BlimpForConditionalGeneration', /kind BlimpForConditionalGeneration/),
  config(
    'no name',
    { model_type: undefined, architectures: undefined },
    { code: 'model.unsupported', says: /does not say what kind/ },
  ),
  config(
    'bitsandbytes',
    { quantization_config: { quant_method: 'bitsandbytes', load_in_4bit: true } },
    quantised(/bitsandbytes to 4 bits/),
  ),
  config('AWQ', { quantization_config: { quant_method: 'awq', bits: 4 } }, quantised(/AWQ to 4 bits/)),
  config('GPTQ', { quantization_config: { quant_method: 'gptq', bits: 8 } }, quantised(/GPTQ to 8 bits/)),
  config('MLX', { quantization: { group_size: 64, bits: 4 } }, quantised(/MLX to 4 bits/)),
  config('a field of the future', { use_telepathy: true }, field(/"use_telepathy" = true/)),
  vision('a tower of Pixtral', { model_type: 'pixtral' }, field(/"vision_config.model_type" = "pixtral"/)),
  text('a decoder of Gemma', { model_type: 'gemma' }, field(/"text_config.model_type" = "gemma"/)),
  text('YaRN', { rope_scaling: { rope_type: 'yarn', factor: 4 } }, field(/rope_type" = "yarn"/)),
  config('what unsloth notes', { unsloth_fixed: true, _attn_implementation: 'sdpa' }, { code: null }),
  { what: 'an encoder as the model', base: 'clip-encoder', change: {}, code: 'model.is-encoder', says: /judges words/ },
]

const contradiction = (says: RegExp): Told => ({
  code: 'model.contradiction',
  says,
  advises: /Copy the whole model again/,
})
const facts: OddFolder[] = [
  config('another image token', { image_token_index: 399 }, contradiction(/399 .* 400 \(<image>\)/)),
  config('an image token of -1', { image_token_index: -1 }, badConfig(/image_token_index/)),
  config('an image token beyond the vocabulary', { image_token_index: 408 }, badConfig(/image_token_index/)),
  {
    ...json(
      'pictures of another size',
      'preprocessor_config.json',
      (all) => Object.assign(all, { size: 28, crop_size: 28 }),
      contradiction(/28 x 28 .* 42 x 42/),
    ),
    change: {
      json: { 'preprocessor_config.json': (all) => Object.assign(all, { size: 28, crop_size: 28 }) },
      files: { 'processor_config.json': null },
    },
  },
  json(
    'an end token beyond the vocabulary',
    'generation_config.json',
    (all) => Object.assign(all, { eos_token_id: 5000 }),
    badConfig(/^generation_config.json.*5000/),
  ),
  json('a padding token of -1', 'generation_config.json', (all) => Object.assign(all, { pad_token_id: -1 }), {
    code: null,
  }),
  json(
    'a padding token beyond the vocabulary',
    'generation_config.json',
    (all) => Object.assign(all, { pad_token_id: 5000 }),
    { code: null },
  ),
  text('a flag that ties another head', { tie_word_embeddings: true }, { code: null }),
  text(
    'a vocabulary of another size than the table',
    { vocab_size: 500 },
    { code: 'weights.wrong-shape', says: /embed_tokens/ },
  ),
  text(
    'positions stretched at once',
    { rope_scaling: { type: 'dynamic', factor: 2 }, max_position_embeddings: 16 },
    { code: 'model.beyond-trained-length', says: /beyond 16 tokens/ },
  ),
]

const weightsFile = 'model.safetensors'
const damaged = (code: string, says: RegExp): Told => ({ code: `weights.${code}`, says })
const weights: OddFolder[] = [
  files('no weights', { [weightsFile]: null }, damaged('none', /no weights/)),
  files('pickles', { [weightsFile]: null, 'pytorch_model.bin': 'PK' }, damaged('pickle', /run programs/)),
  files('weights by git alone', { [weightsFile]: pointer }, damaged('stand-in', /placeholder of Git LFS/)),
  files(
    'weights cut short',
    { [weightsFile]: bytes(weightsFile).subarray(0, 50_000) },
    damaged('truncated', /cut short/),
  ),
  files('zeros', { [weightsFile]: new Uint8Array(5000) }, damaged('stand-in', /zeros only/)),
  files(
    'weights that are a text',
    { [weightsFile]: 'these are no weights '.repeat(99) },
    damaged('not-safetensors', /does not begin/),
  ),
  files(
    'one part alone',
    { [weightsFile]: null, 'model-00001-of-00003.safetensors': bytes(weightsFile) },
    damaged('no-index', /one of several/),
  ),
  files(
    'a part that is missing',
    { 'model-00002-of-00004.safetensors': null },
    damaged('missing-shard', /00002-of-00004/),
    'clip-mistral',
  ),
  files(
    'a list of parts by git alone',
    { 'model.safetensors.index.json': pointer },
    damaged('stand-in', /placeholder/),
    'clip-mistral',
  ),
  files('GGUF beside its config', { [weightsFile]: null, 'model.gguf': '' }, damaged('none', /llama.cpp/)),
  {
    ...{ what: 'a tensor that nothing reads', base: 'clip-llama', ...damaged('unknown-tensor', /extra.weight/) },
    change: {
      tensors: (all) =>
        all.set('extra.weight', { ...all.get('language_model.model.norm.weight')!, name: 'extra.weight' }),
    },
  },
  {
    ...{ what: 'a tensor that is missing', base: 'clip-llama', ...damaged('missing-tensor', /norm.weight/) },
    change: { tensors: (all) => all.delete('language_model.model.norm.weight') },
  },
]

const tokenizer = (code: string, says: RegExp): Told => ({ code: `tokenizer.${code}`, says })
const texts: OddFolder[] = [
  files('no tokenizer', { 'tokenizer.json': null }, tokenizer('missing-file', /tokenizer.json is missing/)),
  files('a tokenizer by git alone', { 'tokenizer.json': pointer }, tokenizer('stand-in', /placeholder of Git LFS/)),
  json(
    'a tokenizer of another kind',
    'tokenizer.json',
    (all) => Object.assign(all['model'] as Fields, { type: 'WordPiece' }),
    tokenizer('unsupported', /WordPiece/),
  ),
  files(
    'a template that never ends',
    { 'chat_template.jinja': '{% for i in range(10000) %}{% for j in range(10000) %}{% endfor %}{% endfor %}' },
    tokenizer('bad-template', /chat template/),
  ),
  files(
    'a template without the image',
    { 'chat_template.jinja': '{{ messages[0].role }}' },
    tokenizer('bad-template', /does not place/),
  ),
  files(
    'a template by git alone',
    { 'chat_template.jinja': pointer },
    tokenizer('stand-in', /^chat_template.jinja.*placeholder/),
  ),
  files(
    'a template of another language',
    { 'chat_template.jinja': '{% if %}' },
    tokenizer('bad-template', /cannot be read/),
  ),
  files(
    'no picture processor',
    { 'preprocessor_config.json': null, 'processor_config.json': null },
    missing(/preprocessor_config.json is missing/),
  ),
  {
    ...{
      what: 'another picture processor',
      base: 'clip-llama',
      code: 'model.unknown-config-field',
      says: /image_processor_type/,
    },
    change: {
      json: {
        'preprocessor_config.json': (all) => Object.assign(all, { image_processor_type: 'PixtralImageProcessor' }),
      },
      files: { 'processor_config.json': null },
    },
  },
]

export const oddFolders: readonly OddFolder[] = [
  ...notCheckpoints,
  ...configs,
  ...kinds,
  ...facts,
  ...weights,
  ...texts,
]
