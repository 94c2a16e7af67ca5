// Idefics3 (Laurençon et al. 2024) and SmolVLM (Marafioti et al. 2025): squares of neighbouring patches of a SigLIP tower,
// joined along the width ("pixel shuffle") and through one linear layer, become one row of the prompt each. An image is cut
// into tiles of the tower's size, with an overview after them, and the prompt says which row and column each tile is of.
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'
import { tensorOps } from '../../graph/tensorOps.ts'
import { type TileGrid, tileGrid } from '../../image/tiling.ts'
import type { Architecture } from '../architecture.ts'
import { layerNorm } from '../shared/encoderLayers.ts'
import type { Parameters } from '../shared/parameters.ts'
import { patchCount } from '../shared/towerConfig.ts'
import { towerStates } from '../shared/visionTower.ts'
import { type Idefics3Config, readIdefics3Config } from './config.ts'

/** Where the towers of the published models come from, by width, layers and patch size. Source: their model cards. */
const origins = [
  { tower: [768, 12, 16], encoder: 'google/siglip-base-patch16-512' },
  { tower: [1152, 27, 14], encoder: 'google/siglip-so400m-patch14-384' },
] as const

export const idefics3: Architecture<Idefics3Config> = {
  title: 'SmolVLM or Idefics3',
  architectures: ['Idefics3ForConditionalGeneration', 'SmolVLMForConditionalGeneration'],
  modelTypes: ['idefics3', 'smolvlm'],
  supported: 'a SmolVLM or Idefics3 model with a LLaMA decoder',
  names: {
    tower: ['model.vision_model.'],
    projector: ['model.connector.'],
    decoder: ['model.text_model.'],
    head: ['lm_head.'],
  },
  peftPrefix: 'model.text_model.',
  readConfig: readIdefics3Config,
  nearestEncoder({ vision: { hiddenSize, layers, patchSize } }) {
    const found = origins.find((one) => `${[hiddenSize, layers, patchSize]}` === `${one.tower}`)
    return found?.encoder ?? 'the SigLIP model that its image tower was taken from'
  },
  imageLayout(config, size) {
    const grid = tileGrid(size, config.tiling)
    const tiles = grid.rows * grid.columns + 1
    const rowsOfTile = patchCount(config.vision) / config.scaleFactor ** 2
    const rows = tiles * rowsOfTile
    const promptText = (imageToken: string) => imageText(grid, imageToken.repeat(rowsOfTile))
    return { tiles, rows, tokens: rows, promptText }
  },
  towerFeatures,
  towerWidth: ({ vision }) => vision.hiddenSize,
  projector,
}

/** What stands for an image: tiles by rows, each after a marker of its place, then the overview. */
function imageText({ rows, columns }: TileGrid, tile: string): string {
  const edge = '<fake_token_around_image>'
  const counts = (length: number) => Array.from({ length }, (_, i) => i + 1)
  const line = (row: number) => counts(columns).map((column) => `${edge}<row_${row}_col_${column}>${tile}`)
  const lines = counts(rows).map((row) => `${line(row).join('')}\n`)
  return `${lines.join('')}${rows > 0 ? '\n' : ''}${edge}<global-img>${tile}${edge}`
}

/** After the last layer and its norm. */
function towerFeatures(g: GraphBuilder, tower: Parameters, { vision }: Idefics3Config, pixels: Value): Value {
  const last = towerStates(g, tower, vision, pixels, vision.layers).at(-1) as Value
  return layerNorm(tensorOps(g), tower, 'post_layernorm', last, vision.epsilon)
}

function projector(g: GraphBuilder, p: Parameters, config: Idefics3Config, features: Value): Value {
  const { reshape, transpose } = tensorOps(g)
  const { vision, decoder, scaleFactor: factor } = config
  const side = Math.sqrt(patchCount(vision)) / factor
  const squares = reshape(features, ['images', side, factor, side, factor, vision.hiddenSize])
  const joined = transpose(squares, [0, 1, 3, 2, 4, 5])
  const rows = reshape(joined, ['images', side ** 2, factor ** 2 * vision.hiddenSize])
  return p.linear('modality_projection.proj', rows, decoder.hiddenSize)
}
