// What a model folder says about its pictures: preprocessor_config.json, or the image_processor section that
// transformers 5 writes into processor_config.json, of CLIP, SigLIP, Idefics3 (SmolVLM), LLaVA-NeXT and LLaVA-OneVision, with
// their defaults. Read by imageProcessor.ts.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { badConfig, readJsonObject, readSection, unknownField } from '../folder/configFields.ts'
import type { AnyResolution } from './anyResolution.ts'
import { defaultPinpoints, gridPinpoints, sizesOfTiles } from './gridPinpoints.ts'
import { type Filter, filters, type Size } from './resample.ts'
import type { Tiling } from './tiling.ts'

export interface ImageProcessorConfig {
  /** null: the picture keeps its size */
  readonly resize: Size | { readonly shortestEdge: number } | null
  readonly filter: Filter
  /** Cut from the middle, or null */
  readonly crop: Size | null
  /** Factor of the levels 0 to 255; 1 when they are not rescaled */
  readonly rescale: number
  /** Of each channel, after rescaling; null when it is not normalised */
  readonly mean: readonly [number, number, number] | null
  readonly std: readonly [number, number, number] | null
  /** Of every result: the crop, or the size that is resized to. */
  readonly output: Size
  /** Cuts pictures into tiles of the output's size; one picture is one result where it is absent. */
  readonly tiling?: Tiling
  /** The same, of models that fit pictures into the best of several sizes. */
  readonly anyResolution?: AnyResolution
}

const preprocessorFile = 'preprocessor_config.json'
const processorFile = 'processor_config.json'

/** An edge in pixels; the bound keeps a broken file from asking for terabytes. */
const edge = z.int().positive().max(8192)
const squareOrSize = z.union([edge, z.strictObject({ height: edge, width: edge })])
const resizeSize = z.union([
  edge,
  z.strictObject({ height: edge, width: edge }),
  z.strictObject({ shortest_edge: edge }),
])
const factor = z.number().positive().max(1e6)
const levels = z.union([z.number(), z.tuple([z.number(), z.number(), z.number()])])
const deviations = z.union([factor, z.tuple([factor, factor, factor])])

const shape = {
  do_resize: z.boolean().optional(),
  size: resizeSize.optional(),
  resample: z
    .int()
    .min(0)
    .max(filters.length - 1)
    .optional(),
  do_center_crop: z.boolean().optional(),
  crop_size: squareOrSize.optional(),
  do_rescale: z.boolean().optional(),
  rescale_factor: factor.optional(),
  do_normalize: z.boolean().optional(),
  image_mean: levels.optional(),
  image_std: deviations.optional(),
  // Every picture is converted; transformers would stop at one that is not RGB already.
  do_convert_rgb: z.boolean().optional(),
  data_format: z.literal('channels_first').optional(),
  default_to_square: z.boolean().optional(),
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
}
type Fields = z.infer<z.ZodObject<typeof shape>>

/** Fields that do not change the pixels. */
const ignored = [
  ...['processor_class', 'auto_map', 'return_tensors', 'input_data_format', 'disable_grouping', 'device'],
  ...['_valid_processor_keys', 'image_seq_length', 'patch_size', 'pad_size'],
]

/** The defaults of CLIPImageProcessor and SiglipImageProcessor in transformers. */
const families = {
  clip: {
    size: { shortest_edge: 224 },
    crop_size: 224,
    do_center_crop: true,
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_std: [0.26862954, 0.26130258, 0.27577711],
  },
  siglip: {
    size: { height: 224, width: 224 },
    crop_size: undefined,
    do_center_crop: false,
    image_mean: 0.5,
    image_std: 0.5,
  },
} as const satisfies Record<string, Fields>

const classPattern =
  /^(CLIP|Siglip|Idefics3|SmolVLM|LlavaNext|LlavaOnevision)(ImageProcessor|FeatureExtractor)(Fast|Pil)?$/

/**
 * How a folder's model wants its pictures. The section in processor_config.json comes first, as in transformers.
 * @throws StudioError `model.missing-file`, `model.bad-config`, and `model.unknown-config-field` naming what would
 *   change the pixels and is not computed
 */
