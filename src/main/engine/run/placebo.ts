// The control of every effect: the same run with a verifier that cannot know. Each image is judged by another image's
// embedding, so the encoder, its words and its scores are real, and knowledge of the picture is the one thing that is
// missing. What a placebo changes too, alignment has not learned from the picture.
import type { Rng } from '../rng.ts'

/**
 * A derangement: no image is judged by itself, and each judges one other. One cycle through all images (Sattolo 1986),
 * each cyclic order as likely as any other.
 * @param images at least two, no two with the same pixels
 * @param rng at the beginning of its stream
 */
export function derangement<Image extends { readonly sha256: string }>(
  images: readonly Image[],
  rng: Rng,
): (image: Image) => Image {
  const order = images.map((_, i) => i)
  for (let i = order.length - 1; i > 0; i--) {
    const other = rng.below(i)
    ;[order[i], order[other]] = [order[other] as number, order[i] as number]
  }
  const judges = new Map(images.map(({ sha256 }, i) => [sha256, images[order[i] as number] as Image]))
  return (image) => judges.get(image.sha256) ?? image
}
