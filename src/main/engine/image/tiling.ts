// Pictures cut into tiles of the tower's size with an overview of the whole after them, as the image processors of Idefics3
// (Laurençon et al. 2024) and SmolVLM in transformers do, resizing by resizing, each to 8 bits. Before it stands
// decodeImage.ts, after it imageProcessor.ts; how many tiles there are also decides the prompt (models/idefics3/).
import { type Filter, type RgbImage, resizeRgb, type Size } from './resample.ts'

export interface Tiling {
  /** Pixels that the longer side becomes first, the shorter in proportion and even; null leaves the picture as it is. */
  readonly longestEdge: number | null
  /** Whether it is cut at all; the overview is there in any case. */
  readonly splits: boolean
  /** Side of a tile, pixels. */
  readonly tile: number
}

/** Tiles without the overview, by rows; none of a picture that is the overview alone. */
export interface TileGrid {
  readonly rows: number
  readonly columns: number
}

/** How a picture of this size is cut. */
export function tileGrid(picture: Size, tiling: Tiling): TileGrid {
  const { width, height } = wholeTiles(picture, tiling)
  const [rows, columns] = [height / tiling.tile, width / tiling.tile]
  return tiling.splits && (rows > 1 || columns > 1) ? { rows, columns } : { rows: 0, columns: 0 }
}

/** Its tiles by rows, then the overview, each square. */
export function cutTiles(picture: RgbImage, tiling: Tiling, filter: Filter): RgbImage[] {
  const { splits, tile } = tiling
  const square: Size = { width: tile, height: tile }
  const whole = resizeRgb(picture, scaledSize(picture, tiling), filter)
  if (!splits) return [resizeRgb(whole, square, filter)]
  const fitted = resizeRgb(whole, wholeTiles(picture, tiling), filter)
  const { rows, columns } = tileGrid(picture, tiling)
  const cut = (index: number) => {
    const [top, left] = [Math.floor(index / columns) * tile, (index % columns) * tile]
    return resizeRgb(fitted, fitted, filter, { left, top, ...square })
  }
  return [...Array.from({ length: rows * columns }, (_, index) => cut(index)), resizeRgb(fitted, square, filter)]
}

/** The size that the picture has first. */
function scaledSize({ width, height }: Size, { longestEdge }: Tiling): Size {
  if (longestEdge === null) return { width, height }
  const ratio = width / height
  if (width >= height) return { width: longestEdge, height: even(Math.trunc(longestEdge / ratio)) }
  return { width: even(Math.trunc(longestEdge * ratio)), height: longestEdge }
}

/** At least 1 pixel, as transformers has it. */
function even(length: number): number {
  return Math.max(1, length + (length % 2))
}

/** The size of so many whole tiles that the picture fits in, in about its proportion. */
function wholeTiles(picture: Size, tiling: Tiling): Size {
  const { width, height } = scaledSize(picture, tiling)
  const ratio = width / height
  const up = (length: number) => Math.ceil(length / tiling.tile) * tiling.tile
  if (width >= height) return { width: up(width), height: up(Math.trunc(up(width) / ratio)) }
  return { width: up(Math.trunc(up(height) * ratio)), height: up(height) }
}
