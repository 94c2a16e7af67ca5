// CHAIR of two policies on annotated images: greedy responses of each, counted and compared image by image. Annotations
// are read here and in annotated calibration, nowhere else.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ChairReport, JudgedResponse } from '../../shared/evaluation.ts'
import type { Policy } from './align/policy.ts'
import type { AlignmentModels, RunImage, ScoredImageResponse } from './alignmentModels.ts'
import { comparePaired, defaultBootstrap } from './eval/bootstrap.ts'
import { type ChairResponse, chairByObject, chairColumns, chairFigures, scoreResponse } from './eval/chair.ts'
import { detectionAuroc } from './eval/detection.ts'
import { sha256Of } from './modelInspection.ts'
import { readCocoAnnotations } from './reward/cocoAnnotations.ts'
import type { Lexicon } from './reward/lexicon.ts'

export interface AnnotatedRunImage extends RunImage {
  /** By the lexicon's names. */
  readonly objects: ReadonlySet<string>
}

/**
 * The images that a COCO file annotates, of those that lie in the folder.
 * @throws StudioError `run.annotations`
 */
export async function annotatedImages(
  folder: string,
  annotationFile: string,
  lexicon: Lexicon,
  mostImages: number | null,
): Promise<AnnotatedRunImage[]> {
  const annotated = await readCocoAnnotations(annotationFile, lexicon)
  const present = annotated
    .map(({ fileName, objects }) => ({ path: join(folder, fileName), objects }))
    .filter(({ path }) => existsSync(path))
    .slice(0, mostImages ?? undefined)
  return await Promise.all(
    present.map(async ({ path, objects }, i) => ({ imageId: i + 1, sha256: await sha256Of([path]), path, objects })),
  )
}

/** Images that are responded to between two looks at the signal. */
const imagesAtOnce = 64

export async function evaluateChair(
  models: AlignmentModels,
  images: readonly AnnotatedRunImage[],
  policies: { readonly before: Policy; readonly after: Policy },
  options: {
    readonly lexicon: Lexicon
    readonly strength: number
    readonly seed: number
    readonly signal?: AbortSignal
    readonly onProgress?: (done: number, total: number) => void
  },
): Promise<ChairReport> {
  const { lexicon, strength, seed, signal, onProgress } = options
  const startMs = performance.now()
  let done = 0
  const respond = async (policy: Policy): Promise<ScoredImageResponse[]> => {
    const responses: ScoredImageResponse[] = []
    for (let start = 0; start < images.length; start += imagesAtOnce) {
      const batch = images.slice(start, start + imagesAtOnce)
      responses.push(...(await models.score(await models.respond(batch, policy, { rng: null, strength, signal }))))
      done += batch.length
      onProgress?.(done, 2 * images.length)
    }
    return responses
  }
  const said = { before: await respond(policies.before), after: await respond(policies.after) }
  const count = (responses: readonly ScoredImageResponse[]) =>
    responses.map(({ scored }, i) => scoreResponse(scored.text, images[i]?.objects ?? new Set(), lexicon))
  const counted = { before: count(said.before), after: count(said.after) }
  const bootstrap = { ...defaultBootstrap, seed }
  const figures = comparePaired(chairColumns(counted.before), chairColumns(counted.after), chairFigures, bootstrap)
  const mentions = said.before.flatMap(({ scored }, image) =>
    scored.mentions.map(({ name, score }) => ({ image, score, isHallucinated: !images[image]?.objects.has(name) })),
  )
  const present = images.map(({ objects }) => objects)
  return {
    images: images.length,
    figures,
    verifierAuroc: detectionAuroc(mentions, images.length, bootstrap),
    byObject: { before: chairByObject(counted.before, present), after: chairByObject(counted.after, present) },
    responses: images.map(({ path, objects }, i) => ({
      path,
      objects: [...objects],
      before: judged(said.before[i] as ScoredImageResponse, counted.before[i] as ChairResponse),
      after: judged(said.after[i] as ScoredImageResponse, counted.after[i] as ChairResponse),
    })),
    durationMs: performance.now() - startMs,
  }
}

/** The words that CHAIR counts, with the verifier's score where it scored the same word. */
function judged({ scored }: ScoredImageResponse, { found }: ChairResponse): JudgedResponse {
  const scores = new Map(scored.mentions.map(({ start, score }) => [start, score]))
  return {
    text: scored.text,
    words: found.map(({ start, end, name, isHallucinated }) => ({
      ...{ start, end, name, isHallucinated },
      score: scores.get(start) ?? 0,
    })),
  }
}
