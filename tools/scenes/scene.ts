// From a seed and a number to the description of a scene: which objects, where, on which ground. Pure; draw.ts
// turns it into pixels, coco.ts into annotations.
import { Random } from './random.ts'
import { classes, contexts, type SceneContext } from './world.ts'

export const artSets = ['fluent-emoji-flat', 'noto'] as const
export type ArtSet = (typeof artSets)[number]

/** One object; lengths are fractions of the picture's edge. */
export interface SceneObject {
  readonly name: string
  readonly artSet: ArtSet
  readonly icon: string
  /** Centre. */
  readonly x: number
  readonly y: number
  /** Edge of the icon's square before it is turned. */
  readonly size: number
  readonly rotationDegrees: number
  readonly isFlipped: boolean
}

export interface Scene {
  readonly seed: number
  readonly index: number
  readonly context: SceneContext
  /** Turn of both background hues, in degrees. */
  readonly tintDegrees: number
  /** From the far ones to the near ones. */
  readonly objects: readonly SceneObject[]
}

/** Probabilities of two to five objects; 3.4 on average. */
const countWeights = [0.2, 0.35, 0.3, 0.15]
/** Of all draws, those that take any class, typical or not. */
const strangerShare = 0.08
const typicalityExponent = 0.6
/** Sizes of 15 to 26 pixels of 64. */
const sizes = [15 / 64, 26 / 64] as const
const largestOverlap = 0.08
const placementTries = 12

/** Scene `index` of a seed. */
export function makeScene(seed: number, index: number): Scene {
  const random = new Random(seed, index)
  const context = random.pick(contexts)
  const tintDegrees = random.between(-14, 14)
  const count = 2 + random.weighted(countWeights)
  const objects: SceneObject[] = []
  while (objects.length < count) {
    const name = drawClass(random, context)
    if (objects.some((object) => object.name === name)) continue
    objects.push(place(random, name, objects))
  }
  return { seed, index, context, tintDegrees, objects: objects.sort((a, b) => a.y - b.y) }
}

function drawClass(random: Random, context: SceneContext): string {
  if (random.next() < strangerShare) return random.pick(classes).name
  const weights = context.classes.map((_, rank) => (rank + 1) ** -typicalityExponent)
  return context.classes[random.weighted(weights)] as string
}

/** The first of twelve places that overlaps little with what is there, else the one that overlaps least. */
function place(random: Random, name: string, others: readonly SceneObject[]): SceneObject {
  const size = random.between(...sizes)
  const look = {
    name,
    artSet: random.pick(artSets),
    icon: random.pick(classes.find((one) => one.name === name)?.icons ?? []),
    size,
    rotationDegrees: random.between(-25, 25),
    isFlipped: random.next() < 0.5,
  }
  let best: SceneObject | undefined
  let bestOverlap = Number.POSITIVE_INFINITY
  for (let tried = 0; tried < placementTries && bestOverlap >= largestOverlap; tried++) {
    const candidate = { ...look, x: random.between(size / 2, 1 - size / 2), y: random.between(size / 2, 1 - size / 2) }
    const worst = Math.max(0, ...others.map((other) => overlap(candidate, other)))
    if (worst < bestOverlap) {
      best = candidate
      bestOverlap = worst
    }
  }
  return best as SceneObject
}

/** Shared area of two objects' squares over the area of the smaller. */
export function overlap(a: SceneObject, b: SceneObject): number {
  const shared = (along: 'x' | 'y'): number =>
    Math.max(
      0,
      Math.min(a[along] + a.size / 2, b[along] + b.size / 2) - Math.max(a[along] - a.size / 2, b[along] - b.size / 2),
    )
  return (shared('x') * shared('y')) / Math.min(a.size, b.size) ** 2
}
