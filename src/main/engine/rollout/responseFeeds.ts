// Prompts with their responses as feeds of a response graph (models/vlmGraphs.ts): for the log-probabilities of policy
// and reference, and for updates.
import { type Tensor, tensor } from '../graph/ortSession.ts'
import type { VlmConfig } from '../models/architecture.ts'
import { type Feeds, featureFeeds, padTokens, sequenceFeeds, type TokenBatch } from '../models/shared/sequenceFeeds.ts'
import type { KeptTokens } from './keptTokens.ts'
import type { FinishReason } from './stopConditions.ts'

/** One prompt and what was said to it. */
export interface PromptedResponse {
  /** With the image token once for each row of its images' features. */
  readonly promptIds: readonly number[]
  readonly tokens: readonly number[]
  /** Projected features of the prompt's images, each [rows, hidden]. */
  readonly imageFeatures: readonly Float32Array[]
  /** What each token was drawn from, where the sampler cut the vocabulary. */
  readonly kept?: readonly KeptTokens[] | null
}

/** A response whose image features are looked up when they are needed: those of many would take gigabytes. */
export interface RecalledResponse extends Omit<PromptedResponse, 'imageFeatures'> {
  readonly imageFeatures: PromptedResponse['imageFeatures'] | (() => Promise<PromptedResponse['imageFeatures']>)
}

/** A response, and why it ended. */
export interface EndedResponse extends RecalledResponse {
  readonly reason: FinishReason
}

/** The responses with their image features. @throws StudioError what looking these up throws */
export async function seenAgain(responses: readonly RecalledResponse[]): Promise<PromptedResponse[]> {
  const seen: PromptedResponse[] = []
  for (const { imageFeatures, ...response } of responses) {
    seen.push({
      ...response,
      imageFeatures: typeof imageFeatures === 'function' ? await imageFeatures() : imageFeatures,
    })
  }
  return seen
}

/** Columns of its row in a batch: prompt and response. */
export function columnsOf({ promptIds, tokens }: RecalledResponse): number {
  return promptIds.length + tokens.length
}

/**
 * The response with a column more, so that the rows of its feeds reach one further: the last of them is the state after
 * its last token. Which token stands in the column changes nothing before it, since no column sees later ones.
 */
export function withColumnAfter<Response extends RecalledResponse>(response: Response): Response {
  return { ...response, tokens: [...response.tokens, response.tokens.at(-1) as number] }
}

/**
 * The feeds of a batch, its rows the response tokens of one response after the other: `rows` of the graph is the
 * number of tokens in all responses together.
 * @param temperature of the log-probabilities
 * @param amongKept for a graph whose log-probabilities are `amongKept`; a token of which nothing was kept is one of all
 */
export function responseFeeds(
  config: VlmConfig,
  responses: readonly PromptedResponse[],
  temperature: number,
  amongKept = false,
): Feeds {
  const { decoder, padTokenId } = config
  // Padding stands on the right, so a sequence's own columns begin at 0.
  const sequences = responses.map(({ promptIds, tokens }) => [...promptIds, ...tokens])
  const batch = padTokens(sequences, padTokenId, 'right')
  const features = responses.map(({ imageFeatures }) => imageFeatures)
  const rows = responses.flatMap(({ promptIds, tokens }, row) =>
    tokens.map((_, i) => BigInt(row * batch.seq + promptIds.length - 1 + i)),
  )
  const ids = responses.flatMap(({ tokens }) => tokens.map(BigInt))
  return {
    ...sequenceFeeds(decoder, batch),
    ...featureFeeds(config, { ...batch, mask: promptMask(batch, responses) }, features),
    response_rows: tensor('int64', [rows.length], BigInt64Array.from(rows)),
    response_ids: tensor('int64', [ids.length], BigInt64Array.from(ids)),
    temperature: tensor('float32', [], [temperature]),
    ...(amongKept && { kept_tokens: keptMask(responses, rows.length, decoder.vocabSize) }),
  }
}

/** 1 for tokens of prompts alone: an image token that was said is a word like any other, as it was while it was said. */
function promptMask({ batch, seq }: TokenBatch, responses: readonly PromptedResponse[]): Uint8Array {
  const mask = new Uint8Array(batch * seq)
  responses.forEach(({ promptIds }, row) => {
    mask.fill(1, row * seq, row * seq + promptIds.length)
  })
  return mask
}

/** [rows, vocab]: a quarter of the bytes of the logits that it is laid on. */
function keptMask(responses: readonly PromptedResponse[], rows: number, vocabSize: number): Tensor<'bool'> {
  const mask = new Uint8Array(rows * vocabSize).fill(1)
  let row = 0
  for (const { tokens, kept } of responses) {
    for (let t = 0; t < tokens.length; t++, row++)
      kept?.[t]?.writeTo(mask.subarray(row * vocabSize, (row + 1) * vocabSize))
  }
  return tensor('bool', [rows, vocabSize], mask)
}