export async function readImageProcessorConfig(folder: string): Promise<ImageProcessorConfig> {
  const { path, section, raw } = await readRaw(folder)
  // transformers takes its default for a field that is null.
  const given = Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== null))
  const named = given['image_processor_type'] ?? given['feature_extractor_type'] ?? 'CLIPImageProcessor'
  const className = typeof named === 'string' ? named : ''
  const family = classPattern.exec(className)?.[1]
  if (family === 'Idefics3' || family === 'SmolVLM') return readTiling(path, section, given)
  if (family === 'LlavaNext' || family === 'LlavaOnevision') return readAnyResolution(path, section, given, family)
  const fields = readSection(path, section, given, shape, ignored)
  if (!family) {
    throw unknownField(
      path,
      'image_processor_type',
      className,
      'the image processor of CLIP, Siglip, Idefics3, SmolVLM, LlavaNext or LlavaOnevision, also with Fast or Pil at the end',
    )
  }
  return interpret(path, family === 'CLIP' ? 'clip' : 'siglip', fields)
}

async function readRaw(folder: string): Promise<{ path: string; section: string; raw: Record<string, unknown> }> {
  const nested = join(folder, processorFile)
  if (existsSync(nested)) {
    const { image_processor: raw } = await readJsonObject(nested)
    if (raw !== undefined && raw !== null) {
      const parsed = z.record(z.string(), z.unknown()).safeParse(raw)
      if (!parsed.success) throw badConfig(nested, 'Its field image_processor is not an object.')
      return { path: nested, section: 'image_processor', raw: parsed.data }
    }
  }
  const path = join(folder, preprocessorFile)
  return { path, section: '', raw: await readJsonObject(path) }
}

/** The published ones have 4; the bound keeps a broken file from asking for terabytes. */
const mostTilesASide = 16
/** transformers never makes the longer side larger than this; up to it nothing else happens to it. */
const longestEdge = z.strictObject({ longest_edge: edge.max(4096) })

const tilingShape = {
  ...shape,
  size: longestEdge.default({ longest_edge: 4 * 364 }),
  max_image_size: longestEdge.default({ longest_edge: 364 }),
  do_image_splitting: z.boolean().default(true),
  // All tiles are of one size, so nothing of a batch of one is padded.
  do_pad: z.boolean().optional(),
  do_center_crop: z.literal(false).optional(),
  image_mean: levels.default(0.5),
  image_std: deviations.default(0.5),
}
/** Fields of videos, and what a processor says beside its pixels. */
const ignoredOfTiling = [...ignored, 'video_sampling', 'do_sample_frames', 'return_row_col_info', 'crop_size']

/** The config of an Idefics3ImageProcessor or SmolVLMImageProcessor, with their defaults. */
function readTiling(path: string, section: string, raw: Record<string, unknown>): ImageProcessorConfig {
  const fields = readSection(path, section, raw, tilingShape, ignoredOfTiling)
  const tile = fields.max_image_size.longest_edge
  if (fields.size.longest_edge > mostTilesASide * tile) {
    throw badConfig(path, `It cuts pictures into more than ${mostTilesASide} tiles a side.`)
  }
  const square: Size = { width: tile, height: tile }
  return {
    ...{ resize: square, filter: filters[fields.resample ?? filters.indexOf('lanczos')] as Filter, crop: null },
    ...levelsOf(fields, fields.image_mean, fields.image_std),
    output: square,
    tiling: {
      longestEdge: (fields.do_resize ?? true) ? fields.size.longest_edge : null,
      splits: fields.do_image_splitting,
      tile,
    },
  }
}

const anyResolutionShape = {
  ...shape,
  size: resizeSize,
  image_mean: levels,
  image_std: deviations,
  image_grid_pinpoints: gridPinpoints,
  // Whether images of a batch are padded to one number of tiles, which are left out again.
  do_pad: z.boolean().optional(),
  aspect_ratio_setting: z.literal('anyres').optional(),
}
const anyResolutionDefaults = {
  LlavaNext: { ...families.clip, image_grid_pinpoints: defaultPinpoints.llavaNext },
  LlavaOnevision: {
    ...{ size: { height: 384, width: 384 }, image_grid_pinpoints: defaultPinpoints.llavaOnevision },
    ...{ image_mean: families.clip.image_mean, image_std: families.clip.image_std },
  },
}

