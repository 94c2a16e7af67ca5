// A look at the validation images: figures by the verifier's estimates, no annotation is read. The engine takes it
// (run/look.ts), the workspace stores it, screens show some of its figures.
import { z } from 'zod'

/**
 * What the responses to single images name, in one order: what the looks of a run are compared by, image by image. Of very
 * many images the first ones, which are as good as any, since their order is drawn.
 */
export const imageFiguresSchema = z.strictObject({
  imageIds: z.array(z.int()),
  /** Expected number of hallucinated mentions, to four decimals. */
  hallucinated: z.array(z.number()),
  mentions: z.array(z.int().nonnegative()),
})
export type ImageFigures = z.infer<typeof imageFiguresSchema>

/** Change of the hallucination rate on the images that two looks share. */
export const rateChangeSchema = z.strictObject({
  difference: z.number(),
  /** Over images, by a paired bootstrap. */
  standardError: z.number(),
  images: z.int().nonnegative(),
})
export type RateChange = z.infer<typeof rateChangeSchema>

/**
 * Its 95 % interval: Student's t for so many images, by the expansion of Abramowitz & Stegun (1964, 26.7.5) to its first
 * term.
 */
export function changeInterval({ difference, standardError, images }: RateChange): { low: number; high: number } {
  const z = 1.96
  const width = (z + (z ** 3 + z) / (4 * Math.max(1, images - 1))) * standardError
  return { low: difference - width, high: difference + width }
}

/** One look; figures are means over its responses. */
export const lookSchema = z.strictObject({
  /** Steps done; 0 is the model as it came. */
  step: z.int().nonnegative(),
  responses: z.int().nonnegative(),
  /** Estimated share of mentions that are hallucinated. */
  hallucinationRate: z.number(),
  /** Its 95 % interval over responses; earlier versions stored none. */
  hallucinationRateLow: z.number().exactOptional(),
  hallucinationRateHigh: z.number().exactOptional(),
  /** Estimated different objects a response that are named and there. */
  coverage: z.number(),
  meanWords: z.number(),
  meanObjects: z.number(),
  meanRepeatedMentions: z.number(),
  repeatedTrigramShare: z.number(),
  emptyShare: z.number(),
  /** Whether it costs little coverage and oversteps no guard; null in looks of earlier versions, as all that follows. */
  isSound: z.boolean().nullable().default(null),
  /** Since the first look; null where they cannot be compared. */
  change: rateChangeSchema.nullable().default(null),
  /** Step of the best look so far, this one included; 0 while nothing is better beyond noise. */
  bestStep: z.int().nonnegative().nullable().default(null),
  /** Kept of the first look and of those that were the best when they were taken. */
  perImage: imageFiguresSchema.nullable().default(null),
})
export type Look = z.infer<typeof lookSchema>

/** What a run came to, in a sentence that says no more than its looks show. */
export function outcomeSentence(
  looks: readonly Pick<Look, 'step' | 'isSound' | 'change'>[],
  bestStep: number,
  isEnded: boolean,
): string {
  const best = looks.find(({ step }) => step === bestStep)
  const later = looks.filter(({ step }) => step > 0)
  const tense = isEnded ? 'was' : 'is'
  const yet = isEnded ? '' : ' yet'
  if (bestStep > 0) {
    const { change } = best ?? { change: null }
    const points = (value: number) => (100 * Math.abs(value)).toFixed(1)
    const measured = change
      ? ` On ${change.images} validation images the share of hallucinated words fell by ${points(change.difference)} points (standard error ${points(change.standardError)}).`
      : ''
    return `Step ${bestStep} against the model as it came, on validation images.${measured} Estimated by the verifier; no annotation was read. After training that is a lower bound: what is left is what the verifier takes for right.`
  }
  if (later.length === 0) return 'The model as it came; no later step was looked at yet.'
  if (later.every(({ isSound }) => isSound === false)) {
    return `No step ${tense} kept${yet}: each named fewer right objects, or repeated or shortened too much. A smaller learning rate or a higher price of leaving the reference may help.`
  }
  if (later.some(({ change }) => change !== null)) {
    return `Nothing changed beyond noise${yet}: no step ${tense} better than the model as it came by more than chance explains. More images, a longer run or another encoder may show a change.`
  }
  return `No step ${tense} better than the model as it came${yet}. A longer run, more images or another encoder may help.`
}
