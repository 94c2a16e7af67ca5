// The files of a model folder that describe its tokenizer, checked: tokenizer.json, and the names of special tokens in
// tokenizer_config.json, special_tokens_map.json and processor_config.json. tokenizer.ts computes what they describe.
import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { StudioError } from '../../../shared/errors.ts'
import { brief } from '../folder/configFields.ts'
import { parseJson } from '../folder/json.ts'
import { standIn, standInBytes } from '../folder/standIn.ts'
import { insideFolder } from '../folder/weights.ts'
import { addedTokenSchema } from './addedTokens.ts'
import { bpeSchema } from './bpe.ts'
import { postProcessorSchema } from './postProcessor.ts'
import { preTokenizerSchema } from './preTokenizer.ts'
import { normalizerSchema } from './textNormalizer.ts'
import { decoderSchema } from './tokenDecoder.ts'
import { unigramSchema } from './unigram.ts'

const tokenizerFile = 'tokenizer.json'
/** Vocabularies of 256,000 tokens take some 35 MB. */
const largestFileBytes = 128 * 1024 * 1024

const fileSchema = z.strictObject({
  version: z.string().optional(),
  // Texts are cut and padded by who encodes them, never by the tokenizer.
  truncation: z.unknown(),
  padding: z.unknown(),
  added_tokens: z.array(addedTokenSchema).max(200_000).default([]),
  normalizer: normalizerSchema.nullable().default(null),
  pre_tokenizer: preTokenizerSchema.nullable().default(null),
  post_processor: postProcessorSchema.nullable().default(null),
  decoder: decoderSchema.nullable().default(null),
  model: z.preprocess(withType, z.discriminatedUnion('type', [bpeSchema, unigramSchema])),
})
export type TokenizerFile = z.infer<typeof fileSchema>

/** Old files do not name the type of their model; only BPE has merges. */
function withType(model: unknown): unknown {
  return typeof model === 'object' && model !== null && !('type' in model) && 'merges' in model
    ? { type: 'BPE', ...model }
    : model
}

/**
 * tokenizer.json of a folder, every component known.
 * @throws StudioError `tokenizer.missing-file`, `tokenizer.unreadable`, `tokenizer.outside`, `tokenizer.bad-file`,
 *   `tokenizer.unsupported` with the name of a component that is not computed
 */
export async function readTokenizerFile(folder: string): Promise<TokenizerFile> {
  const path = join(folder, tokenizerFile)
  const raw = await readJson(folder, tokenizerFile)
  if (raw === null) {
    throw tokenizerError('missing-file', path, `${tokenizerFile} is missing.`, {
      remedy: 'Choose a model that comes with a tokenizer.json; tokenizer.model alone is not supported.',
    })
  }
  const parsed = fileSchema.safeParse(raw)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const field = issue?.path.join('.') || 'its root'
  const found = brief(valueAt(raw, issue?.path ?? []))
  // A component's type that is unknown, or a field of a known one that asks for something else.
  if ((field.endsWith('.type') && found !== 'nothing') || issue?.code === 'unrecognized_keys') {
    const name = issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : found
    throw tokenizerError('unsupported', path, `It uses ${name.slice(0, 200)} at ${field}, which is not supported.`, {
      remedy: 'Choose a model whose tokenizer is that of CLIP, SigLIP, LLaMA, Mistral, Qwen, Phi-3 or Gemma 2.',
    })
  }
  throw tokenizerError('bad-file', path, `The field ${field} is wrong: ${issue?.message}.`, {
    found: found.slice(0, 200),
  })
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    raw,
  )
}

const specialNames = ['bos_token', 'eos_token', 'pad_token', 'unk_token', 'image_token'] as const
type SpecialName = (typeof specialNames)[number]
const tokenNameSchema = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)])
  .nullish()
const settingsSchema = z.looseObject({
  ...Object.fromEntries(specialNames.map((name) => [name, tokenNameSchema])),
  add_bos_token: z.boolean().nullish(),
  add_eos_token: z.boolean().nullish(),
  split_special_tokens: z.literal(false).nullish(),
})

