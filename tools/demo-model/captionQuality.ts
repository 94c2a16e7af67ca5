// What the vision-language model says of held-out scenes, against what they show: CHAIR (Rohrbach et al. 2018), recall,
// length, repetition, and whether the companion's score tells its hallucinations from what is there.
import { openDualEncoder } from '../../src/main/engine/models/companion/encoder.ts'
import type { LlavaConfig } from '../../src/main/engine/models/llava/config.ts'
import { openVlm } from '../../src/main/engine/models/vlm.ts'
import { Rng } from '../../src/main/engine/rng.ts'
import { Generator } from '../../src/main/engine/rollout/generate.ts'
import { ImageFeatures } from '../../src/main/engine/rollout/imageFeatures.ts'
import type { SamplingSettings } from '../../src/main/engine/rollout/sampler.ts'
import { openTokenizer } from '../../src/main/engine/text/tokenizer.ts'
import type { Scene } from '../scenes/scene.ts'
import { withImageTokens } from './captioning.ts'
import { pictureEdge, pixelValues } from './pictures.ts'
import { auroc, wordScores } from './verifierQuality.ts'
import { classNames, shownClasses } from './world.ts'

export interface CaptionQuality {
  /** Mentions of what is not there, of all mentions. */
  readonly chairI: number
  /** Responses with such a mention. */
  readonly chairS: number
  /** Objects that are mentioned, of all that are there. */
  readonly recall: number
  readonly meanWords: number
  /** Mentions of what the response had named before, a response. */
  readonly repeats: number
  /** Of the companion's score, true mentions against the others. */
  readonly auroc: number
  readonly meanTrue: number
  readonly meanHallucinated: number
  /** Of the mentions at each place in their response, the first to the sixth, the share that are hallucinated. */
  readonly hallucinatedByPlace: readonly number[]
  readonly responses: readonly string[]
}

const longestFirst = [...classNames].sort((a, b) => b.length - a.length)
const mentionPattern = new RegExp(`\\b(${longestFirst.join('|')})\\b`, 'gi')

/** Classes that a text names, in the order of their mention, as indices. */
export function mentions(text: string): number[] {
  return [...text.matchAll(mentionPattern)].map(([name]) => classNames.indexOf(name.toLowerCase()))
}

export interface CaptionQualityRequest {
  readonly vlmFolder: string
  readonly companionFolder: string
  readonly encodePrompt: (text: string) => number[]
  readonly decode: (ids: readonly number[]) => string
  readonly prompt: string
  readonly scenes: readonly Scene[]
  readonly pictures: Uint8Array
  readonly sampling: SamplingSettings
  readonly threads: number
}

export async function captionQuality(request: CaptionQualityRequest): Promise<CaptionQuality> {
  const responses = await respond(request)
  const { scenes, pictures, threads } = request
  const pixels = (rows: readonly number[]) => pixelValues(pictures, rows)
  const source = await openDualEncoder(request.companionFolder)
  const tokenizer = await openTokenizer(request.companionFolder)
  const encodeWord = (text: string) => [...tokenizer.encode(text).ids]
  const scores = await wordScores(source, encodeWord, pixels, scenes.length, threads)
  const right: number[] = []
  const wrong: number[] = []
  const places = Array.from({ length: 6 }, () => ({ mentions: 0, wrong: 0 }))
  let [hallucinating, found, present, words, repeats] = [0, 0, 0, 0, 0]
  responses.forEach((text, row) => {
    const shown = new Set(shownClasses(scenes[row] as Scene))
    const named = mentions(text)
    for (const [at, word] of named.entries()) {
      const score = scores[row * classNames.length + word] as number
      const place = places[at]
      if (place) place.mentions++
      if (place && !shown.has(word)) place.wrong++
      if (shown.has(word)) right.push(score)
      else wrong.push(score)
    }
    if (named.some((word) => !shown.has(word))) hallucinating++
    const different = new Set(named)
    repeats += named.length - different.size
    present += shown.size
    for (const word of shown) if (different.has(word)) found++
    words += text.trim().split(/\s+/).length
  })
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
  return {
    chairI: wrong.length / (wrong.length + right.length),
    chairS: hallucinating / responses.length,
    recall: found / present,
    meanWords: words / responses.length,
    repeats: repeats / responses.length,
    auroc: auroc(right, wrong),
    meanTrue: mean(right),
    meanHallucinated: mean(wrong),
    hallucinatedByPlace: places.map((place) => place.wrong / Math.max(1, place.mentions)),
    responses,
  }
}

async function respond(request: CaptionQualityRequest): Promise<string[]> {
  const { scenes, pictures, threads, sampling } = request
  const source = await openVlm(request.vlmFolder)
  const options = { device: 'cpu', threads } as const
  const size = { width: pictureEdge, height: pictureEdge }
  const images = await ImageFeatures.open(source, { ...options, limitBytes: 1 })
  const seen = await images.of(
    scenes.map((_, row) => [`${row}`, async () => ({ values: pixelValues(pictures, [row]), size })] as const),
    64,
  )
  await images.release()
  const promptIds = withImageTokens(source.config as LlavaConfig, request.encodePrompt(request.prompt))
  const generator = await Generator.open(source, { ...options, adapter: null })
  const found = await generator.generate(
    seen.map(({ features }, row) => ({ promptIds, imageFeatures: [features], rng: new Rng({ seed: 1 }).fork(row) })),
    {
      sampling,
      stop: { endTokenIds: source.config.endTokenIds, stopStrings: [], maxNewTokens: 64 },
      batchSize: 64,
    },
  )
  await generator.release()
  return found.map(({ tokens }) => request.decode(tokens))
}
