// From a seed and a number to the description of a scene: which objects, where, in which place. Pure, and the same on
// every machine. draw.ts turns it into pixels, captions.ts into words, coco.ts into annotations.
import { type ArtSet, artSets, classes, type SceneClass } from './classes.ts'
import { contexts, type SceneContext, typicalityWeights } from './contexts.ts'
import { Random } from './random.ts'

/** One object; lengths are fractions of the picture's edge. */
export interface SceneObject {
  readonly class: SceneClass
  readonly artSet: ArtSet
  /** Centre of the icon's square. */
  readonly x: number
  readonly y: number
  /** Edge of the icon's square before it is turned. */
  readonly size: number
  /** Clockwise. */
  readonly rotationDegrees: number
  readonly isFlipped: boolean
}

/** The look of the place behind the objects. */
export interface Background {
  /** Which of the context's backdrops. */
  readonly variant: number
  readonly isFlipped: boolean
  /** Gains of red, green and blue: warmer or cooler light. */
  readonly tint: readonly [number, number, number]
  /** Change of brightness from the left edge to the right and from the top to the bottom. */
  readonly gradient: readonly [number, number]
}

export interface Scene {
  readonly seed: number
  readonly index: number
  readonly context: SceneContext
  readonly background: Background
  /** In the order in which they were drawn, all of different classes. */
  readonly objects: readonly SceneObject[]
}

/** Backdrops of each context. */
export const variantCount = 8
/** Weights of two to five objects; 3.4 on average. */
const countWeights = [20, 35, 30, 15]
/** Of all draws, those that take any class, typical or not. */
export const strangerShare = 0.08
/** Sizes of 15 to 26 pixels of 64. */
const sizes = [15 / 64, 26 / 64] as const
const largestRotationDegrees = 25
/** Two objects' squares share less than this part of the smaller, where {@link placementTries} tries find a place. */
export const largestOverlap = 0.08
const placementTries = 12

/** Scene `index` of a seed; both are 32-bit unsigned integers. */
export function makeScene(seed: number, index: number): Scene {
  const random = new Random(seed, 'layout', index)
  const context = random.pick(contexts)
  const background = drawBackground(random)
  const count = 2 + random.weighted(countWeights)
  const objects: SceneObject[] = []
  while (objects.length < count) {
    const drawn = drawClass(random, context)
    if (objects.some((object) => object.class === drawn)) continue
    objects.push(place(random, context, drawn, objects))
  }
  return { seed, index, context, background, objects }
}

function drawBackground(random: Random): Background {
  const warmth = random.between(-0.05, 0.05)
  const green = random.between(-0.02, 0.02)
  return {
    variant: random.below(variantCount),
    isFlipped: random.next() < 0.5,
    tint: [1 + warmth, 1 + green, 1 - warmth],
    gradient: [random.between(-0.09, 0.09), random.between(-0.07, 0.05)],
  }
}

function drawClass(random: Random, context: SceneContext): SceneClass {
  if (random.next() < strangerShare) return random.pick(classes)
  return context.classes[random.weighted(typicalityWeights.slice(0, context.classes.length))] as SceneClass
}

/** The first of twelve places that overlaps little with what is there, else the one that overlaps least. */
function place(random: Random, context: SceneContext, drawn: SceneClass, others: readonly SceneObject[]): SceneObject {
  const size = random.between(...sizes)
  const look = {
    class: drawn,
    artSet: random.pick(artSets),
    size,
    // The sum of two draws: most objects stand nearly upright.
    rotationDegrees: ((random.between(-1, 1) + random.between(-1, 1)) / 2) * largestRotationDegrees,
    isFlipped: random.next() < 0.5 && drawn.canFlip,
  }
  const [highest, lowest] = centreRange(drawn, context, size)
  let best: SceneObject | undefined
  let bestOverlap = Number.POSITIVE_INFINITY
  for (let tried = 0; tried < placementTries && bestOverlap >= largestOverlap; tried++) {
    const candidate = { ...look, x: random.between(size / 2, 1 - size / 2), y: random.between(highest, lowest) }
    const worst = Math.max(0, ...others.map((other) => overlap(candidate, other)))
    if (worst < bestOverlap) {
      best = candidate
      bestOverlap = worst
    }
  }
  return best as SceneObject
}

/** The highest and the lowest place of an object's centre: its foot stands on the ground, or it flies above. */
function centreRange({ home }: SceneClass, { horizon, firmGround }: SceneContext, size: number): [number, number] {
  const feet = { sky: [0, horizon + 0.08], far: [horizon + 0.05, horizon + 0.16], ground: [firmGround, 1] }[home]
  const [highest, lowest] = feet.map((foot) => Math.max(foot - size / 2, size / 2)) as [number, number]
  return [highest, lowest]
}

/** Shared area of two objects' squares over the area of the smaller. */
export function overlap(a: SceneObject, b: SceneObject): number {
  const reach = (a.size + b.size) / 2
  const least = Math.min(a.size, b.size)
  const shared = (distance: number): number => Math.max(0, Math.min(least, reach - Math.abs(distance)))
  return (shared(a.x - b.x) * shared(a.y - b.y)) / (least * least)
}
