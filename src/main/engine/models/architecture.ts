// What an architecture of vision-language models is: one record, the only place that knows the names of its models, of
// their fields and of their tensors. registry.ts finds the record of a folder; graphs and prompts ask it.
import type { GraphBuilder } from '../graph/graphBuilder.ts'
import type { Value } from '../graph/ir.ts'
import type { Size } from '../image/resample.ts'
import type { ImagePlace } from '../text/chatTemplate.ts'
import type { DecoderConfig } from './shared/decoderConfig.ts'
import type { ModelParameters, ModuleNames, Parameters } from './shared/parameters.ts'
import type { SpecialTokens } from './shared/specialTokens.ts'
import type { VisionConfig } from './shared/towerConfig.ts'

/** What every vision-language model has, whatever else its architecture reads from its config. */
export interface VlmConfig extends SpecialTokens {
  readonly vision: VisionConfig
  readonly decoder: DecoderConfig
  /** Stands in the prompt once for each row of an image's features. */
  readonly imageTokenId: number
}

/** The modules that a vision-language model is made of. */
export type VlmModule = 'tower' | 'projector' | 'decoder' | 'head'
export type VlmParameters = ModelParameters<VlmModule>

/** How one image enters the prompt; it may depend on the image's size. */
export interface ImageLayout extends ImagePlace {
  /** Pictures of the tower's size that the image is cut into, an overview of it included. */
  readonly tiles: number
  /** Rows of the prompt that the projected features of all tiles together become. */
  readonly rows: number
}

/** The size of a usual image, a photograph, for what is told and planned before an image is there. */
export function usualImage({ vision: { imageSize } }: Pick<VlmConfig, 'vision'>): Size {
  return { width: 2 * imageSize, height: 2 * imageSize }
}

/** How the rows of an image's tiles become those of its prompt, where they do not just follow each other. */
export interface Arrangement<Config extends VlmConfig> {
  /** What checkpoints call the learned row at the end of each line of patches. */
  readonly lineEnd: readonly [string, ...string[]]
  /**
   * @param size of the picture
   * @param features projected ones of its tiles, [tiles, rows of a tile, hidden]
   * @param lineEnd [hidden]
   * @returns [rows, hidden], as many rows as the image's layout says
   */
  arrange(config: Config, size: Size, features: Float32Array, lineEnd: Float32Array): Float32Array
}

/** One architecture. */
export interface Architecture<Config extends VlmConfig = VlmConfig> {
  /** For a person, e.g. "LLaVA". */
  readonly title: string
  /** What `architectures` of config.json calls it. */
  readonly architectures: readonly string[]
  /** What `model_type` of config.json calls it. */
  readonly modelTypes: readonly string[]
  /** Which models of it can be used, and are worth trying when one cannot: "a LLaVA model with ...". */
  readonly supported: string
  readonly names: ModuleNames<VlmModule>
  /** What stands before a decoder layer's path in an adapter of Python's peft. */
  readonly peftPrefix: string
  /**
   * The config of a folder.
   * @param raw its config.json
   * @throws StudioError `model.bad-config`, `model.unknown-config-field` and what reading its files throws
   */
  readConfig(folder: string, raw: Readonly<Record<string, unknown>>): Promise<Config>
  /**
   * The encoder whose text tower judges words, in words, where a model's image tower was trained on after it was taken from
   * there, so that no encoder has quite the same; left out where towers stay as they were.
   */
  nearestEncoder?(config: Config): string
  imageLayout(config: Config, size: Size): ImageLayout
  /** `pixels` [images, channels, size, size] to features [images, towerRows, width]. */
  towerFeatures(g: GraphBuilder, tower: Parameters, config: Config, pixels: Value): Value
  /** Of the features that {@link towerFeatures} answers. */
  towerWidth(config: Config): number
  /** Features of the tower [images, towerRows, width] to rows of the prompt [images, rows, hidden]. */
  projector(g: GraphBuilder, projector: Parameters, config: Config, features: Value): Value
  /** Left out where the rows of the tiles follow each other. */
  readonly arrangement?: Arrangement<Config>
}
