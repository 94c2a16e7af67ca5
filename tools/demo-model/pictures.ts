// The pictures of a split at the size that the model sees, drawn once and kept outside of the checkout.
// world.ts says which scenes; training reads the pixels.
import { fork } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { cacheRoot } from '../../scripts/setup/cache.ts'
import { drawScene } from '../scenes/draw.ts'
import { makeScene } from '../scenes/scene.ts'
import { type SplitName, splits } from './world.ts'

/** Pixels on a side of what the model sees. */
export const pictureEdge = 72
/** Scenes are drawn at twice that size and shrunk as the preprocessor shrinks photographs. */
const drawnEdge = 2 * pictureEdge
export const pictureBytes = pictureEdge * pictureEdge * 3
/** Raised when the drawing changes. */
const version = 1

/** CLIP's own, so that `preprocessor_config.json` is the usual one. */
export const imageMean = [0.48145466, 0.4578275, 0.40821073] as const
export const imageStd = [0.26862954, 0.26130258, 0.27577711] as const

/** RGB of all pictures of a split, `[count, edge, edge, 3]`. Draws them when they are not in the cache. */
export async function openPictures(name: SplitName, processes: number): Promise<Uint8Array> {
  const { seed, count } = splits[name]
  const folder = join(cacheRoot(), 'demo-model')
  const path = join(folder, `pictures-v${version}-${seed}-${count}-${pictureEdge}.rgb`)
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    const partial = `${path}.${process.pid}.partial`
    openSync(partial, 'w')
    const share = Math.ceil(count / processes)
    await Promise.all(
      Array.from({ length: processes }, (_, i) =>
        drawApart(partial, seed, i * share, Math.min(count, (i + 1) * share)),
      ),
    )
    renameSync(partial, path)
  }
  return readFileSync(path)
}

function drawApart(path: string, seed: number, start: number, end: number): Promise<void> {
  const child = fork(import.meta.filename, [path, `${seed}`, `${start}`, `${end}`])
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`drawing ended with ${code}`))))
  })
}

/** One picture as the model sees it: RGB, `[edge, edge, 3]`. */
export async function drawPicture(seed: number, index: number, from = drawnEdge): Promise<Buffer> {
  const pixels = await drawScene(makeScene(seed, index), from)
  return await sharp(pixels, { raw: { width: from, height: from, channels: 3 } })
    .resize(pictureEdge, pictureEdge, { kernel: 'cubic' })
    .raw()
    .toBuffer()
}

async function drawRange(path: string, seed: number, start: number, end: number): Promise<void> {
  sharp.concurrency(1)
  const file = openSync(path, 'r+')
  for (let index = start; index < end; index++) {
    writeSync(file, await drawPicture(seed, index), 0, pictureBytes, index * pictureBytes)
  }
}

/** `pixel_values` [images, 3, edge, edge] of some pictures of a split. */
export function pixelValues(pictures: Uint8Array, indices: readonly number[]): Float32Array {
  const area = pictureEdge * pictureEdge
  const values = new Float32Array(indices.length * 3 * area)
  indices.forEach((index, image) => {
    for (let channel = 0; channel < 3; channel++) {
      const to = (image * 3 + channel) * area
      const [mean, std] = [imageMean[channel] as number, imageStd[channel] as number]
      const [gain, shift] = [1 / (255 * std), mean / std]
      for (let i = 0, from = index * pictureBytes + channel; i < area; i++, from += 3) {
        values[to + i] = (pictures[from] as number) * gain - shift
      }
    }
  })
  return values
}

if (process.argv[1] === import.meta.filename) {
  const [path, seed, start, end] = process.argv.slice(2) as [string, string, string, string]
  await drawRange(path, Number(seed), Number(start), Number(end))
}
