// The demo world as data sets: which scenes a split holds, and which of its classes each shows. tools/scenes draws
// them; training and evaluation of the demo model read them.
import { Rng } from '../../src/main/engine/rng.ts'
import { writeCaption } from '../scenes/captions.ts'
import { classes } from '../scenes/classes.ts'
import { Random } from '../scenes/random.ts'
import { makeScene, type Scene } from '../scenes/scene.ts'

export interface Split {
  /** Of its scenes; no two splits share one. The sample scenes of the app have 20260. */
  readonly seed: number
  readonly count: number
}

/** Settings are chosen on `validation`; `test` is read once, for the figures. Alignment has scenes of its own. */
export const splits = {
  train: { seed: 20261, count: 40_000 },
  alignment: { seed: 20262, count: 2_000 },
  validation: { seed: 20263, count: 1_000 },
  test: { seed: 20264, count: 1_000 },
} as const satisfies Record<string, Split>
export type SplitName = keyof typeof splits

export function scenesOf({ seed, count }: Split): Scene[] {
  return Array.from({ length: count }, (_, index) => makeScene(seed, index))
}

/** Names of the classes, in the order of their ids. */
export const classNames: readonly string[] = classes.map(({ name }) => name)
const classIndex = new Map(classes.map((one, index) => [one, index]))

/** Which classes a scene shows, as indices into {@link classNames}. */
export function shownClasses(scene: Scene): number[] {
  return scene.objects.map((object) => classIndex.get(object.class) as number)
}

/** The typical classes of a scene's place that it does not show, the most typical first. */
export function typicalAbsentClasses(scene: Scene): number[] {
  const shown = new Set(shownClasses(scene))
  return scene.context.classes.map((one) => classIndex.get(one) as number).filter((index) => !shown.has(index))
}

/** A caption for training; `epoch` draws other words for the same scene. */
export function trainingCaption(scene: Scene, epoch: number, partnerShare: number): string {
  return writeCaption(scene, new Random(scene.seed + 1000 * epoch, 'caption', scene.index), partnerShare).text
}

export interface Question {
  readonly text: string
  readonly answer: 'Yes.' | 'No.'
}

/**
 * Whether an object is there, as POPE asks (Li et al. 2023): half of the questions about one that is, a quarter about a
 * typical one that is not, a quarter about any other.
 */
export function trainingQuestion(scene: Scene, epoch: number): Question {
  const rng = new Rng({ seed: scene.seed, stream: scene.index }).fork(epoch)
  const shown = shownClasses(scene)
  const absent = classes.map((_, index) => index).filter((index) => !shown.includes(index))
  const kind = rng.below(4)
  const from = kind < 2 ? shown : kind === 2 ? typicalAbsentClasses(scene) : absent
  const asked = classes[from[rng.below(from.length)] as number]
  return { text: `Is there ${asked?.phrase} in the image?`, answer: kind < 2 ? 'Yes.' : 'No.' }
}

/** Ways to put a class into words for the text tower; one is drawn for each step. */
export const wordPrompts: readonly ((name: string) => string)[] = [
  (name) => `a photo of a ${name}`,
  (name) => `a photo of a ${name}.`,
  (name) => `a photo of ${classes.find((one) => one.name === name)?.phrase}.`,
  (name) => `an image of a ${name}`,
  (name) => name,
]