/** What the other files of a folder say of its tokenizer. */
export interface TokenizerSettings {
  /** The special tokens, by the names under which transformers and chat templates know them. */
  readonly specialTokens: Partial<Record<SpecialName, string>>
  /** Whether these tokens are put around a text; null where nothing is said. */
  readonly addsBos: boolean | null
  readonly addsEos: boolean | null
}

/**
 * The settings of a folder's tokenizer, from the files where transformers looks for them; later ones win.
 * @throws StudioError `tokenizer.bad-file`, `tokenizer.unreadable`, `tokenizer.outside`
 */
export async function readTokenizerSettings(folder: string): Promise<TokenizerSettings> {
  const specialTokens: Partial<Record<SpecialName, string>> = {}
  let [addsBos, addsEos]: (boolean | null)[] = [null, null]
  for (const name of ['special_tokens_map.json', 'processor_config.json', 'tokenizer_config.json']) {
    const raw = await readJson(folder, name)
    if (raw === null) continue
    const parsed = settingsSchema.safeParse(raw)
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      const what = `The field ${issue?.path.join('.')} is wrong: ${issue?.message}.`
      throw tokenizerError('bad-file', join(folder, name), what)
    }
    for (const special of specialNames) {
      const token = parsed.data[special]
      if (typeof token === 'string') specialTokens[special] = token
    }
    addsBos = parsed.data.add_bos_token ?? addsBos
    addsEos = parsed.data.add_eos_token ?? addsEos
  }
  return { specialTokens, addsBos: addsBos ?? null, addsEos: addsEos ?? null }
}

/**
 * A JSON file of a model folder; null when there is none.
 * @throws StudioError `tokenizer.unreadable`, `tokenizer.outside`, `tokenizer.stand-in`, `tokenizer.bad-file`
 */
export async function readJson(folder: string, name: string): Promise<unknown> {
  const text = await readText(folder, name)
  if (text === null) return null
  try {
    return parseJson(text)
  } catch (cause) {
    throw tokenizerError('bad-file', join(folder, name), 'It is not JSON.', {}, cause)
  }
}

/**
 * A text file of a model folder; null when there is none. Never follows a link out of the folder.
 * @throws StudioError `tokenizer.unreadable`, `tokenizer.outside`, `tokenizer.stand-in`
 */
export async function readText(folder: string, name: string): Promise<string | null> {
  const path = join(folder, name)
  try {
    const real = await insideFolder(folder, name)
    if ((await stat(real)).size > largestFileBytes) {
      throw tokenizerError('unreadable', path, 'It is larger than any tokenizer.')
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(real))
    const other = standIn(text.slice(0, standInBytes))
    if (other) throw tokenizerError('stand-in', path, other.what, { remedy: other.remedy })
    return text
  } catch (cause) {
    if (cause instanceof StudioError && cause.code === 'weights.outside') {
      throw tokenizerError('outside', path, 'It is a link that leads out of the model folder.', {}, cause)
    }
    if (cause instanceof StudioError && cause.code === 'weights.unreadable') {
      throw tokenizerError('unreadable', path, 'It is not a file.', {}, cause)
    }
    if (cause instanceof StudioError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    throw tokenizerError('unreadable', path, `It cannot be read (${code ?? 'unknown'}).`, {}, cause)
  }
}

/** An error about a tokenizer's file: what is wrong in one sentence, and what helps. */
export function tokenizerError(
  problem: string,
  path: string,
  what: string,
  facts: { remedy?: string; expected?: string; found?: string } = {},
  cause?: unknown,
): StudioError {
  const record = {
    code: `tokenizer.${problem}` as const,
    message: `${basename(path)} of this model cannot be used. ${what}`,
    remedy: 'Copy the model again, or choose another one.',
    where: path,
    ...facts,
  }
  return new StudioError(record, { cause })
}
