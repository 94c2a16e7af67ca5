// Which tokens end and pad a response: generation_config.json, else config.json, as transformers reads them.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { badConfig, readJsonObject, tokenId } from '../../folder/configFields.ts'

export interface SpecialTokens {
  readonly endTokenIds: readonly number[]
  readonly padTokenId: number
}

const endTokens = z.union([tokenId, z.array(tokenId).min(1).max(64)]).nullish()

/**
 * @param raw config.json
 * @param text its section of the language model
 * @throws StudioError `model.bad-config`, and what reading generation_config.json throws
 */
export async function readSpecialTokens(
  folder: string,
  raw: Record<string, unknown>,
  text: Record<string, unknown>,
): Promise<SpecialTokens> {
  const path = join(folder, 'generation_config.json')
  const generation = existsSync(path) ? await readJsonObject(path) : {}
  const first = (field: string) => generation[field] ?? raw[field] ?? text[field]
  const tokens = z.object({ end: endTokens, pad: tokenId.nullish() })
  const parsed = tokens.safeParse({ end: first('eos_token_id'), pad: first('pad_token_id') })
  if (!parsed.success) throw badConfig(path, 'Its end and padding tokens are not token ids.')
  // LlamaConfig's and MistralConfig's own default; Qwen2's has none, then only the length ends a response.
  const end = parsed.data.end ?? (text['model_type'] === 'qwen2' ? [] : 2)
  const endTokenIds = [end].flat()
  return { endTokenIds, padTokenId: parsed.data.pad ?? endTokenIds[0] ?? 0 }
}