/** The config of a LlavaNextImageProcessor or LlavaOnevisionImageProcessor, with their defaults. */
function readAnyResolution(
  path: string,
  section: string,
  raw: Record<string, unknown>,
  family: keyof typeof anyResolutionDefaults,
): ImageProcessorConfig {
  const fields = readSection(path, section, { ...anyResolutionDefaults[family], ...raw }, anyResolutionShape, ignored)
  const { size, crop_size: crop } = fields
  const output = typeof size === 'object' && 'shortest_edge' in size ? sizeOf(size.shortest_edge) : sizeOf(size)
  // Tiles are cut by the crop and resized to the size, which do nothing where both are the same square.
  for (const { width, height } of crop === undefined ? [output] : [output, sizeOf(crop)]) {
    if (width === output.width && height === output.width) continue
    const found = `${output.width} x ${output.height} and ${width} x ${height}`
    throw badConfig(path, `Its size and its crop_size are not the same square: ${found}.`)
  }
  return {
    ...{ resize: output, filter: filters[fields.resample ?? filters.indexOf('bicubic')] as Filter, crop: null, output },
    ...levelsOf(fields, fields.image_mean, fields.image_std),
    anyResolution: { tile: output.width, sizes: sizesOfTiles(path, fields.image_grid_pinpoints, output.width) },
  }
}

function interpret(path: string, family: keyof typeof families, fields: Fields): ImageProcessorConfig {
  const defaults = families[family]
  const size = fields.size ?? defaults.size
  const cropSize = fields.crop_size ?? defaults.crop_size
  const crops = fields.do_center_crop ?? defaults.do_center_crop
  if (typeof size === 'number' && family === 'siglip' && fields.default_to_square === undefined) {
    // transformers 4 makes it a square, transformers 5 the shorter edge.
    throw unknownField(path, 'size', size, '{"height": …, "width": …}')
  }
  if (crops && cropSize === undefined) throw badConfig(path, 'The field crop_size is missing.')
  const resize = (fields.do_resize ?? true) ? resizeOf(size, fields.default_to_square ?? false) : null
  const crop = crops && cropSize !== undefined ? sizeOf(cropSize) : null
  const output = crop ?? (resize && 'width' in resize ? resize : null)
  if (!output) throw unknownField(path, 'do_center_crop', false, 'pictures of one size: a crop, or a height and width')
  return {
    resize,
    filter: filters[fields.resample ?? filters.indexOf('bicubic')] as Filter,
    crop,
    ...levelsOf(fields, fields.image_mean ?? defaults.image_mean, fields.image_std ?? defaults.image_std),
    output,
  }
}

/** What becomes of the levels of a picture, by these means and deviations if they are used. */
function levelsOf(
  fields: Pick<Fields, 'do_rescale' | 'rescale_factor' | 'do_normalize'>,
  mean: z.infer<typeof levels>,
  std: z.infer<typeof deviations>,
): Pick<ImageProcessorConfig, 'rescale' | 'mean' | 'std'> {
  const normalizes = fields.do_normalize ?? true
  return {
    rescale: (fields.do_rescale ?? true) ? (fields.rescale_factor ?? 1 / 255) : 1,
    mean: normalizes ? perChannel(mean) : null,
    std: normalizes ? perChannel(std) : null,
  }
}

function resizeOf(size: NonNullable<Fields['size']>, square: boolean): Size | { shortestEdge: number } {
  if (typeof size === 'number') return square ? sizeOf(size) : { shortestEdge: size }
  return 'shortest_edge' in size ? { shortestEdge: size.shortest_edge } : size
}

function sizeOf(size: NonNullable<Fields['crop_size']>): Size {
  return typeof size === 'number' ? { width: size, height: size } : size
}

function perChannel(value: number | readonly [number, number, number]): readonly [number, number, number] {
  return typeof value === 'number' ? [value, value, value] : value
}
