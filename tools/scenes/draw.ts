// Paints a scene: its backdrop under its own light, the shadows, the objects from far to near, a little noise.
// scene.ts says what to paint, sprites.ts and backdrops.ts hold what is rasterised once; makeSamples.ts stores the result.
import sharp from 'sharp'
import { backdropSvg } from './backdrops.ts'
import type { SceneContext } from './contexts.ts'
import { Random } from './random.ts'
import type { Scene, SceneObject } from './scene.ts'
import { type Outline, outlineOf, type Sprite, spriteFor } from './sprites.ts'

/** Bounds in pixels of a picture; right and bottom are exclusive. */
export interface Bounds {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/** The scene's pixels: RGB, `[edge, edge, 3]`, 0 to 255. The same bytes for the same scene on one machine. */
export async function drawScene(scene: Scene, edge: number): Promise<Uint8ClampedArray> {
  const picture = new Uint8ClampedArray(edge * edge * 3)
  paintBackground(picture, await backdrop(scene.context, scene.background.variant, edge), scene, edge)
  const layers = await Promise.all(
    scene.objects.map(async (object) => ({
      object,
      sprite: await spriteFor(object.class, object.artSet, object.size * edge),
      bounds: objectBounds(object, await outlineOf(object.class, object.artSet), edge),
    })),
  )
  layers.sort((a, b) => a.bounds.bottom - b.bounds.bottom)
  for (const { object, sprite, bounds } of layers) {
    if (object.class.home !== 'sky') paintShadow(picture, bounds, edge)
    paintObject(picture, sprite, object, edge)
  }
  addNoise(picture, new Random(scene.seed, 'noise', scene.index))
  return picture
}

/** The box round what is opaque of an object in a picture of `edge` pixels; it may reach beyond the picture. */
export function objectBounds(object: SceneObject, { points }: Outline, edge: number): Bounds {
  const { alongX, alongY } = axes(object, edge)
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (let i = 0; i < points.length; i += 2) {
    const [u, v] = [points[i] as number, points[i + 1] as number]
    const x = u * alongX[0] + v * alongY[0]
    const y = u * alongX[1] + v * alongY[1]
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  const [x, y] = [object.x * edge, object.y * edge]
  return { left: left + x, top: top + y, right: right + x, bottom: bottom + y }
}

/** Where the edges of an object's square, its right and its down, lead in the picture, in pixels. */
function axes({ size, rotationDegrees, isFlipped }: SceneObject, edge: number) {
  const angle = (rotationDegrees * Math.PI) / 180
  const [cos, sin] = [Math.cos(angle) * size * edge, Math.sin(angle) * size * edge]
  const flip = isFlipped ? -1 : 1
  return { alongX: [cos * flip, sin * flip], alongY: [-sin, cos] } as const
}

const backdrops = new Map<string, Promise<Buffer>>()

function backdrop(context: SceneContext, variant: number, edge: number): Promise<Buffer> {
  const key = `${context.name}/${variant}/${edge}`
  const known = backdrops.get(key)
  if (known) return known
  const made = sharp(Buffer.from(backdropSvg(context, variant, edge)))
    .removeAlpha()
    .raw()
    .toBuffer()
  backdrops.set(key, made)
  return made
}

function paintBackground(picture: Uint8ClampedArray, from: Buffer, { background }: Scene, edge: number): void {
  const { tint, gradient, isFlipped } = background
  const [red, green, blue] = tint
  for (let y = 0; y < edge; y++) {
    for (let x = 0; x < edge; x++) {
      const light = 1 + gradient[0] * ((x + 0.5) / edge - 0.5) + gradient[1] * ((y + 0.5) / edge - 0.5)
      const to = (y * edge + x) * 3
      const at = (y * edge + (isFlipped ? edge - 1 - x : x)) * 3
      picture[to] = (from[at] as number) * light * red
      picture[to + 1] = (from[at + 1] as number) * light * green
      picture[to + 2] = (from[at + 2] as number) * light * blue
    }
  }
}

const shadowStrength = 0.26

/** A soft ellipse under the foot of an object. */
function paintShadow(picture: Uint8ClampedArray, { left, right, bottom }: Bounds, edge: number): void {
  const [x, y] = [(left + right) / 2, bottom - 0.008 * edge]
  const [rx, ry] = [(right - left) * 0.52, Math.max(1, (right - left) * 0.09)]
  for (let row = Math.max(0, Math.floor(y - ry)); row < Math.min(edge, Math.ceil(y + ry)); row++) {
    for (let column = Math.max(0, Math.floor(x - rx)); column < Math.min(edge, Math.ceil(x + rx)); column++) {
      const distance = ((column + 0.5 - x) / rx) ** 2 + ((row + 0.5 - y) / ry) ** 2
      if (distance >= 1) continue
      const kept = 1 - shadowStrength * (1 - distance)
      const to = (row * edge + column) * 3
      for (let channel = to; channel < to + 3; channel++) picture[channel] = (picture[channel] as number) * kept
    }
  }
}

/** Blends the turned sprite over the picture: each pixel is the mean of four samples, a quarter of a pixel off its centre. */
function paintObject(
  picture: Uint8ClampedArray,
  { edge: side, pixels }: Sprite,
  object: SceneObject,
  edge: number,
): void {
  const { alongX, alongY } = axes(object, edge)
  // The inverse of the square's axes: from pixels of the picture to pixels of the sprite.
  const scale = side / (alongX[0] * alongY[1] - alongX[1] * alongY[0])
  const [ux, uy, vx, vy] = [alongY[1] * scale, -alongY[0] * scale, -alongX[1] * scale, alongX[0] * scale]
  const [centreX, centreY] = [object.x * edge, object.y * edge]
  const reach = (Math.abs(alongX[0]) + Math.abs(alongX[1])) / 2 + 1
  const [firstX, endX] = [Math.max(0, Math.floor(centreX - reach)), Math.min(edge, Math.ceil(centreX + reach))]
  const [firstY, endY] = [Math.max(0, Math.floor(centreY - reach)), Math.min(edge, Math.ceil(centreY + reach))]
  for (let y = firstY; y < endY; y++) {
    for (let x = firstX; x < endX; x++) {
      let [red, green, blue, alpha] = [0, 0, 0, 0]
      for (let sample = 0; sample < 4; sample++) {
        const dx = x + 0.25 + (sample & 1) / 2 - centreX
        const dy = y + 0.25 + (sample >> 1) / 2 - centreY
        const u = dx * ux + dy * uy + side / 2
        const v = dx * vx + dy * vy + side / 2
        if (u < 0 || v < 0 || u >= side || v >= side) continue
        const at = (Math.trunc(v) * side + Math.trunc(u)) * 4
        red += pixels[at] as number
        green += pixels[at + 1] as number
        blue += pixels[at + 2] as number
        alpha += pixels[at + 3] as number
      }
      if (alpha === 0) continue
      const kept = 1 - alpha / (4 * 255)
      const to = (y * edge + x) * 3
      picture[to] = (picture[to] as number) * kept + red / 4
      picture[to + 1] = (picture[to + 1] as number) * kept + green / 4
      picture[to + 2] = (picture[to + 2] as number) * kept + blue / 4
    }
  }
}

/** Noise of a byte: the sum of its two halves, a triangle of 1.3 levels' standard deviation. */
const noiseOf = Float64Array.from({ length: 256 }, (_, byte) => ((byte & 15) + (byte >> 4) - 15) * 0.2)

/** The same change for the three channels of a pixel. */
function addNoise(picture: Uint8ClampedArray, random: Random): void {
  let bits = 0
  for (let i = 0, pixel = 0; i < picture.length; i += 3, pixel++) {
    bits = pixel % 4 === 0 ? random.nextUint32() : bits >>> 8
    const change = noiseOf[bits & 255] as number
    for (let channel = i; channel < i + 3; channel++) picture[channel] = (picture[channel] as number) + change
  }
}

/** The scene as a JPEG file of `edge` x `edge` pixels. */
export async function drawJpeg(scene: Scene, edge: number, quality = 88): Promise<Buffer> {
  const pixels = await drawScene(scene, edge)
  return await sharp(pixels, { raw: { width: edge, height: edge, channels: 3 } })
    .jpeg({ quality })
    .toBuffer()
}
