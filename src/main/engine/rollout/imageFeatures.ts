// Projected image features, computed once an image: the vision tower and the projector are frozen, so every rollout
// and every update of a run reads the same ones. Before it stands the image processor, after it generate.ts and align/.
import type { DeviceName } from '../../../shared/hardware.ts'
import { OrtSession, tensor } from '../graph/ortSession.ts'
import { floatsOf } from '../graph/tensor.ts'
import { type VlmSource, visionGraph } from '../models/vlmGraphs.ts'

/** Pixel values [channels, imageSize, imageSize] of one image. */
export type PixelSource = () => Promise<Float32Array>

export class ImageFeatures {
  readonly #source: VlmSource
  readonly #session: OrtSession
  readonly #limitBytes: number
  /** In the order of their last use. */
  readonly #kept = new Map<string, Float32Array>()
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

  /**
   * Features of each image, [imageTokens, hidden], in the order of the entries; the same array for the same key as
   * long as it is kept.
   * @param images key (e.g. the file's SHA-256) and pixels, which are asked for only when the features are not kept
   * @param batchSize images in one run
   */
  async of(
    images: readonly (readonly [key: string, pixels: PixelSource])[],
    batchSize: number,
    signal?: AbortSignal,
  ): Promise<Float32Array[]> {
    const found = new Map<string, Float32Array>()
    const missing = new Map<string, PixelSource>()
    for (const [key, pixels] of images) {
      const kept = this.#kept.get(key)
      if (kept) found.set(key, kept)
      else missing.set(key, pixels)
    }
    const entries = [...missing]
    for (let start = 0; start < entries.length; start += batchSize) {
      const batch = entries.slice(start, start + batchSize)
      const computed = await this.#compute(await Promise.all(batch.map(([, pixels]) => pixels())), signal)
      batch.forEach(([key], i) => {
        found.set(key, computed[i] as Float32Array)
      })
    }
    for (const [key, features] of found) this.#keep(key, features)
    return images.map(([key]) => found.get(key) as Float32Array)
  }

  async release(): Promise<void> {
    this.#kept.clear()
    await this.#session.release()
  }

  async #compute(pixels: readonly Float32Array[], signal: AbortSignal | undefined): Promise<Float32Array[]> {
    const { vision, imageTokens, decoder } = this.#source.config
    const shape = [pixels.length, vision.channels, vision.imageSize, vision.imageSize]
    const values = new Float32Array(shape.reduce((a, b) => a * b))
    pixels.forEach((image, i) => {
      values.set(image, (i * values.length) / pixels.length)
    })
    const feeds = { pixel_values: tensor('float32', shape, values) }
    const results = await this.#session.compute(feeds, signal ? { signal } : {})
    const features = floatsOf(results, 'image_features')
    const size = imageTokens * decoder.hiddenSize
    return pixels.map((_, i) => features.slice(i * size, (i + 1) * size))
  }

  #keep(key: string, features: Float32Array): void {
    if (this.#kept.delete(key)) this.#keptBytes -= features.byteLength
    this.#kept.set(key, features)
    this.#keptBytes += features.byteLength
    for (const [oldest, { byteLength }] of this.#kept) {
      if (this.#keptBytes <= this.#limitBytes || oldest === key) break
      this.#kept.delete(oldest)
      this.#keptBytes -= byteLength
    }
  }
}
