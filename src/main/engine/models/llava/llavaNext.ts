// LLaVA-NeXT (Liu et al. 2024), also called LLaVA-1.6: the tower and the projector of LLaVA see an image in tiles, as large as
// one of several sizes allows, after an overview of the whole; a learned row of the prompt ends each line of patches.
import type { Architecture } from '../architecture.ts'
import { llava } from './llava.ts'
import { type LlavaNextConfig, patchesASide, readLlavaNextConfig } from './llavaNextConfig.ts'
import { arrangeRows, countRows, type TileRows } from './tileRows.ts'

/** Where the towers of the published models come from, by kind, width and patch size. Source: their model cards. */
const origins = [
  { tower: ['clip', 1024, 14], encoder: 'openai/clip-vit-large-patch14-336' },
  { tower: ['siglip', 1152, 14], encoder: 'google/siglip-so400m-patch14-384' },
] as const

export const llavaNext: Architecture<LlavaNextConfig> = {
  ...llava,
  title: 'LLaVA-NeXT',
  architectures: ['LlavaNextForConditionalGeneration'],
  modelTypes: ['llava_next'],
  readConfig: readLlavaNextConfig,
  // Their authors trained the tower on with the rest.
  nearestEncoder({ vision: { kind, hiddenSize, patchSize } }) {
    const found = origins.find((one) => `${[kind, hiddenSize, patchSize]}` === `${one.tower}`)
    return found?.encoder ?? 'the model that its image tower was taken from'
  },
  imageLayout(config, size) {
    const { tiles, rows } = countRows(size, tileRowsOf(config))
    return { tiles, rows, tokens: rows, promptText: (imageToken) => imageToken.repeat(rows) }
  },
  arrangement: {
    lineEnd: ['image_newline', 'model.image_newline'],
    arrange: (config, size, features, lineEnd) => arrangeRows(size, tileRowsOf(config), features, lineEnd),
  },
}

function tileRowsOf({ vision, anyResolution, mostTiles }: LlavaNextConfig): TileRows {
  return { anyResolution, mostTiles, patches: patchesASide(vision) }
}
