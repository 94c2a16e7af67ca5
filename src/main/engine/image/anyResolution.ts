// Pictures of any shape for LLaVA-NeXT and LLaVA-OneVision (Liu et al. 2024; Li et al. 2024): an overview of the tower's size,
// stretched, and after it the tiles by rows of the picture fitted into that size of a list which keeps most of it, the rest
// black. As their image processors in transformers do, to 8 bits. Before it stands decodeImage.ts, after it imageProcessor.ts;
// which size is taken also decides the prompt (models/llava/).
import { type Filter, type RgbImage, resizeRgb, type Size, type Window } from './resample.ts'

export interface AnyResolution {
  /** Sizes that pictures are fitted into, whole numbers of tiles; of two equally good ones the first is taken. */
  readonly sizes: readonly Size[]
  /** Side of a tile, pixels. */
  readonly tile: number
}

/** A tile as far as the picture reaches into it, and where that part lies in it. */
export interface PlacedTile {
  readonly resized: RgbImage
  readonly at: { readonly left: number; readonly top: number }
}

/** The size that keeps most pixels of the picture, and of those that keep as many the one with least beside it. */
export function bestSize({ width, height }: Size, { sizes }: AnyResolution): Size {
  let best = sizes[0] as Size
  let [mostKept, leastWasted] = [0, Number.POSITIVE_INFINITY]
  for (const size of sizes) {
    const scale = Math.min(size.width / width, size.height / height)
    const kept = Math.min(Math.trunc(width * scale) * Math.trunc(height * scale), width * height)
    const wasted = size.width * size.height - kept
    if (kept > mostKept || (kept === mostKept && wasted < leastWasted)) {
      ;[best, mostKept, leastWasted] = [size, kept, wasted]
    }
  }
  return best
}

/** The overview, then the tiles by rows. */
export function fitTiles(picture: RgbImage, anyResolution: AnyResolution, filter: Filter): PlacedTile[] {
  const { tile } = anyResolution
  const square: Size = { width: tile, height: tile }
  const size = bestSize(picture, anyResolution)
  const fitted = resizeRgb(picture, fittedSize(picture, size), filter)
  const [left, top] = [Math.floor((size.width - fitted.width) / 2), Math.floor((size.height - fitted.height) / 2)]
  const columns = size.width / tile
  const tiles = Array.from({ length: (size.width * size.height) / tile ** 2 }, (_, index) =>
    tileAt(fitted, (index % columns) * tile - left, Math.floor(index / columns) * tile - top, tile),
  )
  return [{ resized: resizeRgb(picture, square, filter), at: { left: 0, top: 0 } }, ...tiles]
}

/** In the proportion of the picture, as large as the size allows. */
function fittedSize({ width, height }: Size, size: Size): Size {
  const [across, down] = [size.width / width, size.height / height]
  if (across < down) return { width: size.width, height: Math.min(Math.ceil(height * across), size.height) }
  return { width: Math.min(Math.ceil(width * down), size.width), height: size.height }
}

/** The square whose corner lies at this pixel of the picture, or outside of it. */
function tileAt(picture: RgbImage, x: number, y: number, tile: number): PlacedTile {
  const across = overlap(x, tile, picture.width)
  const down = overlap(y, tile, picture.height)
  const window: Window = { left: across.from, top: down.from, width: across.length, height: down.length }
  const at = { left: across.from - x, top: down.from - y }
  if (across.length === 0 || down.length === 0) {
    return { resized: { width: 0, height: 0, pixels: new Uint8Array() }, at: { left: 0, top: 0 } }
  }
  return { resized: resizeRgb(picture, picture, 'nearest', window), at }
}

/** What of the stretch from `start` on lies within `total`. */
function overlap(start: number, length: number, total: number): { from: number; length: number } {
  const from = Math.max(0, start)
  return { from, length: Math.max(0, Math.min(start + length, total) - from) }
}
