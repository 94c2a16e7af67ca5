// Which tokens end and pad a response: generation_config.json, else config.json, as transformers reads them, as far as the
// vocabulary has them.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { badConfig, readJsonObject } from '../../folder/configFields.ts'

export interface SpecialTokens {
  readonly endTokenIds: readonly number[]
  /** Any token of the vocabulary: padding is masked. */
  readonly padTokenId: number
}

/** -1 and ids beyond the vocabulary are written for "none". */
const anyId = z.int()
const endTokens = z.union([anyId, z.array(anyId).max(64)]).nullish()

/** What configs of a kind mean where they name no end token; 2 those of LLaMA and Mistral. Of none, the length ends a response. */
const defaultEnd: Readonly<Record<string, number | readonly number[]>> = {
  ...{ qwen2: [], qwen3: [] },
  ...{ phi3: 32_000, gemma2: 1 },
}

/**
 * @param raw config.json
 * @param text its section of the language model
 * @throws StudioError `model.bad-config` when they are no ids, or no end token is in the vocabulary, and what reading
 *   generation_config.json throws
 */
export async function readSpecialTokens(
  folder: string,
  raw: Record<string, unknown>,
  text: Record<string, unknown>,
): Promise<SpecialTokens> {
  const path = join(folder, 'generation_config.json')
  const generation = existsSync(path) ? await readJsonObject(path) : {}
  const vocabSize = typeof text['vocab_size'] === 'number' ? text['vocab_size'] : Number.POSITIVE_INFINITY
  const isToken = (id: number): boolean => id >= 0 && id < vocabSize
  const read = <Value>(field: string, schema: z.ZodType<Value>): { value: Value; file: string } => {
    const isGeneral = generation[field] !== undefined && generation[field] !== null
    const file = isGeneral ? path : join(folder, 'config.json')
    const parsed = schema.safeParse(isGeneral ? generation[field] : (raw[field] ?? text[field]))
    if (parsed.success) return { value: parsed.data, file }
    throw badConfig(file, `Its ${field} is not the id of a token.`)
  }
  const end = read('eos_token_id', endTokens)
  const given = [end.value ?? defaultEnd[`${text['model_type']}`] ?? 2].flat()
  const endTokenIds = given.filter(isToken)
  if (given.length > 0 && endTokenIds.length === 0) {
    throw badConfig(
      end.file,
      `Its eos_token_id ${given.join(', ')} is outside of the vocabulary of ${vocabSize} tokens.`,
    )
  }
  const pad = read('pad_token_id', anyId.nullish()).value
  const padTokenId = typeof pad === 'number' && isToken(pad) ? pad : (endTokenIds[0] ?? 0)
  return { endTokenIds, padTokenId }
}
