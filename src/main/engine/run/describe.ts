// What a policy says of images when a person asks: responses, their object words with scores and, where a calibration is
// given, verdicts, and how likely policy and reference found each token. Before it stand models.ts and a policy, after it
// jobs/describeJob.ts, which stores them.
import type { Calibration } from '../../../shared/calibration.ts'
import type { Decoding } from '../../../shared/describe.ts'
import type { SpanRecord, TokenRecord } from '../../../shared/domain.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import type { Policy } from '../align/policy.ts'
import type { ResponseScores } from '../align/responseScores.ts'
import { standApart } from '../reward/calibration.ts'
import { rewardRule } from '../reward/rewardRule.ts'
import { tokenRewards } from '../reward/tokenReward.ts'
import { Rng } from '../rng.ts'
import type { AlignmentModels, RunImage, ScoredImageResponse } from './models.ts'
import type { SkippedImage } from './skippedImages.ts'

/** Models that are open, and what tells the reference's log-probabilities. */
export interface DescribingModels {
  readonly models: AlignmentModels
  readonly scores: ResponseScores
}

export interface Asking {
  readonly policy: Policy
  /** Of the adapter. */
  readonly strength: number
  readonly question: string
  readonly decoding: Decoding
  readonly reward: RunConfig['reward']
  /** What judges the words; null when they have scores alone. */
  readonly judgedBy: Calibration | null
  readonly signal?: AbortSignal | undefined
  /** Told of every token of the image at this place, with the text that it completed. */
  readonly onToken?: (event: { readonly place: number; readonly text: string }) => void
}

/** A response as the workspace keeps it. Without a verdict every label is neutral and every reward 0. */
export interface Described {
  readonly image: RunImage
  readonly text: string
  readonly tokens: readonly TokenRecord[]
  readonly spans: readonly SpanRecord[]
  readonly isJudged: boolean
}

/**
 * Responses to the images that can be read. Log-probabilities are of the model's own distribution, whatever temperature
 * tokens were drawn at.
 * @throws StudioError `run.cancelled` between any two steps of decoding, and what models and devices throw
 */
export async function describeImages(
  { models, scores }: DescribingModels,
  images: readonly RunImage[],
  asking: Asking,
): Promise<{ readonly described: readonly Described[]; readonly skipped: readonly SkippedImage[] }> {
  const { policy, strength, question, decoding, signal, onToken } = asking
  const said = await models.respond(images, policy, {
    ...{ strength, question, signal, rng: streamsOf(decoding, images) },
    ...(decoding.kind === 'sampled' && { sampling: { ...decoding, topK: 0 } }),
    ...(onToken && { onToken }),
  })
  const scored = await models.score(said.responses)
  const references = await scores.ofReference(scored, signal)
  const described = scored.map((response, i) => describedOf(response, references[i] as Float32Array, asking))
  return { described, skipped: said.skipped }
}

/** A stream for each image, so that what is drawn for one does not depend on which others are asked with it. */
function streamsOf(decoding: Decoding, images: readonly RunImage[]): Pick<Rng, 'fork'> | null {
  if (decoding.kind === 'greedy') return null
  const rng = new Rng({ seed: decoding.seed })
  return { fork: (place) => rng.fork(images[place as number]?.imageId ?? 0) }
}

function describedOf(
  { image, tokens, logProbs, scored }: ScoredImageResponse,
  reference: Float32Array,
  { judgedBy, reward }: Asking,
): Described {
  const baselines = judgedBy && standApart(judgedBy) ? judgedBy.baselines : null
  const rule = judgedBy && baselines ? rewardRule(judgedBy, baselines, reward) : () => 0
  const settings = baselines ? reward : { ...reward, repeatReward: 0 }
  const { mentions } = tokenRewards(tokens.length, scored.mentions, rule, settings)
  return {
    image,
    text: scored.text,
    tokens: tokens.map((tokenId, t) => ({
      tokenId,
      textStart: scored.ranges[t]?.[0] ?? 0,
      textEnd: scored.ranges[t]?.[1] ?? 0,
      logProb: logProbs[t] as number,
      referenceLogProb: reference[t] as number,
      reward: null,
    })),
    spans: mentions.map(({ tokens: [startPosition, endPosition], name, score, reward: earned, label }) => ({
      ...{ startPosition, endPosition, word: name, score, reward: earned, label },
    })),
    isJudged: baselines !== null,
  }
}
