// The models of a run, opened once: the vision-language model with its tokenizer, prompt and image processor, and the
// verifier with its own. align.ts asks them to respond to images and to score what was said.
import type { Region } from '../../../shared/describe.ts'
import { StudioError } from '../../../shared/errors.ts'
import type { DeviceName } from '../../../shared/hardware.ts'
import { mapSome } from '../../../shared/mapSome.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import type { Policy } from '../align/policy.ts'
import { sha256OfText } from '../folder/hashes.ts'
import type { ModelFolders } from '../folder/modelIdentity.ts'
import { openTogether, releaseAll } from '../graph/resources.ts'
import { type ImagePixels, type ImageProcessor, openImageProcessor } from '../image/imageProcessor.ts'
import { requireAgreement, requirePrompt } from '../models/agreement.ts'
import type { ImageLayout } from '../models/architecture.ts'
import { type BaseOptions, inChosenNumbers } from '../models/baseFile.ts'
import { loraFeeds } from '../models/shared/lora.ts'
import { openVlm } from '../models/vlm.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'
import { type Responder, thisThread, type Workers } from '../pool/workers.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import { type ScoredResponse, scoreResponse } from '../reward/scoredResponse.ts'
import type { Rng } from '../rng.ts'
import { generatorGraphs, type Response } from '../rollout/generate.ts'
import { ImageFeatures, keptFeatureBytes, type SeenImage } from '../rollout/imageFeatures.ts'
import type { RecalledResponse } from '../rollout/responseFeeds.ts'
import type { SamplingSettings } from '../rollout/sampler.ts'
import { type ChatTemplate, openChatTemplate } from '../text/chatTemplate.ts'
import { openTokenizer, type Tokenizer } from '../text/tokenizer.ts'
import type { SkippedImage } from './skippedImages.ts'
import { type EmbeddingStore, type VerifiedImage, Verifier } from './verifier.ts'

/** An image of the workspace. */
export interface RunImage {
  readonly imageId: number
  readonly sha256: string
  readonly path: string
  /** The part of the picture that models see as grey; nothing when left out. */
  readonly covered?: Region
}

/** What stands for a picture as models see it, 64 hexadecimal digits. */
export function pictureKey({ sha256, covered }: RunImage): string {
  return covered ? sha256OfText(`${sha256} ${JSON.stringify(covered)}`) : sha256
}

export interface ModelsOptions {
  readonly device: DeviceName
  readonly threads?: number
  /** Who answers, batch by batch; this thread when left out. */
  readonly workers?: Workers
  readonly config: RunConfig
  readonly lexicon: Lexicon
  readonly embeddings?: EmbeddingStore
  /** Of image features that are kept at most, beside those of the batches under way; {@link keptFeatureBytes} when left out. */
  readonly featureBytes?: number
  /** Of the base file that the model may need. */
  readonly base?: BaseOptions
  /** In a placebo; each image is judged by itself when left out. */
  readonly judgingImage?: (image: RunImage) => RunImage
}

/** A response to an image, as learners and the workspace take it. */
export interface ImageResponse
  extends RecalledResponse,
    Pick<Response, 'logProbs' | 'logProbsAtTemperature' | 'reason'> {
  readonly image: RunImage
  /**
   * What the model saw of the image, kept for as long as there is room, else read and computed again to the same bits.
   * @throws StudioError `image.…` when its file cannot be read any more
   */
  readonly imageFeatures: () => Promise<readonly Float32Array[]>
}

/** Responses to the images that could be read, in their order, and those that could not, each once. */
export interface Responses {
  readonly responses: readonly ImageResponse[]
  readonly skipped: readonly SkippedImage[]
}

export interface RespondOptions {
  /** Null for greedy decoding, else forked for each place in the list, so that an image left out changes no other response. */
  readonly rng: Pick<Rng, 'fork'> | null
  /** Of the adapter; 1 as trained. */
  readonly strength?: number
  readonly signal?: AbortSignal | undefined
  /** In the place of the config's own; of each place in the list where questions differ. */
  readonly question?: string | ((place: number) => string)
  readonly sampling?: Pick<SamplingSettings, 'temperature' | 'topP' | 'topK'>
  /** Told of every token as it comes, by the image's place in the list; `text` is what it completed. */
  readonly onToken?: (event: { readonly place: number; readonly text: string }) => void
}

/** An image's scored response. */
export interface ScoredImageResponse extends ImageResponse {
  readonly scored: ScoredResponse
}

/** An image as a prompt takes it. */
interface ReadImage {
  readonly image: RunImage
  /** In the list of images that are asked about. */
  readonly place: number
  readonly seen: SeenImage
}

/** Pixel values that are kept in memory. */
const pixelBytes = 64 * 1024 * 1024
/** Prompts that are kept; a person may ask any number of questions. */
const mostPrompts = 64

