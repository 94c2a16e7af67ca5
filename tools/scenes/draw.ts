// Draws a scene as SVG from the two art sets and rasterises it with sharp.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import sharp from 'sharp'
import { Random } from './random.ts'
import type { ArtSet, Scene, SceneObject } from './scene.ts'

interface IconSet {
  readonly width?: number
  readonly height?: number
  readonly icons: Readonly<Record<string, { readonly body: string; readonly width?: number; readonly height?: number }>>
}

const require = createRequire(import.meta.url)
const iconSets = new Map<ArtSet, IconSet>()

function iconSet(name: ArtSet): IconSet {
  const known = iconSets.get(name)
  if (known) return known
  const loaded: IconSet = JSON.parse(readFileSync(require.resolve(`@iconify-json/${name}/icons.json`), 'utf8'))
  iconSets.set(name, loaded)
  return loaded
}

/** The scene as an SVG document of `edge` pixels. */
export function sceneSvg(scene: Scene, edge: number): string {
  const { context, tintDegrees, objects } = scene
  const horizon = context.horizon * edge
  const shades = {
    above: gradient('above', context.above, tintDegrees, 5),
    below: gradient('below', context.below, tintDegrees, -7),
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${edge}" height="${edge}" viewBox="0 0 ${edge} ${edge}">
<defs>${shades.above}${shades.below}</defs>
<rect width="${edge}" height="${edge}" fill="url(#above)"/>
${ground(scene, edge, horizon)}
${objects.map((object, place) => objectSvg(object, place, edge)).join('\n')}
</svg>`
}

/** The lower part of the picture, with a gently waved upper edge. */
function ground({ seed, index }: Scene, edge: number, horizon: number): string {
  const random = new Random(seed, index + 0x10000000)
  const rise = edge * 0.05
  const [left, middle, right] = [0, 0, 0].map(() => horizon + random.between(-rise, rise))
  const curve = `M0 ${left}Q${edge * 0.28} ${middle} ${edge * 0.5} ${horizon}T${edge} ${right}V${edge}H0Z`
  return `<path d="${curve}" fill="url(#below)"/>`
}

function gradient(
  id: string,
  [hue, saturation, lightness]: readonly [number, number, number],
  tint: number,
  step: number,
): string {
  const colour = (change: number): string => `hsl(${(hue + tint + 360) % 360},${saturation}%,${lightness + change}%)`
  return `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${colour(0)}"/><stop offset="1" stop-color="${colour(step)}"/></linearGradient>`
}

function objectSvg(object: SceneObject, place: number, edge: number): string {
  const set = iconSet(object.artSet)
  const icon = set.icons[object.icon]
  if (!icon) throw new Error(`the art set ${object.artSet} has no icon ${object.icon}`)
  const width = icon.width ?? set.width ?? 16
  const height = icon.height ?? set.height ?? 16
  const scale = (object.size * edge) / Math.max(width, height)
  const flip = object.isFlipped ? -1 : 1
  const shadow = `<ellipse cx="${object.x * edge}" cy="${(object.y + object.size * 0.47) * edge}" rx="${object.size * edge * 0.36}" ry="${object.size * edge * 0.06}" fill="#000" opacity="0.13"/>`
  const turn = `translate(${object.x * edge} ${object.y * edge}) rotate(${object.rotationDegrees}) scale(${scale * flip} ${scale}) translate(${-width / 2} ${-height / 2})`
  return `${shadow}<g transform="${turn}">${withOwnIds(icon.body, `o${place}`)}</g>`
}

/** Icons name their gradients alike; each object's get a prefix of their own. */
function withOwnIds(body: string, prefix: string): string {
  return body
    .replaceAll(/\bid="([^"]+)"/g, `id="${prefix}$1"`)
    .replaceAll(/url\(#([^)]+)\)/g, `url(#${prefix}$1)`)
    .replaceAll(/href="#([^"]+)"/g, `href="#${prefix}$1"`)
}

/** The scene's pixels: RGB, `edge` x `edge` x 3 bytes, with a little noise from the scene's own stream. */
export async function drawPixels(scene: Scene, edge: number, noise = 3): Promise<Buffer> {
  const pixels = await sharp(Buffer.from(sceneSvg(scene, edge)))
    .removeAlpha()
    .raw()
    .toBuffer()
  const random = new Random(scene.seed, scene.index + 0x20000000)
  for (let i = 0; i < pixels.length; i += 3) {
    const change = Math.round(random.between(-noise, noise))
    for (let channel = i; channel < i + 3; channel++) {
      pixels[channel] = Math.max(0, Math.min(255, (pixels[channel] as number) + change))
    }
  }
  return pixels
}

/** The scene as a JPEG file of `edge` x `edge` pixels. */
export async function drawJpeg(scene: Scene, edge: number, quality = 88): Promise<Buffer> {
  const pixels = await drawPixels(scene, edge)
  return await sharp(pixels, { raw: { width: edge, height: edge, channels: 3 } })
    .jpeg({ quality })
    .toBuffer()
}
