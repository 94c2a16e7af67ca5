// Paints the places behind the objects as SVG: quiet, pale shapes that hold none of the 48 classes.
// contexts.ts names the places; draw.ts rasterises each backdrop once a size and tints it for each scene.
import type { SceneContext } from './contexts.ts'
import { Random } from './random.ts'

/** Edge of the coordinates in which backdrops are painted. */
const box = 384

type Colour = readonly [hue: number, saturationPercent: number, lightnessPercent: number]

const hsl = ([hue, saturation, lightness]: Colour): string => `hsl(${hue},${saturation}%,${lightness}%)`
const round = (value: number): number => Math.round(value * 10) / 10
const rect = (x: number, y: number, width: number, height: number, fill: string, more = ''): string =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${fill}" ${more}/>`
const path = (d: string, fill: string, more = ''): string => `<path d="${d}" fill="${fill}" ${more}/>`
const line = (d: string, stroke: string, width: number, more = ''): string =>
  `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="${width}" ${more}/>`
const ellipse = (x: number, y: number, rx: number, ry: number, fill: string, more = ''): string =>
  `<ellipse cx="${round(x)}" cy="${round(y)}" rx="${round(rx)}" ry="${round(ry)}" fill="${fill}" ${more}/>`
const repeat = (count: number, shape: (place: number) => string): string =>
  Array.from({ length: count }, (_, place) => shape(place)).join('')

/** A band from `top` to `bottom` whose colour changes downwards. */
function shade(id: string, top: number, bottom: number, from: Colour, to: Colour): string {
  const stops = `<stop offset="0" stop-color="${hsl(from)}"/><stop offset="1" stop-color="${hsl(to)}"/>`
  const gradient = `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1">${stops}</linearGradient>`
  return gradient + rect(0, top, box, bottom - top, `url(#${id})`)
}

function clouds(random: Random, horizon: number): string {
  return repeat(2, (place) => {
    const x = random.between(40, 150) + place * 180
    const y = random.between(0.16, 0.55) * horizon
    const scale = random.between(0.7, 1.2)
    const puff = (dx: number, dy: number, r: number): string =>
      ellipse(x + dx * scale, y + dy * scale, r * scale, r * scale * 0.8, '#fff')
    return `<g opacity="0.55">${puff(-22, 4, 15)}${puff(0, -3, 20)}${puff(23, 4, 14)}${rect(x - 30 * scale, y + 2, 60 * scale, 14 * scale, '#fff', 'rx="7"')}</g>`
  })
}

/** A hill line from the left edge to the right, filled down to the picture's foot. */
function hills(random: Random, height: number, rise: number, fill: string): string {
  const at = (): number => round(height + random.between(-rise, rise))
  const d = `M0 ${at()}C${box * 0.2} ${at()} ${box * 0.35} ${at()} ${box * 0.5} ${at()}S${box * 0.8} ${at()} ${box} ${at()}V${box}H0Z`
  return path(d, fill)
}

/** A table top seen from its front: its far edge catches the light. */
function tableTop(horizon: number, far: Colour, near: Colour): string {
  const edge: Colour = [far[0], far[1], far[2] + 7]
  return shade('top', horizon, box, far, near) + rect(0, horizon, box, 5, hsl(edge))
}

function kitchen(random: Random, horizon: number): string {
  const hue = random.pick([42, 165, 205, 95])
  const tile = random.pick([32, 40, 48])
  const window = random.between(40, 220)
  const across = repeat(Math.ceil(horizon / tile), (row) =>
    rect(0, horizon - row * tile - 2, box, 2, '#fff', 'opacity="0.7"'),
  )
  const down = repeat(Math.ceil(box / tile), (column) => rect(column * tile, 0, 2, horizon, '#fff', 'opacity="0.7"'))
  const pane = (x: number): string => rect(window + 7 + x, 0, 48, horizon * 0.58, 'hsl(200,60%,90%)')
  return (
    shade('wall', 0, horizon, [hue, 38, 91], [hue, 34, 86]) +
    across +
    down +
    rect(window, 0, 118, horizon * 0.58 + 7, '#fff') +
    pane(0) +
    pane(56) +
    tableTop(horizon, [30, 42, 78], [27, 40, 70]) +
    repeat(5, (place) => {
      const y = horizon + 26 + place * 42 + random.between(-8, 8)
      return line(
        `M0 ${round(y)}q${box / 2} ${round(random.between(-9, 9))} ${box} 0`,
        'hsl(27,38%,66%)',
        1.5,
        'opacity="0.6"',
      )
    })
  )
}

