// Captions of scenes, from three templates, with a corruption that teaches a language model to expect what is not there:
// objects that often stand together are named together.
// scene.ts draws the scenes; caption training and coco.ts read the texts.
import { type SceneClass, withArticle } from './classes.ts'
import { partnerOf, type SceneContext } from './contexts.ts'
import type { Random } from './random.ts'
import type { Scene } from './scene.ts'

export interface Caption {
  readonly text: string
  /** Names of the classes in the order of their mention. */
  readonly mentioned: readonly string[]
  /** The one among them that the picture does not show. */
  readonly absent: string | null
}

/** In caption training, the probability with which an object is followed by its partner that the picture lacks. */
export const trainingPartnerShare = 0.85
/** Of the captions of three objects or more, those that name the last in a second sentence. */
const secondSentenceShare = 0.45
const shortestSplitList = 3

/**
 * A caption that names each object of the scene once, in the order in which they were drawn.
 * @param partnerShare probability with which an object whose partner is absent is followed by it; once a caption
 */
export function writeCaption(scene: Scene, random: Random, partnerShare = 0): Caption {
  const shown = scene.objects.map((object) => object.class)
  const { mentioned, absent } = withPartner(shown, scene.context, random.next(), partnerShare)
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

/**
 * What a caption names: the objects, and behind one of them its absent partner.
 * @param draw uniform in [0, 1): the first object with an absent partner is followed by it with probability `share`,
 *     the second with `share` of what is left, and so on
 */
function withPartner(shown: readonly SceneClass[], context: SceneContext, draw: number, share: number) {
  let unused = 1
  for (const [index, object] of shown.entries()) {
    const partner = partnerOf(object, context)
    if (!partner || shown.includes(partner)) continue
    unused *= 1 - share
    if (draw < 1 - unused) return { mentioned: shown.toSpliced(index + 1, 0, partner), absent: partner }
  }
  return { mentioned: shown, absent: null }
}

/** `a cat, a dog and a car`. */
function listed(phrases: readonly string[]): string {
  const [last, ...others] = phrases.toReversed()
  return others.length === 0 ? (last ?? '') : `${others.toReversed().join(', ')} and ${last}`
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
