// `image_grid_pinpoints`: the sizes that pictures may be fitted into, as LLaVA-NeXT and LLaVA-OneVision write them in their
// config.json and again in their image processor's. Read by imageProcessorConfig.ts and models/llava/llavaNextConfig.ts.
import { z } from 'zod'
import { badConfig } from '../folder/configFields.ts'
import type { Size } from './resample.ts'

/** Heights and widths in pixels. */
export type GridPinpoints = readonly (readonly [height: number, width: number])[]

/** The bounds keep a broken file from asking for terabytes; the published ones have up to 36, of up to 6 tiles a side. */
export const gridPinpoints = z
  .array(z.tuple([z.int().positive(), z.int().positive()]))
  .min(1)
  .max(256)
const mostTilesASide = 16

/** What transformers takes where there are none. */
export const defaultPinpoints = {
  llavaNext: [
    [336, 672],
    [672, 336],
    [672, 672],
    [1008, 336],
    [336, 1008],
  ],
  llavaOnevision: Array.from({ length: 36 }, (_, i): [number, number] => [
    384 * (1 + Math.floor(i / 6)),
    384 * (1 + (i % 6)),
  ]),
} as const satisfies Record<string, GridPinpoints>

/**
 * The sizes, in their order.
 * @param tile side of a tile, pixels
 * @throws StudioError `model.bad-config` where one is not made of whole tiles, or of too many
 */
export function sizesOfTiles(path: string, pinpoints: GridPinpoints, tile: number): Size[] {
  const broken = pinpoints.find((sides) => sides.some((side) => side % tile !== 0 || side > mostTilesASide * tile))
  if (!broken) return pinpoints.map(([height, width]) => ({ width, height }))
  const wanted = `up to ${mostTilesASide} tiles of ${tile} pixels a side`
  throw badConfig(path, `Its image_grid_pinpoints hold ${broken.join(' x ')}, which is not ${wanted}.`)
}