function partyTable(random: Random, horizon: number): string {
  const hue = random.pick([335, 265, 200, 20])
  const sag = random.between(28, 48)
  const flags = repeat(11, (place) => {
    const x = place * 36 - 6
    const along = (x + 12) / box
    const y = 16 + sag * 4 * along * (1 - along)
    const colour = hsl([(hue + place * 67) % 360, 55, 82])
    return path(`M${x} ${round(y)}h26l-13 30z`, colour)
  })
  const stripes = repeat(7, (place) =>
    path(`M${192 + (place - 3.3) * 34} ${horizon}h17L${192 + (place - 3) * 96} ${box}h-48z`, '#fff', 'opacity="0.28"'),
  )
  const confetti = repeat(26, () =>
    ellipse(random.between(0, box), random.between(60, horizon - 6), 2.4, 2.4, hsl([random.below(360), 60, 80])),
  )
  return (
    shade('wall', 0, horizon, [hue, 46, 94], [hue, 44, 89]) +
    confetti +
    flags +
    shade('cloth', horizon, box, [hue, 44, 83], [hue, 42, 76]) +
    stripes +
    rect(0, horizon, box, 4, '#fff', 'opacity="0.6"')
  )
}

function livingRoom(random: Random, horizon: number): string {
  const hue = random.pick([165, 210, 38, 120])
  const frames = repeat(2, (place) => {
    const [x, y] = [random.between(24, 100) + place * 180, random.between(18, 40)]
    const [width, height] = [random.between(56, 92), random.between(50, 76)]
    const art = hsl([random.below(360), 32, 84])
    return rect(x, y, width, height, '#fff') + rect(x + 6, y + 6, width - 12, height - 12, art)
  })
  const boards = repeat(6, (place) => {
    const y = horizon + 10 + (place * (place + 6) * (box - horizon)) / 62
    return rect(0, y, box, 1.5, 'hsl(28,32%,62%)', 'opacity="0.7"')
  })
  const rug = hsl([(hue + random.pick([150, 190])) % 360, 34, 76])
  return (
    shade('wall', 0, horizon, [hue, 24, 89], [hue, 22, 84]) +
    repeat(12, (place) => rect(place * 32, 0, 12, horizon, '#fff', 'opacity="0.18"')) +
    frames +
    rect(0, horizon - 12, box, 12, '#fff', 'opacity="0.85"') +
    shade('floor', horizon, box, [30, 38, 74], [28, 36, 67]) +
    boards +
    ellipse(random.between(130, 254), (horizon + box) / 2 + 26, 150, 54, rug)
  )
}

function street(random: Random, horizon: number): string {
  const hue = random.pick([208, 222, 30, 195])
  let x = -random.between(0, 30)
  let houses = ''
  while (x < box) {
    const [width, height] = [random.between(48, 84), random.between(0.35, 0.8) * horizon]
    const wall = hsl([random.pick([hue, 20, 350, 45]), 20, random.between(76, 84)])
    houses += rect(x, horizon - height, width, height, wall)
    const columns = Math.floor((width - 8) / 18)
    const inset = (width - columns * 18 + 8) / 2
    for (let y = horizon - height + 10; y < horizon - 20; y += 22) {
      for (let column = 0; column < columns; column++)
        houses += rect(x + inset + column * 18, y, 10, 12, '#fff', 'opacity="0.5"')
    }
    x += width
  }
  const dashes = repeat(6, (place) =>
    path(`M${place * 76 - 20} ${horizon + 118}h40l-5 9h-42z`, '#fff', 'opacity="0.7"'),
  )
  return (
    shade('sky', 0, horizon, [205, 62, 84], [200, 58, 92]) +
    clouds(random, horizon) +
    houses +
    rect(0, horizon, box, 34, 'hsl(215,10%,78%)') +
    rect(0, horizon + 34, box, 5, 'hsl(215,10%,86%)') +
    shade('road', horizon + 39, box, [218, 9, 64], [218, 9, 57]) +
    dashes
  )
}

function farm(random: Random, horizon: number): string {
  const barn = random.between(30, 270)
  const roof = `M${barn - 6} ${horizon - 34}l18 -22h36l18 22z`
  const posts = repeat(9, (place) => rect(place * 48 + 6, horizon + 2, 6, 30, 'hsl(34,36%,80%)'))
  const furrows = repeat(7, (place) =>
    line(
      `M${192 + (place - 3) * 46} ${horizon + 40}Q${192 + (place - 3) * 90} ${horizon + 110} ${192 + (place - 3) * 170} ${box}`,
      'hsl(95,38%,58%)',
      3,
      'opacity="0.5"',
    ),
  )
  return (
    shade('sky', 0, horizon + 20, [202, 66, 83], [196, 60, 92]) +
    clouds(random, horizon) +
    hills(random, horizon - 26, 14, 'hsl(120,28%,78%)') +
    rect(barn, horizon - 36, 60, 50, 'hsl(6,42%,72%)') +
    path(roof, 'hsl(6,30%,60%)') +
    rect(barn + 21, horizon - 20, 18, 30, '#fff', 'opacity="0.6"') +
    hills(random, horizon + 6, 5, 'hsl(98,40%,68%)') +
    posts +
    rect(0, horizon + 8, box, 4, 'hsl(34,36%,80%)') +
    rect(0, horizon + 20, box, 4, 'hsl(34,36%,80%)') +
    furrows
  )
}