export class AlignmentModels {
  readonly source: VlmSource
  readonly tokenizer: Tokenizer
  readonly verifier: Verifier
  readonly #options: ModelsOptions
  readonly #features: ImageFeatures
  readonly #responder: Responder
  readonly #template: ChatTemplate
  /** By question and what stands for the image in them. */
  readonly #prompts = new Map<string, readonly number[]>()
  readonly #processors: { readonly model: ImageProcessor; readonly companion: ImageProcessor }
  /** Whether both image processors make the same pixel values. */
  readonly #readAlike: boolean
  /** Pixel values by image, in the order of their last use. */
  readonly #lately = new Map<string, ImagePixels>()

  private constructor(
    parts: Pick<AlignmentModels, 'source' | 'tokenizer' | 'verifier'> & {
      features: ImageFeatures
      responder: Responder
      template: ChatTemplate
      processors: { model: ImageProcessor; companion: ImageProcessor }
    },
    options: ModelsOptions,
  ) {
    this.source = parts.source
    this.tokenizer = parts.tokenizer
    this.verifier = parts.verifier
    this.#template = parts.template
    this.#features = parts.features
    this.#responder = parts.responder
    this.#processors = parts.processors
    const [model, companion] = [parts.processors.model.config, parts.processors.companion.config]
    this.#readAlike = JSON.stringify(model) === JSON.stringify(companion)
    this.#options = options
  }

  /** @throws StudioError of whatever cannot be opened, naming its file */
  static async open(folders: ModelFolders, options: ModelsOptions): Promise<AlignmentModels> {
    const { config, device, threads, embeddings, workers = thisThread, featureBytes = keptFeatureBytes } = options
    const session = { device, ...(threads !== undefined && { threads }) }
    const source = await inChosenNumbers(await openVlm(folders.model), config.base.format, options.base ?? {})
    const tokenizer = await openTokenizer(folders.model)
    const template = await openChatTemplate(folders.model, tokenizer)
    const processors = {
      model: await openImageProcessor(folders.model),
      companion: await openImageProcessor(folders.companion),
    }
    requireAgreement(source, { tokenizer, template, processor: processors.model })
    // A question that no prompt can hold is refused here and not at the first image.
    requirePrompt(source, template, config.rollout.question, config.rollout.maxNewTokens + 1)
    return await openTogether(async (keep) => {
      const verifier = await keep(
        Verifier.open(folders.companion, {
          ...session,
          promptTemplate: config.reward.promptTemplate,
          ...(embeddings && { store: embeddings }),
        }),
      )
      const features = await keep(ImageFeatures.open(source, { ...session, limitBytes: featureBytes }))
      const graphs = generatorGraphs(source, { rank: config.adapter.rank }, device)
      const responder = await keep(workers.openResponder(graphs, session))
      return new AlignmentModels({ source, tokenizer, verifier, features, responder, template, processors }, options)
    })
  }

