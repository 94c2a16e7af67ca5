// Second stage: projector and language model from scratch on captions, over features of the frozen image tower.
// Before it stands contrastive.ts, after it the folder of the vision-language model.
import { likelihoodObjective } from '../../src/main/engine/align/ppo/ppoLoss.ts'
import { Weights } from '../../src/main/engine/folder/weights.ts'
import { GraphBuilder } from '../../src/main/engine/graph/graphBuilder.ts'
import { OrtSession, type Tensor, tensor } from '../../src/main/engine/graph/ortSession.ts'
import { dualEncoderNames } from '../../src/main/engine/models/companion/config.ts'
import type { LlavaConfig } from '../../src/main/engine/models/llava/config.ts'
import { llava } from '../../src/main/engine/models/llava/llava.ts'
import { storedParameters } from '../../src/main/engine/models/shared/parameters.ts'
import { imageFeeds, padTokens, sequenceFeeds } from '../../src/main/engine/models/shared/sequenceFeeds.ts'
import { pixelInput } from '../../src/main/engine/models/shared/visionTower.ts'
import { responseGraph } from '../../src/main/engine/models/vlmGraphs.ts'
import type { TrainingGraph } from './contrastive.ts'

/** The likelihood of responses given `tower_features`, every parameter of projector and decoder an input. */
export function captioningGraph(config: LlavaConfig): TrainingGraph {
  const { graph, parameters } = responseGraph(
    { architecture: llava, config, weights: new Weights('none: every parameter is an input', new Map()) },
    { trainBase: true, images: 'features', objectives: likelihoodObjective(['base']) },
  )
  return { graph, parameters }
}

/** Opens the companion's image tower as the language model will see it. */
export async function openTower(config: LlavaConfig, companion: Weights, threads: number): Promise<OrtSession> {
  const g = new GraphBuilder('tower')
  const { tower } = storedParameters(g, companion, dualEncoderNames)
  g.output('tower_features', llava.towerFeatures(g, tower, config, pixelInput(g, config.vision)))
  return await OrtSession.open(g.build(), { device: 'cpu', threads })
}

export interface Conversation {
  /** With one image token, which stands for all tokens of the image. */
  readonly promptIds: readonly number[]
  /** With the end token. */
  readonly responseIds: readonly number[]
}

/** Rows of every picture of the demo world, which are square. */
function imageRows(config: LlavaConfig): number {
  const { imageSize } = config.vision
  return llava.imageLayout(config, { width: imageSize, height: imageSize }).rows
}

/** The prompt with its image token repeated for every part of the image. */
export function withImageTokens(config: LlavaConfig, ids: readonly number[]): number[] {
  const rows = imageRows(config)
  return ids.flatMap((id) => (id === config.imageTokenId ? new Array<number>(rows).fill(id) : [id]))
}

/**
 * Feeds of {@link captioningGraph}.
 * @param features `tower_features` of each conversation's image, in their order
 */
export function captioningFeeds(
  config: LlavaConfig,
  conversations: readonly Conversation[],
  features: Tensor,
): Record<string, Tensor> {
  const prompts = conversations.map(({ promptIds }) => withImageTokens(config, promptIds))
  const batch = padTokens(
    conversations.map(({ responseIds }, i) => [...(prompts[i] as number[]), ...responseIds]),
    config.padTokenId,
    'right',
  )
  const rowsOfImage = imageRows(config)
  const rows: bigint[] = []
  const ids: bigint[] = []
  conversations.forEach(({ responseIds }, i) => {
    const start = i * batch.seq + (prompts[i] as number[]).length - 1
    responseIds.forEach((id, k) => {
      rows.push(BigInt(start + k))
      ids.push(BigInt(id))
    })
  })
  return {
    ...sequenceFeeds(config.decoder, batch),
    ...imageFeeds(
      config,
      batch,
      conversations.map((_, i) => [{ first: i * rowsOfImage, count: rowsOfImage }]),
    ),
    tower_features: features,
    temperature: tensor('float32', [], [1]),
    response_rows: tensor('int64', [rows.length], BigInt64Array.from(rows)),
    response_ids: tensor('int64', [ids.length], BigInt64Array.from(ids)),
    token_weight: tensor('float32', [], [1 / rows.length]),
  }
}