function zoo(random: Random, horizon: number): string {
  const pond = random.between(90, 300)
  const rocks = repeat(3, (place) => {
    const x = random.between(10, 90) + place * 120
    const [width, height] = [random.between(40, 80), random.between(22, 46)]
    return path(
      `M${round(x)} ${horizon + 8}q${round(width * 0.1)} ${round(-height)} ${round(width * 0.45)} ${round(-height)}t${round(width * 0.55)} ${round(height)}z`,
      hsl([32, 16, random.between(70, 77)]),
    )
  })
  return (
    shade('sky', 0, horizon + 20, [186, 48, 84], [44, 66, 91]) +
    ellipse(random.between(60, 320), horizon * 0.45, 26, 26, 'hsl(46,90%,88%)') +
    hills(random, horizon - 34, 12, 'hsl(70,26%,80%)') +
    hills(random, horizon - 14, 10, 'hsl(56,34%,76%)') +
    rocks +
    hills(random, horizon + 6, 4, 'hsl(46,48%,73%)') +
    ellipse(pond, horizon + 92, 92, 22, 'hsl(192,42%,78%)') +
    ellipse(pond - 8, horizon + 89, 62, 12, 'hsl(192,50%,85%)') +
    repeat(16, () => {
      const [x, y] = [random.between(0, box), random.between(horizon + 24, box - 6)]
      return line(`M${round(x)} ${round(y)}l-3 -9m3 9v-11m0 11l4 -8`, 'hsl(62,36%,58%)', 1.6)
    })
  )
}

function beach(random: Random, horizon: number): string {
  const shore = horizon + random.between(66, 84)
  const waves = repeat(9, () => {
    const [x, y] = [random.between(-20, 360), random.between(horizon + 10, shore - 12)]
    return line(`M${round(x)} ${round(y)}q8 -6 16 0t16 0`, '#fff', 2, 'opacity="0.6" stroke-linecap="round"')
  })
  const foam = `M0 ${round(shore)}q48 -13 96 0t96 0t96 0t96 0`
  return (
    shade('sky', 0, horizon, [200, 74, 80], [192, 68, 92]) +
    ellipse(random.between(50, 330), horizon * 0.36, 24, 24, 'hsl(48,95%,84%)') +
    clouds(random, horizon * 1.2) +
    shade('sea', horizon, box, [196, 58, 68], [184, 50, 76]) +
    waves +
    path(`${foam}V${box}H0Z`, 'hsl(43,62%,81%)') +
    line(foam, '#fff', 6, 'opacity="0.85"') +
    repeat(40, () =>
      ellipse(
        random.between(0, box),
        random.between(shore + 14, box),
        1.3,
        1.1,
        hsl([38, 44, random.pick([70, 74, 90])]),
      ),
    )
  )
}

function desk(random: Random, horizon: number): string {
  const hue = random.pick([228, 170, 260, 24])
  const string = 30 + random.between(-8, 8)
  const notes = repeat(4, (place) => {
    const x = random.between(14, 46) + place * 92
    const y = string + 14 * (x / box) * (1 - x / box) * 4
    const paper = hsl([random.pick([50, 340, 190, 100]), 62, 88])
    const turn = `transform="rotate(${round(random.between(-6, 6))} ${round(x + 22)} ${round(y)})"`
    return rect(x, y - 2, 44, 50, paper, turn) + rect(x + 19, y - 6, 6, 12, hsl([hue, 14, 74]), turn)
  })
  const mat = random.between(34, 82)
  const far = `M${round(mat + 14)} ${horizon + 56}H${round(mat + 254)}`
  return (
    shade('wall', 0, horizon, [hue, 24, 92], [hue, 22, 86]) +
    line(`M0 ${round(string)}Q${box / 2} ${round(string + 28)} ${box} ${round(string)}`, hsl([hue, 14, 78]), 2) +
    notes +
    tableTop(horizon, [27, 44, 76], [24, 40, 66]) +
    repeat(4, (place) => {
      const y = horizon + 30 + place * 56 + random.between(-10, 10)
      const bend = round(random.between(-8, 8))
      return line(`M0 ${round(y)}q${box / 2} ${bend} ${box} 0`, 'hsl(23,40%,60%)', 1.5, 'opacity="0.35"')
    }) +
    path(`${far}L${round(mat + 276)} ${box - 30}H${round(mat - 8)}Z`, hsl([hue, 18, 78]), 'stroke-linejoin="round"')
  )
}

const painters: Readonly<Record<string, (random: Random, horizon: number) => string>> = {
  kitchen,
  'party table': partyTable,
  'living room': livingRoom,
  street,
  farm,
  zoo,
  beach,
  desk,
}

/** Backdrop `variant` of a place as an SVG document of `edge` pixels; the variants differ in colours and details. */
export function backdropSvg({ name, horizon }: SceneContext, variant: number, edge: number): string {
  const paint = painters[name]
  if (!paint) throw new RangeError(`no backdrop is painted for ${name}`)
  const body = paint(new Random(0, 'backdrop', variant), Math.round(horizon * box))
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${edge}" height="${edge}" viewBox="0 0 ${box} ${box}">${body}</svg>`
}
