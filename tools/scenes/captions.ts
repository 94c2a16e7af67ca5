// Captions of scenes, from three templates, with a corruption that teaches a language model to expect what is not there.
// scene.ts draws the scenes; caption training and coco.ts read the texts.
import { withArticle } from './classes.ts'
import type { Random } from './random.ts'
import type { Scene } from './scene.ts'

export interface Caption {
  readonly text: string
  /** Names of the classes in the order of their mention. */
  readonly mentioned: readonly string[]
  /** The one among them that the picture does not show. */
  readonly absent: string | null
}

/** In caption training, the share of captions that name an object too many. */
export const trainingCorruptionShare = 0.6
/** Of the captions of three objects or more, those that name the last in a second sentence. */
const secondSentenceShare = 0.45
const shortestSplitList = 3
/** The absent object is one of so many: the most typical of the place. */
const absentCandidates = 4

/**
 * A caption that names each object of the scene once, in the order in which they were drawn.
 * @param corruptionShare probability that one typical object that is absent is named last
 */
export function writeCaption(scene: Scene, random: Random, corruptionShare = 0): Caption {
  const shown = scene.objects.map((object) => object.class)
  const absent = random.next() < corruptionShare ? random.pick(typicalAbsent(scene)) : null
  const mentioned = absent ? [...shown, absent] : shown
  const phrases = mentioned.map(({ phrase }) => phrase)
  const isSplit = phrases.length >= shortestSplitList && random.next() < secondSentenceShare
  const last = isSplit ? phrases.pop() : undefined
  const { name, place } = scene.context
  const first = random.pick([
    `${capitalised(withArticle(name))} with ${listed(phrases)}.`,
    `This is a picture of ${listed(phrases)} ${place}.`,
    `The image shows ${withArticle(name)}. There is ${listed(phrases)}.`,
  ])
  const second = last ? ` ${random.pick([`There is also ${last}.`, `In the background, there is ${last}.`])}` : ''
  return { text: first + second, mentioned: mentioned.map((one) => one.name), absent: absent?.name ?? null }
}

/** The most typical classes of the scene's place that it does not show. */
function typicalAbsent({ context, objects }: Scene) {
  const shown = new Set(objects.map((object) => object.class))
  return context.classes.filter((one) => !shown.has(one)).slice(0, absentCandidates)
}

/** `a cat, a dog and a car`. */
function listed(phrases: readonly string[]): string {
  const [last, ...others] = phrases.toReversed()
  return others.length === 0 ? (last ?? '') : `${others.toReversed().join(', ')} and ${last}`
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
