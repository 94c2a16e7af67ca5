// The words of calibration responses, scored against other images too. Before it stand scored responses, after it
// reward/calibration.ts.
import { type ComparedMention, chooseOtherImages } from '../reward/otherImages.ts'
import { Rng } from '../rng.ts'
import type { AlignmentModels, RunImage, ScoredImageResponse } from './models.ts'

/** The stream of the seed's random numbers that other images are drawn by; align.ts has 1 to 5 and 9, schedule.ts 6, calibration.ts 8. */
const otherImagesStream = 7

/** @param count other images to each word */
export async function compareMentions(
  models: Pick<AlignmentModels, 'verifier' | 'verified'>,
  responses: readonly ScoredImageResponse[],
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<ComparedMention[]> {
  const byKey = new Map<string, RunImage>(responses.map(({ image }) => [image.sha256, image]))
  const named = responses.map(({ image, scored }) => ({
    ...{ image: image.sha256, names: scored.mentions.map(({ name }) => name) },
  }))
  const chosen = chooseOtherImages(named, { count, rng: new Rng({ seed }).fork(otherImagesStream) })
  const numbers = new Map(chosen.images.map((key, number) => [key, number]))
  const mentions: ComparedMention[] = []
  for (const [i, { image, scored }] of responses.entries()) {
    for (const { name, word, score } of scored.mentions) {
      const others: { image: number; score: number }[] = []
      for (const other of chosen.of(i, name)) {
        const shown = byKey.get(chosen.images[other] as string) as RunImage
        others.push({ image: other, score: await models.verifier.score(models.verified(shown), word) })
      }
      mentions.push({ image: numbers.get(image.sha256) as number, word, score, others })
    }
  }
  return mentions
}
