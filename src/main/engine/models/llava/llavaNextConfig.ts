// config.json of a LLaVA-NeXT checkpoint (Liu et al. 2024), with the defaults of transformers: that of LLaVA and the sizes that
// images are fitted into, which its image processor says once more. LLaVA-OneVision reads its own in the same way.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { badConfig, readJsonObject, readSection, unknownField } from '../../folder/configFields.ts'
import type { AnyResolution } from '../../image/anyResolution.ts'
import { defaultPinpoints, type GridPinpoints, gridPinpoints, sizesOfTiles } from '../../image/gridPinpoints.ts'
import { readImageProcessorConfig } from '../../image/imageProcessorConfig.ts'
import { patchCount, type VisionConfig } from '../shared/towerConfig.ts'
import { type LlavaConfig, type LlavaDefaults, llavaDefaults, readLlavaConfig } from './config.ts'

export interface LlavaNextConfig extends LlavaConfig {
  readonly anyResolution: AnyResolution
  /** Tiles whose patches are kept at most, by about a tenth; null for all. */
  readonly mostTiles: number | null
}

const ownShape = {
  image_grid_pinpoints: gridPinpoints.nullish(),
  // Before there was always one, in the first versions.
  use_image_newline_parameter: z.literal(true).optional(),
}

/** What a processor must say as the model does, by its field. */
type Stated = Readonly<Record<string, unknown>>

/**
 * The config of a `LlavaNextForConditionalGeneration` checkpoint.
 * @param raw config.json
 * @throws StudioError `model.missing-file`, `model.bad-config`, `model.unknown-config-field`
 */
export async function readLlavaNextConfig(
  folder: string,
  raw: Readonly<Record<string, unknown>>,
): Promise<LlavaNextConfig> {
  const config = await readTiledConfig(folder, raw, llavaDefaults, defaultPinpoints.llavaNext)
  const strategy = config.featureStrategy
  await requireProcessor(folder, { patch_size: config.vision.patchSize, vision_feature_select_strategy: strategy })
  return { ...config, mostTiles: null }
}

/**
 * What LLaVA-NeXT and LLaVA-OneVision have in common.
 * @param raw config.json, without fields that only the caller knows
 * @throws StudioError as {@link readLlavaNextConfig}
 */
export async function readTiledConfig(
  folder: string,
  raw: Readonly<Record<string, unknown>>,
  defaults: LlavaDefaults,
  pinpoints: GridPinpoints,
): Promise<Omit<LlavaNextConfig, 'mostTiles'>> {
  const path = join(folder, 'config.json')
  const { image_grid_pinpoints, use_image_newline_parameter, ...rest } = raw
  const own = readSection(path, '', { image_grid_pinpoints, use_image_newline_parameter }, ownShape)
  const config = await readLlavaConfig(folder, rest, defaults)
  const { vision, featureStrategy } = config
  if (vision.kind === 'clip' && featureStrategy === 'full') {
    const wanted = 'default: the class token is no patch of an image'
    throw unknownField(path, 'vision_feature_select_strategy', featureStrategy, wanted)
  }
  const sizes = sizesOfTiles(path, own.image_grid_pinpoints ?? pinpoints, vision.imageSize)
  const anyResolution: AnyResolution = { sizes, tile: vision.imageSize }
  await requireImageProcessor(folder, anyResolution)
  return { ...config, anyResolution }
}

/** Pixels are cut by the image processor's sizes, features put in order by the model's. */
async function requireImageProcessor(folder: string, { sizes, tile }: AnyResolution): Promise<void> {
  const { anyResolution: other } = await readImageProcessorConfig(folder)
  const path = join(folder, 'preprocessor_config.json')
  if (!other) {
    throw badConfig(path, 'Its image_processor_type is not LlavaNextImageProcessor or LlavaOnevisionImageProcessor.')
  }
  if (other.tile !== tile) {
    throw badConfig(path, `Its tiles are of ${other.tile} pixels, but the image tower's image_size is ${tile}.`)
  }
  const spelt = (list: AnyResolution['sizes'], at: number) =>
    list[at] ? `${list[at].height} x ${list[at].width}` : 'none'
  const at = Array.from({ length: Math.max(sizes.length, other.sizes.length) }, (_, i) => i).find(
    (i) => spelt(sizes, i) !== spelt(other.sizes, i),
  )
  if (at === undefined) return
  const [own, theirs] = [spelt(sizes, at), spelt(other.sizes, at)]
  throw badConfig(path, `Number ${at + 1} of its image_grid_pinpoints is ${theirs}, that of config.json is ${own}.`)
}

/**
 * The processor of transformers counts the places of an image in the prompt by what it says itself.
 * @throws StudioError `model.bad-config` where it says something else than the model
 */
export async function requireProcessor(folder: string, stated: Stated): Promise<void> {
  const path = join(folder, 'processor_config.json')
  const processor = existsSync(path) ? await readJsonObject(path) : {}
  for (const [field, wanted] of Object.entries(stated)) {
    const found = processor[field] ?? wanted
    if (found !== wanted) throw badConfig(path, `Its ${field} is ${String(found)}, but that of the model is ${wanted}.`)
  }
}

/** Patches of a tile's side. */
export function patchesASide(vision: VisionConfig): number {
  return Math.sqrt(patchCount(vision))
}
