// Reads one section of a Hugging Face config.json: known fields with the defaults of transformers, and a refusal of
// every field that may change the mathematics and is not computed here. Asked by the
// architectures of models/.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { z } from 'zod'
import { type ErrorRecord, StudioError } from '../../../shared/errors.ts'
import { folderKind } from './folderKind.ts'
import { isHarmless } from './harmlessFields.ts'
import { parseJson } from './json.ts'
import { standIn, standInBytes } from './standIn.ts'
import { insideFolder } from './weights.ts'

/** A count of layers, heads, tokens or the width of a layer; the bound keeps a broken file from asking for terabytes. */
export const size = z.int().positive().max(4_000_000)
export const tokenId = z.int().nonnegative().max(4_000_000)
export const epsilon = z.number().positive().max(0.1)

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
    throw missingFile(path, cause)
  }
  const other = standIn(text.slice(0, standInBytes))
  if (other) {
    throw modelError({
      code: 'model.stand-in',
      message: `${basename(path)} of this model cannot be used. ${other.what}`,
      remedy: other.remedy,
      where: path,
    })
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
 * @throws StudioError `model.bad-config`, `model.quantised`, `model.unknown-config-field`
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
    if (field in shape || ignored.includes(field) || isHarmless(field, value)) continue
    throw quantised(path, field, value) ?? unknownField(path, section === '' ? field : `${section}.${field}`, value)
  }
  return parsed.data as z.infer<z.ZodObject<Shape>>
}

/** A file that every checkpoint has. What lies in its place, the folder's other files tell of config.json. */
function missingFile(path: string, cause: unknown): StudioError {
  const kind = basename(path) === 'config.json' ? folderKind(dirname(path)) : null
  return modelError(
    {
      code: 'model.missing-file',
      message: `${kind ? `${kind.what} ` : ''}${basename(path)} is missing or cannot be read.`,
      remedy: kind?.remedy ?? 'Choose the folder of a whole Hugging Face checkpoint.',
      where: path,
    },
    cause,
  )
}

/**
 * A model whose weights were made smaller by rounding them to a few bits; nothing is trained on them here.
 * @returns null for a field that says nothing of it
 */
function quantised(path: string, field: string, value: unknown): StudioError | null {
  // MLX calls it `quantization`, everybody else `quantization_config`.
  if (field !== 'quantization_config' && field !== 'quantization') return null
  const { quant_method: method, bits, load_in_4bit, load_in_8bit } = Object(value) as Record<string, unknown>
  const names: Readonly<Record<string, string>> = { bitsandbytes: 'bitsandbytes', awq: 'AWQ', gptq: 'GPTQ' }
  const by =
    typeof method === 'string'
      ? ` by ${names[method] ?? method.slice(0, 50)}`
      : field === 'quantization'
        ? ' by MLX'
        : ''
  const few = typeof bits === 'number' ? bits : load_in_4bit === true ? 4 : load_in_8bit === true ? 8 : null
  return modelError({
    code: 'model.quantised',
    message: `This model is quantised${by}${few === null ? '' : ` to ${few} bits`}, and weights that were rounded so much cannot be aligned.`,
    remedy: 'Choose the model that it was made of: mostly the same name without bnb, 4bit, AWQ, GPTQ or MLX in it.',
    expected: 'weights of 16 or 32 bits',
    found: brief(value),
    where: path,
  })
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

/** A short value of a field, for a sentence; what is long or nested is left to `found`. */
function ofValue(value: unknown): string {
  const isShort = typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string'
  const text = isShort ? brief(value) : ''
  return text === '' || text.length > 60 ? '' : ` = ${text}`
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
    message: `This model uses "${field}"${ofValue(value)}, which FiSAO Studio does not compute.`,
    remedy: 'Choose a model without it.',
    ...(expected !== undefined && { expected }),
    found: brief(value),
    where: path,
  })
}

function modelError(record: ErrorRecord, cause?: unknown): StudioError {
  return new StudioError(record, cause === undefined ? undefined : { cause })
}
