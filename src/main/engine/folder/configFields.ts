// Reads one section of a Hugging Face config.json: known fields with the defaults of transformers, and a refusal of
// every field that may change the mathematics and is not computed here. Asked by the
// architectures of models/.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { z } from 'zod'
import { type ErrorRecord, StudioError } from '../../../shared/errors.ts'
import { parseJson } from './json.ts'
import { insideFolder } from './weights.ts'

/** A count of layers, heads, tokens or the width of a layer; the bound keeps a broken file from asking for terabytes. */
export const size = z.int().positive().max(4_000_000)
export const tokenId = z.int().nonnegative().max(4_000_000)
export const epsilon = z.number().positive().max(0.1)

/** Fields that any section may hold and that do not change what the model computes in evaluation. */
const describing = new Set(
  `_name_or_path _commit_hash _attn_implementation_autoset architectures transformers_version dtype torch_dtype
  model_type initializer_range initializer_factor use_cache id2label label2id problem_type return_dict
  output_hidden_states output_attentions torchscript tf_legacy_loss finetuning_task task_specific_params
  tokenizer_class prefix use_bfloat16 ignore_index attention_dropout dropout hidden_dropout pretraining_tp
  gradient_checkpointing logit_scale_init_value is_decoder max_length min_length do_sample early_stopping num_beams
  num_beam_groups diversity_penalty temperature top_k top_p typical_p repetition_penalty length_penalty
  no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids num_return_sequences output_scores
  return_dict_in_generate forced_bos_token_id forced_eos_token_id remove_invalid_values
  exponential_decay_length_penalty suppress_tokens begin_suppress_tokens sep_token_id decoder_start_token_id
  chunk_size_feed_forward unk_token_id model_max_length image_seq_length`.split(/\s+/),
)

/**
 * @throws StudioError `model.missing-file`, `model.bad-config` when the file is not a JSON object, `weights.outside`,
 *   `weights.unreadable`
 */
export async function readJsonObject(path: string): Promise<Record<string, unknown>> {
  let text: string
  try {
    text = await readFile(await insideFolder(dirname(path), basename(path)), 'utf8')
  } catch (cause) {
    if (cause instanceof StudioError) throw cause
    if (!existsSync(dirname(path))) throw goneFolder(dirname(path), cause)
    throw modelError(
      {
        code: 'model.missing-file',
        message: `${basename(path)} is missing or cannot be read.`,
        remedy: 'Choose the folder of a whole Hugging Face checkpoint.',
        where: path,
      },
      cause,
    )
  }
  try {
    return z.record(z.string(), z.unknown()).parse(parseJson(text))
  } catch (cause) {
    throw badConfig(path, 'It is not a JSON object.', cause)
  }
}

function goneFolder(folder: string, cause: unknown): StudioError {
  return modelError(
    {
      code: 'model.missing-file',
      message: 'The folder of this model is no longer there, or its drive is not connected.',
      remedy: 'Connect the drive that it is on, or say where the folder is now.',
      where: folder,
    },
    cause,
  )
}

/**
 * The section's fields by the schema, whose keys are the known fields.
 * @param section path of the section in the file, '' for the file itself
 * @param ignored further fields that change nothing in this section
 * @throws StudioError `model.bad-config`, `model.unknown-config-field`
 */
export function readSection<Shape extends z.ZodRawShape>(
  path: string,
  section: string,
  raw: unknown,
  shape: Shape,
  ignored: readonly string[] = [],
): z.infer<z.ZodObject<Shape>> {
  const parsed = z.looseObject(shape).safeParse(raw)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const field = [section, ...(issue?.path ?? [])].filter((part) => part !== '').join('.')
    throw badConfig(path, `The field ${field || 'at its root'} is wrong: ${issue?.message}.`)
  }
  for (const [field, value] of Object.entries(raw as Record<string, unknown>)) {
    if (field in shape || describing.has(field) || ignored.includes(field) || isNothing(value)) continue
    throw unknownField(path, section === '' ? field : `${section}.${field}`, value)
  }
  return parsed.data as z.infer<z.ZodObject<Shape>>
}

/** What transformers writes for a feature that is not used. */
function isNothing(value: unknown): boolean {
  if (value === null || value === false) return true
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

/** A value of a JSON file for a message: the numbers and texts of a flat one, only the kind of a nested one. */
export function brief(value: unknown): string {
  if (value === undefined) return 'nothing'
  const isNested = typeof value === 'object' && value !== null
  // Stringifying what is nested very deeply would overflow the stack.
  const isFlat = isNested && Object.values(value).every((part) => typeof part !== 'object' || part === null)
  if (isNested && !isFlat) return Array.isArray(value) ? 'a nested list' : 'a nested object'
  return JSON.stringify(value).slice(0, 200)
}

export function badConfig(path: string, what: string, cause?: unknown): StudioError {
  return modelError(
    {
      code: 'model.bad-config',
      message: `${basename(path)} of this model cannot be used. ${what}`,
      remedy: 'Copy the model again, or choose another one.',
      where: path,
    },
    cause,
  )
}

/** @throws StudioError always: for what a field asks and the engine does not compute */
export function unknownField(path: string, field: string, value: unknown, expected?: string): StudioError {
  return modelError({
    code: 'model.unknown-config-field',
    message: `This model uses "${field}", which FiSAO Studio does not compute.`,
    remedy: 'Choose a model without it.',
    ...(expected !== undefined && { expected }),
    found: brief(value),
    where: path,
  })
}

function modelError(record: ErrorRecord, cause?: unknown): StudioError {
  return new StudioError(record, cause === undefined ? undefined : { cause })
}
