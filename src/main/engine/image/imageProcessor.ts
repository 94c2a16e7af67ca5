// From a picture to the model's `pixel_values`: resize, crop or cut into tiles, rescale and normalise as the image processors
// of CLIP, SigLIP, Idefics3, LLaVA-NeXT and LLaVA-OneVision in transformers do (their PIL path). imageProcessorConfig.ts says
// how; after it stand the towers of models/.
import type { Region } from '../../../shared/describe.ts'
import { bestSize, fitTiles, type PlacedTile } from './anyResolution.ts'
import { coverRegion } from './coverRegion.ts'
import { decodeImage } from './decodeImage.ts'
import { type ImageProcessorConfig, readImageProcessorConfig } from './imageProcessorConfig.ts'
import { type RgbImage, resizeRgb, type Size, type Window } from './resample.ts'
import { cutTiles, tileGrid } from './tiling.ts'

const channels = 3
const levels = 256

/** An image as the tower sees it. */
export interface ImagePixels {
  /** `pixel_values` [tiles, 3, height, width] */
  readonly values: Float32Array
  /** Of the picture as it was read. */
  readonly size: Size
}

export class ImageProcessor {
  readonly config: ImageProcessorConfig
  /** What each of the 256 levels becomes, [channels, levels]. */
  readonly #values: Float32Array

  constructor(config: ImageProcessorConfig) {
    this.config = config
    this.#values = levelValues(config)
  }

  /** Width and height of every result. */
  get size(): Size {
    return this.config.output
  }

  /**
   * `pixel_values` [tiles, 3, height, width] of a picture; one tile unless it is cut into more.
   * @param into where to write them, e.g. an image's part of a batch [images, 3, height, width]; new when left out
   */
  pixelValues(image: RgbImage, into?: Float32Array): Float32Array {
    const tiles = this.#tiles(image)
    const tileValues = channels * this.size.width * this.size.height
    const values = into ?? new Float32Array(tiles.length * tileValues)
    for (const [i, tile] of tiles.entries()) this.#place(tile, values.subarray(i * tileValues, (i + 1) * tileValues))
    return values
  }

  #tiles(image: RgbImage): PlacedTile[] {
    const { tiling, anyResolution, filter } = this.config
    if (anyResolution) return fitTiles(image, anyResolution, filter)
    if (!tiling) return [this.#resize(image)]
    return cutTiles(image, tiling, filter).map((resized) => ({ resized, at: { left: 0, top: 0 } }))
  }

  /** `pixel_values` [3, height, width] of what the result shows of a picture, at its place in the result. */
  #place({ resized, at }: PlacedTile, into: Float32Array): void {
    const { width, height } = this.size
    const plane = width * height
    for (let channel = 0; channel < channels; channel++) {
      const values = this.#values.subarray(channel * levels, (channel + 1) * levels)
      const channelPlane = into.subarray(channel * plane, (channel + 1) * plane)
      // What a picture smaller than the crop does not cover is black.
      if (resized.width < width || resized.height < height) channelPlane.fill(values[0] as number)
      placeChannel(resized, channel, values, channelPlane, at.top * width + at.left, width)
    }
  }

  /**
   * An image file as the tower sees it.
   * @param options.into as {@link pixelValues} has it; `sha256` as `decodeImage` has it; `covered` of the picture is grey
   * @throws StudioError as `decodeImage` does
   */
  async pixelsOfFile(
    path: string,
    { into, sha256, covered }: { into?: Float32Array; sha256?: string; covered?: Region | undefined } = {},
  ): Promise<ImagePixels> {
    const picture = await decodeImage(path, sha256)
    const image = covered ? coverRegion(picture, covered) : picture
    return { values: this.pixelValues(image, into), size: { width: image.width, height: image.height } }
  }

  /**
   * Where the result lies over a picture of this size, in fractions of it: within it where the crop cut its edges off,
   * beyond it where it was padded.
   */
  frameOf(picture: Size): { x: number; y: number; width: number; height: number } {
    const { resize, crop } = this.config
    const target = resize === null ? picture : resizedSize(picture, resize)
    const { width, height } = crop ?? target
    const [x, y] = [centred(target.width, width), centred(target.height, height)]
    return {
      x: (x.from - x.to) / target.width,
      y: (y.from - y.to) / target.height,
      width: width / target.width,
      height: height / target.height,
    }
  }

  /** The part of the resized picture that the crop keeps, and where it lies in the result. */
  #resize(image: RgbImage): PlacedTile {
    const { resize, filter, crop } = this.config
    const target = resize === null ? image : resizedSize(image, resize)
    const { width, height } = crop ?? target
    const x = centred(target.width, width)
    const y = centred(target.height, height)
    const window: Window = { left: x.from, top: y.from, width: x.length, height: y.length }
    return { resized: resizeRgb(image, target, filter, window), at: { left: x.to, top: y.to } }
  }
}

/** Looks up one channel of a picture, its rows `stride` apart in the target from `start` on. */
function placeChannel(
  { width, height, pixels }: RgbImage,
  channel: number,
  values: Float32Array,
  target: Float32Array,
  start: number,
  stride: number,
): void {
  for (let y = 0, from = channel; y < height; y++) {
    const row = start + y * stride
    for (let x = 0; x < width; x++, from += channels) target[row + x] = values[pixels[from] as number] as number
  }
}

/** Pictures of the tower's size that one of this size becomes. */
export function tileCount({ tiling, anyResolution }: ImageProcessorConfig, picture: Size): number {
  if (anyResolution) {
    const { width, height } = bestSize(picture, anyResolution)
    return 1 + (width * height) / anyResolution.tile ** 2
  }
  const { rows, columns } = tiling ? tileGrid(picture, tiling) : { rows: 0, columns: 0 }
  return 1 + rows * columns
}

/** @throws StudioError as `readImageProcessorConfig` does */
export async function openImageProcessor(folder: string): Promise<ImageProcessor> {
  return new ImageProcessor(await readImageProcessorConfig(folder))
}

/** The size that a picture is resized to, its sides in proportion when only the shorter one is given. */
export function resizedSize({ width, height }: Size, resize: Size | { readonly shortestEdge: number }): Size {
  if (!('shortestEdge' in resize)) return resize
  const { shortestEdge: short } = resize
  const long = Math.trunc((short * Math.max(width, height)) / Math.min(width, height))
  return width <= height ? { width: short, height: long } : { width: long, height: short }
}

/** Where along one axis a centred crop begins in the picture and in the result; a smaller picture is padded. */
function centred(length: number, crop: number): { from: number; to: number; length: number } {
  if (length >= crop) return { from: Math.floor((length - crop) / 2), to: 0, length: crop }
  // The picture's own offset, floor((length - crop) / 2) below 0, less the padding before it.
  return { from: 0, to: -Math.floor((length - crop) / 2), length }
}

/**
 * (level · rescale - mean) / std in float32, each step rounded as NumPy does; the product in float64 first.
 */
function levelValues({ rescale, mean, std }: ImageProcessorConfig): Float32Array {
  const { fround } = Math
  return Float32Array.from({ length: channels * levels }, (_, i) => {
    const scaled = fround((i % levels) * rescale)
    const channel = Math.floor(i / levels)
    if (mean === null || std === null) return scaled
    return fround(scaled - fround(mean[channel] as number)) / fround(std[channel] as number)
  })
}
