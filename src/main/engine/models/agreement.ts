// Whether the files of a folder say the same of a model where several of them say it: tokens, images, the length of a prompt.
// What they must agree on is compared when the folder is checked and when a run opens it, so that no run fails or answers
// blindly for it. Before it stand vlm.ts, text/ and image/, after it jobs/ and run/.
import { join } from 'node:path'
import { StudioError } from '../../../shared/errors.ts'
import { tileCount } from '../image/imageProcessor.ts'
import type { ImageProcessorConfig } from '../image/imageProcessorConfig.ts'
import type { Size } from '../image/resample.ts'
import type { ChatTemplate } from '../text/chatTemplate.ts'
import type { Tokenizer } from '../text/tokenizer.ts'
import { usualImage, type VlmConfig } from './architecture.ts'
import type { DualEncoderSource } from './companion/encoder.ts'
import { requireTrainedLength } from './shared/rope.ts'
import type { VisionConfig } from './shared/towerConfig.ts'
import type { VlmSource } from './vlmGraphs.ts'

/** What a folder's other files say. */
export interface FolderFiles {
  readonly tokenizer: Tokenizer
  readonly processor: { readonly config: ImageProcessorConfig }
}

/** @throws StudioError `model.contradiction` with both values, and what {@link requirePrompt} throws */
export function requireAgreement(source: VlmSource, files: FolderFiles & { readonly template: ChatTemplate }): void {
  const { config, weights } = source
  const { tokenizer, processor, template } = files
  requireVocabulary(weights.folder, tokenizer, config.decoder.vocabSize)
  const { image } = tokenizer.special
  if (image !== config.imageTokenId) {
    const spelt = (id: number | undefined) =>
      `${id} (${id === undefined ? 'none' : (tokenizer.tokenOf(id) ?? 'no token')})`
    throw contradiction(weights.folder, {
      what: `config.json says that the token ${spelt(config.imageTokenId)} stands for an image, the tokenizer says ${spelt(image)}`,
      expected: `${image}`,
      found: `${config.imageTokenId}`,
    })
  }
  requireImageSize(weights.folder, config.vision, processor)
  const { tiles } = source.architecture.imageLayout(config, usualImage(config))
  requireTiles(weights.folder, config, processor, tiles)
  requirePrompt(source, template, 'What is in the picture?', 1)
}

/**
 * That the prompt of a question has a place for each part of an image, of the one that takes most, and that it and a response
 * fit into the model.
 * @throws StudioError `tokenizer.bad-template`, `tokenizer.bad-question`, `model.beyond-trained-length`
 */
export function requirePrompt(
  { architecture, config }: VlmSource,
  template: ChatTemplate,
  question: string,
  responseTokens: number,
): void {
  const { imageSize } = config.vision
  const layouts = picturesOf(imageSize).map((size) => architecture.imageLayout(config, size))
  const layout = layouts.reduce((most, each) => (each.tokens > most.tokens ? each : most))
  requireTrainedLength(config.decoder.rope, template.promptIds(question, layout).length + responseTokens)
}

/** Pictures of all proportions, as large as any model sees them. */
function picturesOf(imageSize: number): Size[] {
  const sides = [1, 2, 3, 4, 5, 6].map((towers) => towers * imageSize)
  return sides.flatMap((height) => sides.map((width) => ({ width, height })))
}

/** The same of a companion, whose texts are read at their end token. @throws StudioError `model.contradiction` */
export function requireEncoderAgreement(
  { config, weights }: DualEncoderSource,
  { tokenizer, processor }: FolderFiles,
): void {
  requireVocabulary(weights.folder, tokenizer, config.text.vocabSize)
  requireImageSize(weights.folder, config.vision, processor)
  requireTiles(weights.folder, config, processor, 1)
  const { kind, endTokenId } = config.text
  // The oldest checkpoints name 2 and mean the largest id.
  if (kind !== 'clip' || endTokenId === 2) return
  const last = tokenizer.encode('a dog').ids.at(-1)
  if (last === endTokenId) return
  throw contradiction(weights.folder, {
    what: `config.json says that the token ${endTokenId} ends a text, the tokenizer ends it with ${last}`,
    expected: `${endTokenId}`,
    found: `${last}`,
  })
}

function requireVocabulary(folder: string, tokenizer: Tokenizer, vocabSize: number): void {
  const { lastId } = tokenizer
  if (lastId < vocabSize) return
  throw contradiction(folder, {
    what: `the tokenizer has the token ${lastId} (${tokenizer.tokenOf(lastId)?.slice(0, 50)}), and config.json a vocabulary of ${vocabSize}`,
    expected: `ids below ${vocabSize}`,
    found: `${lastId}`,
  })
}

function requireImageSize(folder: string, { imageSize }: VisionConfig, { config }: FolderFiles['processor']): void {
  const { width, height } = config.output
  if (width === imageSize && height === imageSize) return
  throw contradiction(folder, {
    what: `the image processor makes pictures of ${width} x ${height} pixels, and the image tower reads ${imageSize} x ${imageSize}`,
    expected: `${imageSize} x ${imageSize}`,
    found: `${width} x ${height}`,
  })
}

/** @param tiles that a usual image is cut into where the model sees it */
function requireTiles(
  folder: string,
  config: Pick<VlmConfig, 'vision'>,
  { config: pictures }: FolderFiles['processor'],
  tiles: number,
): void {
  const found = tileCount(pictures, usualImage(config))
  if (found === tiles) return
  throw contradiction(folder, {
    what: `the image processor makes ${found} pictures of a usual image, and the model sees ${tiles}`,
    expected: `${tiles}`,
    found: `${found}`,
  })
}

function contradiction(
  folder: string,
  { what, ...facts }: { what: string; expected: string; found: string },
): StudioError {
  return new StudioError({
    code: 'model.contradiction',
    message: `Two files of this model contradict each other: ${what}.`,
    remedy: 'Copy the whole model again: its files are not of the same model or version.',
    where: join(folder, 'config.json'),
    ...facts,
  })
}
