// The 48 classes of object in the demo world, each with its words and its art in two styles.
// scene.ts draws from them, sprites.ts rasterises their art, captions.ts and coco.ts name them.

/** The two icon sets; which licence each has stands in resources/NOTICE. */
export const artSets = ['fluent-emoji-flat', 'noto'] as const
export type ArtSet = (typeof artSets)[number]

/** Where an object belongs: in the air, at the far edge of the ground, or anywhere on the ground. */
export type Home = 'sky' | 'far' | 'ground'

export interface SceneClass {
  /** Counted from 1, in the order of the table below. */
  readonly categoryId: number
  readonly name: string
  /** As COCO groups its categories. */
  readonly supercategory: string
  /** The name of its icon, the same in both sets. */
  readonly icon: string
  /** The words of a caption: `an apple`, `a pair of scissors`. */
  readonly phrase: string
  readonly home: Home
  /** Whether it may be drawn as its mirror image. */
  readonly canFlip: boolean
}

// Each line was checked by eye on a sheet of the rendered icons.
const iconTable: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  kitchen: {
    cup: 'hot-beverage',
    knife: 'kitchen-knife',
    spoon: 'spoon',
    bowl: 'bowl-with-spoon',
    'wine glass': 'wine-glass',
  },
  food: {
    apple: 'red-apple',
    banana: 'banana',
    carrot: 'carrot',
    broccoli: 'broccoli',
    cake: 'birthday-cake',
    donut: 'doughnut',
    pizza: 'pizza',
    'hot dog': 'hot-dog',
    sandwich: 'sandwich',
    orange: 'tangerine',
  },
  furniture: { couch: 'couch-and-lamp', chair: 'chair', plant: 'potted-plant' },
  electronic: { television: 'television', laptop: 'laptop', phone: 'mobile-phone' },
  indoor: { clock: 'alarm-clock', book: 'blue-book', 'teddy bear': 'teddy-bear', scissors: 'scissors' },
  animal: {
    cat: 'cat',
    dog: 'dog',
    horse: 'horse',
    sheep: 'ewe',
    cow: 'cow',
    bird: 'bird',
    elephant: 'elephant',
    bear: 'bear',
    zebra: 'zebra',
    giraffe: 'giraffe',
  },
  vehicle: {
    car: 'automobile',
    bus: 'bus',
    truck: 'delivery-truck',
    bicycle: 'bicycle',
    motorcycle: 'motorcycle',
    boat: 'sailboat',
    airplane: 'airplane',
  },
  outdoor: { 'traffic light': 'vertical-traffic-light', 'stop sign': 'stop-sign' },
  accessory: { umbrella: 'umbrella', backpack: 'backpack' },
  sports: { kite: 'kite', ball: 'soccer-ball' },
}

const phrases: Readonly<Record<string, string>> = { broccoli: 'some broccoli', scissors: 'a pair of scissors' }
const homes: Readonly<Record<string, Home>> = { airplane: 'sky', kite: 'sky', boat: 'far' }

/** All classes, in the order of their category ids. */
export const classes: readonly SceneClass[] = Object.entries(iconTable)
  .flatMap(([supercategory, icons]) => Object.entries(icons).map(([name, icon]) => ({ supercategory, name, icon })))
  .map(({ supercategory, name, icon }, place) => ({
    categoryId: place + 1,
    name,
    supercategory,
    icon,
    phrase: phrases[name] ?? withArticle(name),
    home: homes[name] ?? 'ground',
    canFlip: name !== 'stop sign',
  }))

const byName = new Map(classes.map((one) => [one.name, one]))

/** The class of that name; a name that is not in the table is a mistake in the program. */
export function classNamed(name: string): SceneClass {
  const found = byName.get(name)
  if (!found) throw new RangeError(`the demo world has no class ${name}`)
  return found
}

/** `a cat`, `an apple`. */
export function withArticle(name: string): string {
  return `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`
}
