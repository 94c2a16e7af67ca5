// Projected image features, computed once an image: the vision tower and the projector are frozen, so every rollout
// and every update of a run reads the same ones. Before it stands the image processor, after it generate.ts and align/.
import type { DeviceName } from '../../../shared/hardware.ts'
import { OrtSession, tensor } from '../graph/ortSession.ts'
import { floatsOf } from '../graph/tensor.ts'
import { concat } from '../graph/typedValues.ts'
import type { ImagePixels } from '../image/imageProcessor.ts'
import type { ImageLayout } from '../models/architecture.ts'
import { promptRows, type SeenTiles } from '../models/promptRows.ts'
import { type VlmSource, visionGraph } from '../models/vlmGraphs.ts'

/** Of features that a run keeps: those of 227 pictures of LLaVA-1.5-7B. */
export const keptFeatureBytes = 2 * 1024 ** 3

export type PixelSource = () => Promise<ImagePixels>

/** What the language model sees of an image. */
export interface SeenImage {
  /** [rows, hidden] */
  readonly features: Float32Array
  readonly layout: ImageLayout
}

export class ImageFeatures {
  readonly #source: VlmSource
  readonly #session: OrtSession
  readonly #limitBytes: number
  /** In the order of their last use. */
  readonly #kept = new Map<string, SeenImage>()
  #keptBytes = 0

  private constructor(source: VlmSource, session: OrtSession, limitBytes: number) {
    this.#source = source
    this.#session = session
    this.#limitBytes = limitBytes
  }

  /** @param options.limitBytes of features that are kept; those used longest ago go first */
  static async open(
    source: VlmSource,
    { limitBytes, ...options }: { device: DeviceName; threads?: number; limitBytes: number },
  ): Promise<ImageFeatures> {
    return new ImageFeatures(source, await OrtSession.open(visionGraph(source), options), limitBytes)
  }

  /** Of the features that are kept. */
  get keptBytes(): number {
    return this.#keptBytes
  }

  /**
   * Features of each image in the order of the entries; the same array for the same key as long as it is kept.
   * @param images key (e.g. the file's SHA-256) and pixels, which are asked for only when the features are not kept
   * @param batchSize images that are read together, and tiles that the tower sees together
   */
  async of(
    images: readonly (readonly [key: string, pixels: PixelSource])[],
    batchSize: number,
    signal?: AbortSignal,
  ): Promise<SeenImage[]> {
    const found = new Map<string, SeenImage>()
    const missing = new Map<string, PixelSource>()
    for (const [key, pixels] of images) {
      const kept = this.#kept.get(key)
      if (kept) found.set(key, kept)
      else missing.set(key, pixels)
    }
    const entries = [...missing]
    for (let start = 0; start < entries.length; start += batchSize) {
      const batch = entries.slice(start, start + batchSize)
      const computed = await this.#compute(await Promise.all(batch.map(([, pixels]) => pixels())), batchSize, signal)
      batch.forEach(([key], i) => {
        found.set(key, computed[i] as SeenImage)
      })
    }
    for (const [key, seen] of found) this.#keep(key, seen)
    return images.map(([key]) => found.get(key) as SeenImage)
  }

  async release(): Promise<void> {
    this.#kept.clear()
    this.#keptBytes = 0
    await this.#session.release()
  }

  async #compute(
    images: readonly ImagePixels[],
    batchSize: number,
    signal: AbortSignal | undefined,
  ): Promise<SeenImage[]> {
    const { channels, imageSize } = this.#source.config.vision
    const values = concat(images.map((image) => image.values))
    const tileValues = channels * imageSize ** 2
    const tiles = values.length / tileValues
    const parts: Float32Array[] = []
    let seen: SeenTiles = {}
    for (let first = 0; first < tiles; first += batchSize) {
      const part = values.subarray(first * tileValues, (first + batchSize) * tileValues)
      const shape = [part.length / tileValues, channels, imageSize, imageSize]
      const feeds = { pixel_values: tensor('float32', shape, part) }
      seen = await this.#session.compute(feeds, signal ? { signal } : {})
      parts.push(floatsOf(seen, 'image_features'))
    }
    const features = concat(parts)
    const valuesOfTile = features.length / tiles
    let at = 0
    return images.map(({ values, size }) => {
      const count = values.length / tileValues
      const own = features.slice(at, at + count * valuesOfTile)
      at += own.length
      return promptRows(this.#source, { size, tiles: count, features: own }, seen)
    })
  }

  #keep(key: string, seen: SeenImage): void {
    if (this.#kept.delete(key)) this.#keptBytes -= seen.features.byteLength
    this.#kept.set(key, seen)
    this.#keptBytes += seen.features.byteLength
    for (const [oldest, { features }] of this.#kept) {
      if (this.#keptBytes <= this.#limitBytes || oldest === key) break
      this.#kept.delete(oldest)
      this.#keptBytes -= features.byteLength
    }
  }
}
