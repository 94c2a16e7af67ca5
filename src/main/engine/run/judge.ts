// CHAIR of two policies on annotated images, and of a placebo beside them: greedy responses of each, counted and compared image by image. Before
// it stand models and annotated images (jobs/annotatedImages.ts), after it the report.
import type { ChairReport, JudgedResponse } from '../../../shared/evaluation.ts'
import type { Policy } from '../align/policy.ts'
import { comparePaired, defaultBootstrap } from '../eval/bootstrap.ts'
import { type ChairResponse, chairByObject, chairColumns, chairFigures, scoreResponse } from '../eval/chair.ts'
import { detectionAuroc } from '../eval/detection.ts'
import { labelledScores } from '../reward/labels.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import type { AlignmentModels, RunImage, ScoredImageResponse } from './models.ts'
import { requireMostImages, type SkippedImage } from './skippedImages.ts'

export interface AnnotatedRunImage extends RunImage {
  /** By the lexicon's names. */
  readonly objects: ReadonlySet<string>
}

/** Images that are responded to between two looks at the signal. */
const imagesAtOnce = 128

/** What is kept of a response: neither its image's features nor its tokens. */
type Said = Pick<ScoredImageResponse, 'scored' | 'reason'>

/**
 * Responses of the policies to the images that can be read, counted and compared.
 * @throws StudioError `run.images-missing` when most of them cannot be read
 */
export async function evaluateChair(
  models: AlignmentModels,
  images: readonly AnnotatedRunImage[],
  policies: { readonly before: Policy; readonly after: Policy; readonly placebo: Policy | null },
  options: {
    readonly lexicon: Lexicon
    /** Objects that the annotations can judge. */
    readonly judged: ReadonlySet<string>
    readonly strength: number
    readonly seed: number
    readonly signal?: AbortSignal
    readonly onProgress?: (done: number, total: number) => void
  },
): Promise<Omit<ChairReport, 'annotations'>> {
  const { strength, signal, onProgress } = options
  const startMs = performance.now()
  const skipped = new Map<number, SkippedImage>()
  let done = 0
  const respond = async (policy: Policy): Promise<Map<number, Said>> => {
    const responses = new Map<number, Said>()
    for (let start = 0; start < images.length; start += imagesAtOnce) {
      const batch = images.slice(start, start + imagesAtOnce)
      const said = await models.respond(batch, policy, { rng: null, strength, signal })
      for (const image of said.skipped) skipped.set(image.imageId, image)
      for (const { image, scored, reason } of await models.score(said.responses)) {
        responses.set(image.imageId, { scored, reason })
      }
      done += batch.length
      onProgress?.(done, (policies.placebo ? 3 : 2) * images.length)
    }
    requireMostImages(images.length, [...skipped.values()], true)
    return responses
  }
  const by = {
    ...{ before: await respond(policies.before), after: await respond(policies.after) },
    placebo: policies.placebo && (await respond(policies.placebo)),
  }
  // An image that one of them could not see takes no part: figures are paired by image.
  const seen = images.filter(({ imageId }) => !skipped.has(imageId))
  const said = {
    ...{ before: inOrder(by.before, seen), after: inOrder(by.after, seen) },
    placebo: by.placebo && inOrder(by.placebo, seen),
  }
  return {
    ...reportOn(seen, said, options),
    skipped: [...skipped.values()].map(({ path, code }) => ({ path, code })),
    durationMs: performance.now() - startMs,
  }
}

function inOrder(responses: ReadonlyMap<number, Said>, images: readonly AnnotatedRunImage[]): Said[] {
  return images.map(({ imageId }) => responses.get(imageId) as Said)
}

function reportOn(
  images: readonly AnnotatedRunImage[],
  said: { readonly before: readonly Said[]; readonly after: readonly Said[]; readonly placebo: readonly Said[] | null },
  { lexicon, judged: judgeable, seed }: { lexicon: Lexicon; judged: ReadonlySet<string>; seed: number },
): Omit<ChairReport, 'durationMs' | 'skipped' | 'annotations'> {
  const count = (responses: readonly Said[]) =>
    responses.map(({ scored, reason }, i) =>
      scoreResponse(scored.text, images[i]?.objects ?? new Set(), lexicon, {
        ...{ judged: judgeable, isCut: reason === 'length' },
      }),
    )
  const counted = { before: count(said.before), after: count(said.after) }
  const bootstrap = { ...defaultBootstrap, seed }
  const compare = (from: readonly ChairResponse[], to: readonly ChairResponse[]) =>
    comparePaired(chairColumns(from), chairColumns(to), chairFigures, bootstrap)
  const placebo = said.placebo && count(said.placebo)
  const mentions = said.before.flatMap(({ scored }, image) =>
    labelledScores(scored.mentions, images[image]?.objects ?? new Set(), judgeable).map(({ score, isPresent }) => ({
      ...{ image, score, isHallucinated: !isPresent },
    })),
  )
  const present = images.map(({ objects }) => objects)
  return {
    images: images.length,
    figures: compare(counted.before, counted.after),
    placebo: placebo && { figures: compare(counted.before, placebo), beyond: compare(placebo, counted.after) },
    verifierAuroc: detectionAuroc(mentions, images.length, bootstrap),
    byObject: { before: chairByObject(counted.before, present), after: chairByObject(counted.after, present) },
    responses: images.map(({ path, objects }, i) => ({
      path,
      objects: [...objects],
      before: judged(said.before[i] as Said, counted.before[i] as ChairResponse),
      after: judged(said.after[i] as Said, counted.after[i] as ChairResponse),
    })),
  }
}

/** The words that CHAIR counts, with the verifier's score where it scored the same word. */
function judged({ scored }: Said, { found }: ChairResponse): JudgedResponse {
  const scores = new Map(scored.mentions.map(({ start, score }) => [start, score]))
  return {
    text: scored.text,
    words: found.map(({ start, end, name, isHallucinated }) => ({
      ...{ start, end, name, isHallucinated },
      score: scores.get(start) ?? null,
    })),
  }
}
