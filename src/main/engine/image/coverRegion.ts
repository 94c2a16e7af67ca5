// A part of a picture under one even grey, to see what a model says without it. Before it stands decodeImage.ts, after it
// imageProcessor.ts.
import { coveredLevel, type Region } from '../../../shared/describe.ts'
import type { RgbImage } from './resample.ts'

/** The picture with every pixel that the region touches grey; pixels outside are the picture's own. */
export function coverRegion({ width, height, pixels }: RgbImage, region: Region): RgbImage {
  const [left, right] = touched(region.x, region.width, width)
  const [top, bottom] = touched(region.y, region.height, height)
  const covered = Uint8Array.from(pixels)
  for (let y = top; y < bottom; y++) covered.fill(coveredLevel, 3 * (y * width + left), 3 * (y * width + right))
  return { width, height, pixels: covered }
}

/** Fractions are of pictures of any size, so what lies on the border of a pixel by rounding alone does not touch it. */
const rounding = 1e-6

function touched(start: number, length: number, size: number): [from: number, to: number] {
  const from = Math.max(0, Math.floor(start * size + rounding))
  return [from, Math.min(size, Math.ceil((start + length) * size - rounding))]
}
