// The 8 kinds of place in the demo world and which classes are typical of each.
// scene.ts draws objects by these weights, backdrops.ts paints the places, captions.ts names them.
import { classNamed, type SceneClass } from './classes.ts'

export interface SceneContext {
  readonly name: string
  /** As a caption ends: `in a kitchen`. */
  readonly place: string
  /** The most typical first. */
  readonly classes: readonly SceneClass[]
  /** Where the sky or the wall ends, as a fraction of the picture's height. */
  readonly horizon: number
  /** The highest place of a foot on the ground, likewise. */
  readonly firmGround: number
}

function context(place: string, horizon: number, names: string, firmGround = horizon + 0.02): SceneContext {
  return {
    name: place.replace(/^\S+ an? /, ''),
    place,
    classes: names.split(', ').map(classNamed),
    horizon,
    firmGround,
  }
}

export const contexts: readonly SceneContext[] = [
  context('in a kitchen', 0.38, 'cup, bowl, knife, spoon, apple, carrot, broccoli, banana, sandwich'),
  context('on a party table', 0.36, 'cake, wine glass, pizza, donut, cup, hot dog, orange, spoon'),
  context('in a living room', 0.38, 'couch, television, chair, clock, book, plant, teddy bear, cat, dog'),
  context('on a street', 0.36, 'car, bus, traffic light, bicycle, truck, stop sign, motorcycle, dog'),
  context('on a farm', 0.36, 'cow, horse, sheep, dog, bird, truck, apple, cat'),
  context('in a zoo', 0.36, 'elephant, giraffe, zebra, bear, bird, horse, backpack, umbrella'),
  context('on a beach', 0.34, 'umbrella, boat, kite, ball, bird, dog, airplane, banana', 0.48),
  context('on a desk', 0.36, 'laptop, phone, book, cup, scissors, clock, plant, backpack'),
]

/** Pairs of a place that go together, the most typical first. */
const partnerPairs = 3

/**
 * What goes with an object in a place, or null: each second of the place's first six classes goes with the one before it,
 * as a bowl with a cup. A language model that learns to expect the pair names the one for the other.
 */
export function partnerOf(object: SceneClass, { classes }: SceneContext): SceneClass | null {
  const index = classes.indexOf(object)
  return index % 2 === 0 && index < 2 * partnerPairs ? (classes[index + 1] ?? null) : null
}

/** Weights 1 / rank^0.6 of a context's classes in thousandths: integers, so that no machine rounds them otherwise. */
export const typicalityWeights = [1000, 660, 517, 435, 381, 341, 311, 287, 268] as const