  /**
   * The policy's responses to the question about each image that can be read. The verifier sees each image here too, so
   * that what comes after reads a file only for features that found no room: an image is there for a whole step or not at all.
   */
  async respond(images: readonly RunImage[], policy: Policy, options: RespondOptions): Promise<Responses> {
    const { rng, strength = 1, signal } = options
    const { rollout } = this.#options.config
    const { question = rollout.question, sampling = rollout, onToken } = options
    const questionOf = typeof question === 'string' ? () => question : question
    const unused = { uniform: () => 0, state: { seed: 0, stream: 0, counter: 0 } }
    const settings = {
      sampling: {
        ...{ greedy: rng === null, temperature: sampling.temperature, repetitionPenalty: 1 },
        ...{ topK: sampling.topK, topP: sampling.topP },
      },
      stop: { endTokenIds: this.source.config.endTokenIds, stopStrings: [], maxNewTokens: rollout.maxNewTokens },
      batchSize: rollout.batchSize,
    }
    const adapter = loraFeeds(policy.adapter, strength)
    const answer = async (batch: readonly ReadImage[]): Promise<ImageResponse[]> => {
      const promptOf = ({ place, seen }: ReadImage) => this.#promptIds(questionOf(place), seen.layout)
      const said = await this.#responder.generate(
        batch.map((one) => ({
          ...{ promptIds: promptOf(one), imageFeatures: [one.seen.features] },
          rng: rng?.fork(one.place) ?? unused,
        })),
        settings,
        {
          ...{ adapter, ...(signal && { signal }) },
          ...(onToken && {
            openTextStream: () => this.tokenizer.stream(),
            onToken: ({ request, text }) => onToken({ place: batch[request]?.place ?? 0, text }),
          }),
        },
      )
      return batch.map((one, i) => this.#response(one, promptOf(one), said[i] as Response))
    }
    const batches: number[] = []
    for (let start = 0; start < images.length; start += rollout.batchSize) batches.push(start)
    const skipped = new Map<string, SkippedImage>()
    // Images are read in their order, whoever answers about them.
    let reading: Promise<unknown> = Promise.resolve()
    const read = async (start: number): Promise<ReadImage[]> =>
      await this.#readable(images.slice(start, start + rollout.batchSize), start, skipped, signal)
    const answered = await mapSome(batches, this.#options.workers?.batchesAtOnce ?? 1, async (start) => {
      const batch = reading.then(() => read(start))
      reading = batch
      return await answer(await batch)
    })
    const responses = answered.flat()
    return { responses, skipped: [...skipped.values()] }
  }

  #response(
    { image }: ReadImage,
    promptIds: readonly number[],
    { tokens, logProbs, logProbsAtTemperature, reason, kept }: Response,
  ): ImageResponse {
    const imageFeatures = async () => [(await this.#featuresOf(image)).features]
    return { image, promptIds, tokens, logProbs, logProbsAtTemperature, reason, kept, imageFeatures }
  }

  /** Of the image features that are kept. */
  get keptFeatureBytes(): number {
    return this.#features.keptBytes
  }

  /** The prompt for an image of this layout; images of one size share it. */
  #promptIds(question: string, layout: ImageLayout): readonly number[] {
    const key = `${layout.tokens} ${layout.promptText('#')} ${question}`
    const known = this.#prompts.get(key) ?? this.#template.promptIds(question, layout)
    this.#prompts.set(key, known)
    if (this.#prompts.size > mostPrompts) this.#prompts.delete(this.#prompts.keys().next().value as string)
    return known
  }

  /** Those of the images that can be read, with their places in the whole list; the others are added to `skipped`. */
  async #readable(
    images: readonly RunImage[],
    start: number,
    skipped: Map<string, SkippedImage>,
    signal: AbortSignal | undefined,
  ): Promise<ReadImage[]> {
    const readable: ReadImage[] = []
    // The same array for the same image, as long as the batch lasts: its prompt is then read once.
    const known = new Map<string, SeenImage>()
    for (const [i, image] of images.entries()) {
      const key = pictureKey(image)
      if (skipped.has(key)) continue
      let reading = image
      try {
        const seen = known.get(key) ?? (await this.#see(image, signal))
        known.set(key, seen)
        reading = this.#judgingImage(image)
        if (reading !== image) await this.verifier.imageEmbedding(this.verified(reading))
        readable.push({ image, place: start + i, seen })
      } catch (error) {
        if (!(error instanceof StudioError && error.code.startsWith('image.'))) throw error
        const { imageId, path } = reading
        skipped.set(key, { imageId, path, code: error.code })
      }
    }
    return readable
  }

  /** The model's features of an image; the verifier's embedding of it is known afterwards. */
  async #see(image: RunImage, signal: AbortSignal | undefined): Promise<SeenImage> {
    const seen = await this.#featuresOf(image, signal)
    await this.verifier.imageEmbedding(this.verified(image))
    return seen
  }

  async #featuresOf(image: RunImage, signal?: AbortSignal): Promise<SeenImage> {
    const [seen] = await this.#features.of([[pictureKey(image), () => this.#pixels(image, 'model')]], 1, signal)
    return seen as SeenImage
  }

  /**
   * Finds and scores the object words of each response.
   * @param see which image the verifier looks at: the response's own, or the one that training judges it by
   */
  async score(
    responses: readonly ImageResponse[],
    see: (image: RunImage) => VerifiedImage = (image) => this.verified(image),
  ): Promise<ScoredImageResponse[]> {
    const { lexicon, config } = this.#options
    const { otherNouns } = config.reward
    const scored: ScoredImageResponse[] = []
    for (const response of responses) {
      const image = see(response.image)
      const scoreWord = (word: string) => this.verifier.score(image, word)
      const finder = { otherNouns, nounsOnly: false, affirmedOnly: true, isCut: response.reason === 'length' }
      const options = { tokenizer: this.tokenizer, lexicon, finder }
      scored.push({ ...response, scored: await scoreResponse(response.tokens, scoreWord, options) })
    }
    return scored
  }

  /** The image that training judges a response to this one by, as the verifier takes it. */
  judged(image: RunImage): VerifiedImage {
    return this.verified(this.#judgingImage(image))
  }

  #judgingImage(image: RunImage): RunImage {
    return this.#options.judgingImage?.(image) ?? image
  }

  /** The image as the verifier takes it. */
  verified(image: RunImage): VerifiedImage {
    return { key: pictureKey(image), pixels: async () => (await this.#pixels(image, 'companion')).values }
  }

  /**
   * Pixel values of an image. A model and its own encoder nearly always want the same ones, so what one of them had
   * read lately serves the other too.
   */
  async #pixels(image: RunImage, reader: 'model' | 'companion'): Promise<ImagePixels> {
    const { sha256, path, covered } = image
    const key = this.#readAlike ? pictureKey(image) : `${reader} ${pictureKey(image)}`
    const pixels = this.#lately.get(key) ?? (await this.#processors[reader].pixelsOfFile(path, { sha256, covered }))
    this.#lately.delete(key)
    this.#lately.set(key, pixels)
    for (const [oldest] of this.#lately) {
      if (this.#lately.size * pixels.values.byteLength <= pixelBytes || oldest === key) break
      this.#lately.delete(oldest)
    }
    return pixels
  }

  async release(): Promise<void> {
    this.#lately.clear()
    await releaseAll([this.verifier, this.#features, this.#responder])
  }
}
