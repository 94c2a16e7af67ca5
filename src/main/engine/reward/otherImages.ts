// What the calibration compares with: each word against images other than its own, and scores freed of the word's own level.
// Before it stand sampled responses, after it knowledge.ts, which asks whether the own image makes a difference.
import type { Rng } from '../rng.ts'

/** What is known of a response when other images are chosen: its image, by a key, and the objects that it names. */
export interface NamingResponse {
  readonly image: string
  readonly names: readonly string[]
}

export interface OtherImages {
  /** Keys of all images; a number stands for the image at that place. */
  readonly images: readonly string[]
  /** Other images for a name in a response, at most so many as were asked for. */
  readonly of: (response: number, name: string) => readonly number[]
}

/** Images that words are scored against are drawn from so many. */
const mostCandidates = 256
/** Images that each count of names said together is smoothed with, as if names were said at their usual rate there. */
const smoothing = 1

/**
 * Chooses, for a name in a response, other images that no response names it in, those first where it was to be expected:
 * by the logarithm of how much more often than usual the names there are said together with it (naive Bayes), plus the
 * names shared with the response. Against any images, a verifier that tells kitchens from streets would pass for one that
 * tells cups from knives. POPE draws absent objects likewise (its adversarial setting; Li et al. 2023, arXiv 2305.10355).
 */
export function chooseOtherImages(
  responses: readonly NamingResponse[],
  { count, rng }: { readonly count: number; readonly rng: Rng },
): OtherImages {
  const byImage = new Map<string, Set<string>>()
  for (const { image, names } of responses) {
    const known = byImage.get(image) ?? new Set()
    for (const name of names) known.add(name)
    byImage.set(image, known)
  }
  const images = [...byImage.keys()]
  const named = [...byImage.values()]
  const expectedness = expectednessOf(named)
  const candidates = images.map((_, image) => image)
  rng.shuffle(candidates)
  candidates.length = Math.min(candidates.length, mostCandidates)
  const ofName = new Map<string, readonly { readonly image: number; readonly expected: number }[]>()
  return { images, of }

  function of(response: number, name: string): number[] {
    const { image: own } = responses[response] as NamingResponse
    const ownNames = byImage.get(own) as Set<string>
    const known =
      ofName.get(name) ??
      candidates
        .filter((image) => !(named[image] as Set<string>).has(name))
        .map((image) => ({ image, expected: expectedness(name, named[image] as Set<string>) }))
    ofName.set(name, known)
    const [chosen, ranks]: [number[], number[]] = [[], []]
    for (const { image, expected } of known) {
      let rank = expected
      for (const one of named[image] as Set<string>) if (ownNames.has(one)) rank++
      // Own images name the word, so they are no candidates. Insertion, since few of many are kept.
      let at = chosen.length
      while (at > 0 && (ranks[at - 1] as number) < rank) at--
      if (at >= count) continue
      chosen.splice(at, 0, image)
      ranks.splice(at, 0, rank)
      chosen.length = Math.min(chosen.length, count)
      ranks.length = chosen.length
    }
    return chosen
  }
}

/** Σ ln P(other name | name) / P(other name) over the names of an image, by how often images name them together. */
function expectednessOf(named: readonly ReadonlySet<string>[]): (name: string, names: ReadonlySet<string>) => number {
  const together = new Map<string, Map<string, number>>()
  for (const names of named) {
    for (const one of names) {
      const row = together.get(one) ?? new Map<string, number>()
      together.set(one, row)
      for (const other of names) row.set(other, (row.get(other) ?? 0) + 1)
    }
  }
  return (name, names) => {
    const row = together.get(name)
    const count = row?.get(name) ?? 0
    let sum = 0
    for (const one of names) {
      const usual = (together.get(one)?.get(one) ?? 0) / named.length
      sum += Math.log(((row?.get(one) ?? 0) + smoothing * usual) / ((count + smoothing) * usual))
    }
    return sum
  }
}

/** A word's score on its own image, and on others; images by number. */
export interface ComparedMention {
  readonly image: number
  /** As it was said, since the level is that of the text that was scored. */
  readonly word: string
  readonly score: number
  readonly others: readonly { readonly image: number; readonly score: number }[]
}

/** Scores of both kinds less their words' levels. A mention's other scores weigh 1 together, as its own score does. */
export interface CentredScores {
  readonly own: Float64Array
  /** Of each own score: its image, and its place in the list of mentions. */
  readonly ownImage: Int32Array
  readonly mention: Int32Array
  readonly other: Float64Array
  readonly otherImage: Int32Array
  readonly otherWeight: Float64Array
}

/** Other images that a word's level is told from, at least. */
const leastLevelImages = 2

/**
 * Takes from each score the mean of the same word on other images. Other scores are part of that mean, so each is
 * spread by √((m + 1) / (m - 1)) for m images, which gives it the variance of an own score less a mean that it is no
 * part of: where the image makes no difference, both kinds are distributed alike. Mentions without others are left out.
 */
export function centreScores(mentions: readonly ComparedMention[]): CentredScores {
  const levels = levelsOf(mentions)
  const kept = mentions.flatMap((mention, index) => {
    const level = levels.get(mention.word)
    return level && mention.others.length > 0 ? [{ mention, index, ...level }] : []
  })
  const others = kept.flatMap(({ mention, level, spread }) =>
    mention.others.map(({ image, score }) => ({
      ...{ image, weight: 1 / mention.others.length },
      centred: (score - level) * spread,
    })),
  )
  return {
    own: Float64Array.from(kept, ({ mention, level }) => mention.score - level),
    ownImage: Int32Array.from(kept, ({ mention }) => mention.image),
    mention: Int32Array.from(kept, ({ index }) => index),
    other: Float64Array.from(others, ({ centred }) => centred),
    otherImage: Int32Array.from(others, ({ image }) => image),
    otherWeight: Float64Array.from(others, ({ weight }) => weight),
  }
}

function levelsOf(mentions: readonly ComparedMention[]): Map<string, { level: number; spread: number }> {
  const byWord = new Map<string, Map<number, number>>()
  for (const { word, others } of mentions) {
    const known = byWord.get(word) ?? new Map<number, number>()
    for (const { image, score } of others) known.set(image, score)
    byWord.set(word, known)
  }
  const levels = new Map<string, { level: number; spread: number }>()
  for (const [word, scores] of byWord) {
    if (scores.size < leastLevelImages) continue
    let sum = 0
    for (const score of scores.values()) sum += score
    levels.set(word, { level: sum / scores.size, spread: Math.sqrt((scores.size + 1) / (scores.size - 1)) })
  }
  return levels
}
