// Whether the answer to a shard can be what was asked for: its form here, and a token of it drawn again by the learner itself.
// Before it stands sharedFiles.ts, after it folderWorkers.ts, which computes what cannot be used anew.
import { randomInt } from 'node:crypto'
import type { VlmConfig } from '../models/architecture.ts'
import type { GeneratorGraphs } from '../rollout/generate.ts'
import { KeptTokens } from '../rollout/keptTokens.ts'
import { cutsVocabulary } from '../rollout/sampler.ts'
import { receivedRequest, type SentRequest, type SentResponse } from './messages.ts'
import type { Shard } from './sharedFiles.ts'
import type { Responder } from './workers.ts'

/** What is wrong with the form of an answer; null for nothing. */
export function misfitOf(shard: Shard, responses: readonly SentResponse[], config: VlmConfig): string | null {
  const { requests } = shard
  if (responses.length !== requests.length) return `${responses.length} responses to ${requests.length} requests`
  for (const [i, response] of responses.entries()) {
    const wrong = misfit(requests[i] as SentRequest, response, shard, config)
    if (wrong !== null) return `response ${i}: ${wrong}`
  }
  return null
}

function misfit(
  { rng }: SentRequest,
  { tokens, logProbs, logProbsAtTemperature, kept, reason, rngState }: SentResponse,
  { settings: { sampling, stop } }: Shard,
  { decoder: { vocabSize } }: VlmConfig,
): string | null {
  const ends = tokens.findIndex((token) => stop.endTokenIds.includes(token))
  const isWhole = ends >= 0 ? ends === tokens.length - 1 : tokens.length === stop.maxNewTokens
  if (tokens.length > stop.maxNewTokens || !isWhole) return 'it ends where it does not end'
  if (reason !== (ends >= 0 ? 'end' : 'length')) return 'it ended for another reason'
  if (tokens.some((token) => token >= vocabSize)) return 'a token of another vocabulary'
  for (const each of [logProbs, logProbsAtTemperature]) {
    if (each.length !== tokens.length) return 'not a log-probability for each token'
    // Of a token that is certain, rounding may leave a little more than 0.
    if (each.some((value) => !Number.isFinite(value) || value > 1e-4)) return 'a log-probability that is none'
  }
  const drawn = sampling.greedy ? 0 : tokens.length
  const isStream = rngState.seed === rng.seed && rngState.stream === rng.stream
  if (!isStream || rngState.counter !== rng.counter + drawn) return 'random numbers of another stream'
  const cuts = !sampling.greedy && cutsVocabulary(sampling)
  if ((kept !== null) !== cuts || (kept !== null && kept.length !== tokens.length))
    return 'another cut of the vocabulary'
  const mask = new Uint8Array(vocabSize)
  for (const [t, { ids, bits }] of (kept ?? []).entries()) {
    const isOne = ids === null ? bits?.length === Math.ceil(vocabSize / 8) : bits === null
    if (!isOne || ids?.some((id) => id < 0 || id >= vocabSize)) return 'a cut of another vocabulary'
    KeptTokens.of({ ids, bits }).writeTo(mask)
    if (mask[tokens[t] as number] !== 1) return 'a token that was not among those drawn from'
  }
  return null
}

/** When an answer counts as wrong: no token that is drawn again, of so many at most, comes within so many nats of its own. */
export interface Tolerance {
  readonly nats: number
  readonly draws: number
}

/**
 * Sums of float32 in another order differ by some 1e-6 nats (docs/cluster.md). Rounded activations (8 and 4 bits) and other
 * devices differ by up to 0.05, and draw another token now and then, so that one of three has to agree.
 */
export function toleranceOf({ isQuantised }: GeneratorGraphs, device: string): Tolerance {
  return isQuantised || device !== 'cpu' ? { nats: 0.2, draws: 3 } : { nats: 1e-3, draws: 1 }
}

/**
 * Draws one token of an answer again, at a place that nobody knows beforehand: one pass over the prompt and what was said before.
 * @param own who computes here
 * @returns by how much its log-probability differs, nats; infinity where another token is drawn
 */
export async function drawnAgain(
  own: Responder,
  shard: Shard,
  responses: readonly SentResponse[],
  imageTokenId: number,
  options: Parameters<Responder['generate']>[2],
): Promise<number> {
  const { requests, settings } = shard
  const which = randomInt(responses.length)
  const { tokens, logProbsAtTemperature } = responses[which] as SentResponse
  // An image token that was said would be taken for an image here.
  const said = tokens.indexOf(imageTokenId)
  const place = randomInt(said < 0 ? tokens.length : said + 1)
  const { promptIds, rng, ...request } = receivedRequestAt(
    requests[which] as SentRequest,
    place,
    settings.sampling.greedy,
  )
  const longer = { ...request, promptIds: [...promptIds, ...tokens.slice(0, place)], rng }
  const [again] = await own.generate(
    [longer],
    { ...settings, stop: { ...settings.stop, maxNewTokens: 1 }, batchSize: 1 },
    options,
  )
  if (again?.tokens[0] !== tokens[place]) return Number.POSITIVE_INFINITY
  return Math.abs((again?.logProbsAtTemperature[0] as number) - (logProbsAtTemperature[place] as number))
}

/** The request with its stream where it stood before the token at a place; each token takes one number. */
function receivedRequestAt({ rng, ...request }: SentRequest, place: number, isGreedy: boolean) {
  return receivedRequest({ ...request, rng: { ...rng, counter: rng.counter + (isGreedy ? 0 : place) } })
}
