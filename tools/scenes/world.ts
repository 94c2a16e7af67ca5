// What the demo world consists of: 48 classes with their art, and 8 contexts with the classes typical of each.

/** A class of object: its name, its COCO supercategory and the icons that show it in both art sets. */
export interface SceneClass {
  readonly name: string
  readonly supercategory: string
  readonly icons: readonly string[]
}

const table: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  kitchen: {
    cup: 'teacup-without-handle hot-beverage',
    knife: 'kitchen-knife',
    spoon: 'spoon',
    bowl: 'bowl-with-spoon',
    'wine glass': 'wine-glass',
  },
  food: {
    apple: 'red-apple green-apple',
    banana: 'banana',
    carrot: 'carrot',
    broccoli: 'broccoli',
    cake: 'shortcake birthday-cake',
    donut: 'doughnut',
    pizza: 'pizza',
    'hot dog': 'hot-dog',
    sandwich: 'sandwich',
    orange: 'tangerine',
  },
  furniture: { couch: 'couch-and-lamp', chair: 'chair', plant: 'potted-plant' },
  electronic: { television: 'television', laptop: 'laptop', phone: 'mobile-phone' },
  indoor: {
    clock: 'alarm-clock mantelpiece-clock',
    book: 'closed-book blue-book green-book orange-book',
    'teddy bear': 'teddy-bear',
    scissors: 'scissors',
  },
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
    car: 'automobile oncoming-automobile',
    bus: 'bus',
    truck: 'delivery-truck articulated-lorry',
    bicycle: 'bicycle',
    motorcycle: 'motorcycle',
    boat: 'sailboat speedboat',
    airplane: 'airplane',
  },
  outdoor: { 'traffic light': 'vertical-traffic-light', 'stop sign': 'stop-sign' },
  accessory: { umbrella: 'umbrella umbrella-on-ground', backpack: 'backpack' },
  sports: { kite: 'kite', ball: 'soccer-ball basketball' },
}

/** All classes; a class's category id is its place here, counted from 1. */
export const classes: readonly SceneClass[] = Object.entries(table).flatMap(([supercategory, members]) =>
  Object.entries(members).map(([name, icons]) => ({ name, supercategory, icons: icons.split(' ') })),
)

/** The category id of a class. */
export function categoryId(name: string): number {
  return classes.findIndex((one) => one.name === name) + 1
}

/** A kind of place: its classes in order of typicality, and the tints of its background. */
export interface SceneContext {
  readonly name: string
  readonly classes: readonly string[]
  /** Upper and lower background colour as hue, saturation and lightness in per cent. */
  readonly above: readonly [number, number, number]
  readonly below: readonly [number, number, number]
  /** Height of the horizon as a fraction of the picture. */
  readonly horizon: number
}

const list = (text: string): string[] => text.split(', ')

export const contexts: readonly SceneContext[] = [
  {
    name: 'kitchen',
    classes: list('cup, bowl, knife, spoon, apple, carrot, broccoli, banana, sandwich'),
    above: [42, 55, 90],
    below: [28, 40, 72],
    horizon: 0.52,
  },
  {
    name: 'party table',
    classes: list('cake, wine glass, pizza, donut, cup, hot dog, orange, spoon'),
    above: [330, 50, 91],
    below: [350, 42, 78],
    horizon: 0.45,
  },
  {
    name: 'living room',
    classes: list('couch, television, chair, clock, book, plant, teddy bear, cat, dog'),
    above: [168, 24, 86],
    below: [30, 32, 66],
    horizon: 0.6,
  },
  {
    name: 'street',
    classes: list('car, bus, traffic light, bicycle, truck, stop sign, motorcycle, dog'),
    above: [208, 55, 86],
    below: [220, 7, 62],
    horizon: 0.55,
  },
  {
    name: 'farm',
    classes: list('cow, horse, sheep, dog, bird, truck, apple, cat'),
    above: [202, 65, 87],
    below: [92, 40, 62],
    horizon: 0.42,
  },
  {
    name: 'zoo',
    classes: list('elephant, giraffe, zebra, bear, bird, horse, backpack, umbrella'),
    above: [190, 50, 86],
    below: [48, 45, 68],
    horizon: 0.45,
  },
  {
    name: 'beach',
    classes: list('umbrella, boat, kite, ball, bird, dog, airplane, banana'),
    above: [198, 75, 84],
    below: [44, 68, 80],
    horizon: 0.5,
  },
  {
    name: 'desk',
    classes: list('laptop, phone, book, cup, scissors, clock, plant, backpack'),
    above: [230, 22, 90],
    below: [26, 36, 64],
    horizon: 0.5,
  },
]
