// The verifier: how well a word fits an image, by the model's own encoder (method: s = <f_img(x_v), f_txt(o)>).
// Before it stand images and object words, after it calibration and token rewards. Embeddings are computed once.
import type { DeviceName } from '../../../shared/hardware.ts'
import { OrtSession, requireFinite, type Tensor, tensor } from '../graph/ortSession.ts'
import { openTogether, releaseAll } from '../graph/resources.ts'
import { tensorOf } from '../graph/tensor.ts'
import {
  type DualEncoderSource,
  evidenceMap,
  imageEmbeddingGraph,
  openDualEncoder,
  textEmbeddingGraph,
  textFeeds,
} from '../models/companion/encoder.ts'
import { openTokenizer, type Tokenizer } from '../text/tokenizer.ts'

/** Where embeddings are kept between runs, e.g. the workspace file. */
export interface EmbeddingStore {
  get(kind: 'image' | 'text', subject: string): Float32Array | undefined
  /** Keeps it in time: a store may gather some before it writes. */
  put(kind: 'image' | 'text', subject: string, embedding: Float32Array): void
  /** Writes what it has gathered. */
  flush(): void
}

/** An image by its key (e.g. SHA-256), with the pixels that the encoder reads: [channels, imageSize, imageSize]. */
export interface VerifiedImage {
  readonly key: string
  readonly pixels: () => Promise<Float32Array>
}

export interface VerifierOptions {
  readonly device: DeviceName
  readonly threads?: number
  /** The sentence round a word; `{}` stands for the word. */
  readonly promptTemplate: string
  readonly store?: EmbeddingStore
}

/** Embeddings that are kept in memory; of 100,000 images they would take hundreds of megabytes. */
const knownBytes = 64 * 1024 * 1024

export class Verifier {
  readonly source: DualEncoderSource
  readonly #tokenizer: Tokenizer
  readonly #images: OrtSession
  readonly #texts: OrtSession
  /** Opened when somebody asks for evidence. */
  #patches: OrtSession | null = null
  /** A person asks for one word of an image after the other. */
  #lastPatches: { readonly key: string; readonly embeddings: Tensor<'float32'> } | null = null
  readonly #options: VerifierOptions
  readonly #known = new Map<string, Float32Array>()

  private constructor(
    source: DualEncoderSource,
    tokenizer: Tokenizer,
    sessions: readonly [images: OrtSession, texts: OrtSession],
    options: VerifierOptions,
  ) {
    this.source = source
    this.#tokenizer = tokenizer
    this.#images = sessions[0]
    this.#texts = sessions[1]
    this.#options = options
  }

  /** @throws StudioError what opening the companion's folder, its tokenizer and its sessions throws */
  static async open(folder: string, options: VerifierOptions): Promise<Verifier> {
    const source = await openDualEncoder(folder)
    const tokenizer = await openTokenizer(folder)
    const session = { device: options.device, ...(options.threads !== undefined && { threads: options.threads }) }
    return await openTogether(async (keep) => {
      const images = await keep(OrtSession.open(imageEmbeddingGraph(source), session))
      const texts = await keep(OrtSession.open(textEmbeddingGraph(source), session))
      return new Verifier(source, tokenizer, [images, texts], options)
    })
  }

  /** s = <f_img(x_v), f_txt(o)>, in [-1, 1]. */
  async score(image: VerifiedImage, word: string): Promise<number> {
    return dot(await this.imageEmbedding(image), await this.wordEmbedding(word))
  }

  /** The encoder's score of a whole text, without a sentence round it; one too long is cut. */
  async textScore(image: VerifiedImage, text: string): Promise<number> {
    // Responses are many and seldom alike, so they are not kept.
    return dot(await this.imageEmbedding(image), await this.#embedText(text))
  }

  /** Embedding of length 1, [projectionSize]. @throws StudioError `run.non-finite`, and what `pixels` throws */
  async imageEmbedding({ key, pixels }: VerifiedImage): Promise<Float32Array> {
    return await this.#once('image', key, async () => {
      const results = await this.#images.compute({ pixel_values: this.#pixelTensor(await pixels()) })
      const embedding = tensorOf(results, 'image_embeds', 'float32')
      requireFinite("The verifier's numbers of an image", embedding)
      return embedding.values
    })
  }

  /** Embedding of a word in its sentence, of length 1, [projectionSize]. */
  async wordEmbedding(word: string): Promise<Float32Array> {
    const text = this.#options.promptTemplate.replace('{}', word)
    // One text a run: an embedding never depends on which other words were asked for.
    return await this.#once('text', text, () => this.#embedText(text))
  }

  /** Where the image shows the word, [side, side] cosines of patches by rows; see {@link evidenceMap}. */
  async evidence({ key, pixels }: VerifiedImage, word: string): Promise<Float32Array> {
    if (this.#lastPatches?.key !== key) {
      const { device, threads } = this.#options
      this.#patches ??= await OrtSession.open(imageEmbeddingGraph(this.source, { patches: true }), {
        device,
        ...(threads !== undefined && { threads }),
      })
      const results = await this.#patches.compute({ pixel_values: this.#pixelTensor(await pixels()) })
      this.#lastPatches = { key, embeddings: tensorOf(results, 'patch_embeds', 'float32') }
    }
    return evidenceMap(this.source.config, this.#lastPatches.embeddings, 0, await this.wordEmbedding(word))
  }

  async release(): Promise<void> {
    this.#known.clear()
    this.#lastPatches = null
    await releaseAll([this.#images, this.#texts, this.#patches])
    this.#options.store?.flush()
  }

  async #embedText(text: string): Promise<Float32Array> {
    const { ids } = this.#tokenizer.encode(text)
    const results = await this.#texts.compute(textFeeds(this.source.config.text, [ids]))
    const embedding = tensorOf(results, 'text_embeds', 'float32')
    requireFinite("The verifier's numbers of a text", embedding)
    return embedding.values
  }

  #pixelTensor(pixels: Float32Array): Tensor {
    const { channels, imageSize } = this.source.config.vision
    return tensor('float32', [1, channels, imageSize, imageSize], pixels)
  }

  async #once(kind: 'image' | 'text', subject: string, compute: () => Promise<Float32Array>): Promise<Float32Array> {
    const key = `${kind} ${subject}`
    const inMemory = this.#known.get(key)
    if (inMemory) return inMemory
    const stored = this.#options.store?.get(kind, subject)
    // One that is not finite would make every score of its image or word so; it is computed again.
    const isStored = stored?.every(Number.isFinite) === true
    const embedding = isStored ? stored : await compute()
    this.#known.set(key, embedding)
    if (this.#known.size * embedding.byteLength > knownBytes)
      this.#known.delete(this.#known.keys().next().value as string)
    if (!isStored) this.#options.store?.put(kind, subject, embedding)
    return embedding
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}
