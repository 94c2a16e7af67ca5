// How well the companion tells the words that an image shows from those that it does not, on held-out scenes.
import { OrtSession, tensor } from '../../src/main/engine/graph/ortSession.ts'
import { floatsOf } from '../../src/main/engine/graph/tensor.ts'
import {
  type DualEncoderSource,
  imageEmbeddingGraph,
  openDualEncoder,
  textEmbeddingGraph,
  textFeeds,
} from '../../src/main/engine/models/companion/encoder.ts'
import type { Scene } from '../scenes/scene.ts'
import { pictureEdge, pixelValues } from './pictures.ts'
import { classNames, shownClasses, typicalAbsentClasses } from './world.ts'

/** Probability that a positive scores above a negative, ties counted half (Mann & Whitney 1947). */
export function auroc(positives: readonly number[], negatives: readonly number[]): number {
  const all = [...positives.map((score) => ({ score, is: 1 })), ...negatives.map((score) => ({ score, is: 0 }))]
  all.sort((a, b) => a.score - b.score)
  let [rankSum, start] = [0, 0]
  while (start < all.length) {
    let end = start
    while (end < all.length && all[end]?.score === all[start]?.score) end++
    for (let i = start; i < end; i++) if (all[i]?.is) rankSum += (start + end + 1) / 2
    start = end
  }
  const n = positives.length
  return (rankSum - (n * (n + 1)) / 2) / (n * negatives.length)
}

export interface VerifierQuality {
  /** Shown classes against all others. */
  readonly aurocAbsent: number
  /** Shown classes against the four most typical of the place that are absent. */
  readonly aurocTypical: number
  readonly meanShown: number
  readonly meanTypical: number
}

/** Cosines of images with the words of all classes, [scenes, classes]. */
export async function wordScores(
  source: DualEncoderSource,
  encode: (text: string) => number[],
  pixels: (rows: readonly number[]) => Float32Array,
  count: number,
  threads: number,
): Promise<Float32Array> {
  const width = source.config.projectionSize
  const texts = await OrtSession.open(textEmbeddingGraph(source), { device: 'cpu', threads })
  const prompts = classNames.map((name) => encode(`a photo of a ${name}`))
  const told = await texts.compute(textFeeds(source.config.text, prompts))
  await texts.release()
  const words = floatsOf(told, 'text_embeds')
  const images = await OrtSession.open(imageEmbeddingGraph(source), { device: 'cpu', threads })
  const scores = new Float32Array(count * classNames.length)
  for (let start = 0; start < count; start += 100) {
    const rows = Array.from({ length: Math.min(100, count - start) }, (_, i) => start + i)
    const shape = [rows.length, 3, pictureEdge, pictureEdge]
    const seen = await images.compute({ pixel_values: tensor('float32', shape, pixels(rows)) })
    const embeds = floatsOf(seen, 'image_embeds')
    rows.forEach((row, i) => {
      for (let word = 0; word < classNames.length; word++) {
        let cosine = 0
        for (let k = 0; k < width; k++)
          cosine += (embeds[i * width + k] as number) * (words[word * width + k] as number)
        scores[row * classNames.length + word] = cosine
      }
    })
  }
  await images.release()
  return scores
}

export async function verifierQuality(
  folder: string,
  encode: (text: string) => number[],
  scenes: readonly Scene[],
  pictures: Uint8Array,
  threads: number,
): Promise<VerifierQuality> {
  const pixels = (rows: readonly number[]) => pixelValues(pictures, rows)
  const scores = await wordScores(await openDualEncoder(folder), encode, pixels, scenes.length, threads)
  const shown: number[] = []
  const absent: number[] = []
  const typical: number[] = []
  scenes.forEach((scene, row) => {
    const score = (word: number) => scores[row * classNames.length + word] as number
    const present = new Set(shownClasses(scene))
    shown.push(...[...present].map(score))
    for (let word = 0; word < classNames.length; word++) if (!present.has(word)) absent.push(score(word))
    typical.push(...typicalAbsentClasses(scene).slice(0, 4).map(score))
  })
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
  return {
    aurocAbsent: auroc(shown, absent),
    aurocTypical: auroc(shown, typical),
    meanShown: mean(shown),
    meanTypical: mean(typical),
  }
}
