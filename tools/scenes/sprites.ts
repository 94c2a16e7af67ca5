// Rasterises the icons, each once for every size bucket, and measures their outlines.
// classes.ts names the icons; draw.ts paints the sprites, coco.ts reads the outlines.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import sharp from 'sharp'
import type { ArtSet, SceneClass } from './classes.ts'

/** An icon as pixels. */
export interface Sprite {
  /** Pixels on a side: a power of two. */
  readonly edge: number
  /** RGBA, `[edge, edge, 4]`, the colours premultiplied by alpha. */
  readonly pixels: Uint8ClampedArray
}

/** What is opaque in an icon's square, whose centre is (0, 0) and whose edge is 1. */
export interface Outline {
  /** Ends of each opaque run at either side, as x, y pairs: the icon lies within their convex hull. */
  readonly points: Float32Array
  /** Opaque part of the square. */
  readonly opaqueShare: number
}

interface IconSet {
  readonly width?: number
  readonly height?: number
  readonly icons: Readonly<Record<string, { readonly body: string; readonly width?: number; readonly height?: number }>>
}

const pathsOf = (...fills: string[]): RegExp => new RegExp(`<path fill="(${fills.join('|')})"[^>]*/>`, 'g')

/**
 * The bowls are drawn without their spoons, since `spoon` is a class of its own: what is found is replaced.
 * The second change to each bowl fills the notch in its rim on which the spoon lay.
 */
const changes: Readonly<Record<string, readonly (readonly [find: RegExp | string, replacement: string])[]>> = {
  'fluent-emoji-flat/bowl-with-spoon': [
    [pathsOf('#d3d3d3', '#9b9b9b'), ''],
    ['h-2.51l-4.51-1.857l-4.51 1.857h-.111', 'h-11.641'],
  ],
  'noto/bowl-with-spoon': [
    [pathsOf('#9d9c9c', '#e0e0e0', '#c8c8c8', '#fff', '#025abc'), ''],
    [/<path fill="#1d89fe" d="M93[^>]*\/>/g, ''],
  ],
}

/** The stop signs are drawn with their word, in a square of 100. */
const stopLettering = `<g transform="translate(50 50) scale(.8) translate(-50 -50)" fill="none" stroke="#fff" stroke-width="5.5"
stroke-linejoin="round"><path d="M27 43.5C26 36.5 14 36 14 43.5S27.5 49.5 27.5 56.5S15 64 13.5 55.5M33 38.5H48M40.5 38.5V64"/>
<ellipse cx="60.5" cy="50" rx="7.5" ry="11.8"/><path d="M75 64V38.5H80.5C89.5 38.5 89.5 52 80.5 52H75"/></g>`

const require = createRequire(import.meta.url)
const iconSets = new Map<ArtSet, IconSet>()

function iconSet(name: ArtSet): IconSet {
  const known = iconSets.get(name)
  if (known) return known
  const loaded: IconSet = JSON.parse(readFileSync(require.resolve(`@iconify-json/${name}/icons.json`), 'utf8'))
  iconSets.set(name, loaded)
  return loaded
}

/** The icon as an SVG document of `edge` pixels, square. */
function iconSvg(artSet: ArtSet, name: string, edge: number): string {
  const set = iconSet(artSet)
  const icon = set.icons[name]
  if (!icon) throw new RangeError(`the art set ${artSet} has no icon ${name}`)
  const box = Math.max(icon.width ?? set.width ?? 16, icon.height ?? set.height ?? 16)
  const changed = changes[`${artSet}/${name}`] ?? []
  const body = changed.reduce((left, [find, replacement]) => left.replaceAll(find, replacement), icon.body)
  const added = name === 'stop-sign' ? `<g transform="scale(${box / 100})">${stopLettering}</g>` : ''
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${edge}" height="${edge}" viewBox="0 0 ${box} ${box}">${body}${added}</svg>`
}

const sprites = new Map<string, Promise<Sprite>>()

/** The sprite from which a square of `sizePx` pixels is sampled: along each axis 2 to 4 of its pixels make one. */
export function spriteFor({ icon }: SceneClass, artSet: ArtSet, sizePx: number): Promise<Sprite> {
  const edge = 2 ** Math.ceil(Math.log2(Math.max(8, 2 * sizePx)))
  const key = `${artSet}/${icon}/${edge}`
  const known = sprites.get(key)
  if (known) return known
  const made = rasterise(artSet, icon, edge)
  sprites.set(key, made)
  return made
}

async function rasterise(artSet: ArtSet, icon: string, edge: number): Promise<Sprite> {
  const straight = await sharp(Buffer.from(iconSvg(artSet, icon, edge)))
    .ensureAlpha()
    .raw()
    .toBuffer()
  const pixels = new Uint8ClampedArray(straight)
  for (let i = 0; i < pixels.length; i += 4) {
    const alpha = (pixels[i + 3] as number) / 255
    for (let channel = i; channel < i + 3; channel++) pixels[channel] = (pixels[channel] as number) * alpha
  }
  return { edge, pixels }
}

const outlines = new Map<string, Promise<Outline>>()
const outlineEdge = 256

/** The outline of a class's icon. */
export function outlineOf(drawn: SceneClass, artSet: ArtSet): Promise<Outline> {
  const key = `${artSet}/${drawn.icon}`
  const known = outlines.get(key)
  if (known) return known
  const made = spriteFor(drawn, artSet, outlineEdge / 2).then(measure)
  outlines.set(key, made)
  return made
}

function measure({ edge, pixels }: Sprite): Outline {
  const points: number[] = []
  let opaque = 0
  for (let y = 0; y < edge; y++) {
    let left = edge
    let right = -1
    for (let x = 0; x < edge; x++) {
      if ((pixels[(y * edge + x) * 4 + 3] as number) < 128) continue
      opaque++
      left = Math.min(left, x)
      right = x
    }
    if (right < 0) continue
    for (const x of [left, right + 1]) for (const below of [0, 1]) points.push(x / edge - 0.5, (y + below) / edge - 0.5)
  }
  return { points: Float32Array.from(points), opaqueShare: opaque / edge ** 2 }
}
