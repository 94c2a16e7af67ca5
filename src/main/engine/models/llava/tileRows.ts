// The rows of a prompt for an image that was fitted into tiles (Liu et al. 2024; Li et al. 2024): those of the overview, then
// the patches of all tiles as the one picture that they are, without those that show nothing but the black beside it, line by
// line with a learned row at each end. LLaVA-OneVision shrinks too many of them first. Before it stands the projector, after
// it the prompt graph.
import { type AnyResolution, bestSize } from '../../image/anyResolution.ts'
import type { Size } from '../../image/resample.ts'

export interface TileRows {
  readonly anyResolution: AnyResolution
  /** Patches of a tile's side. */
  readonly patches: number
  /** Tiles whose patches are kept at most, by about a tenth; null for all. */
  readonly mostTiles: number | null
}

interface Grid {
  readonly rows: number
  readonly columns: number
}

interface Layout {
  /** Of the tiles without the overview. */
  readonly tiles: Grid
  /** The patches that show some of the picture. */
  readonly kept: Grid & { readonly top: number; readonly left: number }
  /** What they are shrunk to. */
  readonly shown: Grid
}

/** Tiles with the overview, and rows of the prompt, of a picture of this size. */
export function countRows(size: Size, tileRows: TileRows): { tiles: number; rows: number } {
  const { tiles, shown } = layoutOf(size, tileRows)
  return {
    tiles: 1 + tiles.rows * tiles.columns,
    rows: tileRows.patches ** 2 + shown.rows * (shown.columns + 1),
  }
}

/**
 * @param features of the overview and each tile, [tiles, patches * patches, width]
 * @param lineEnd [width]
 * @returns [rows, width], as many rows as {@link countRows} says
 */
export function arrangeRows(
  size: Size,
  tileRows: TileRows,
  features: Float32Array,
  lineEnd: Float32Array,
): Float32Array {
  const width = lineEnd.length
  const overview = tileRows.patches ** 2 * width
  const { kept, shown, tiles } = layoutOf(size, tileRows)
  const picture = cutPicture(features.subarray(overview), tiles, kept, tileRows.patches, width)
  const small = shown === kept ? picture : shrink(picture, kept, shown, width)
  const line = shown.columns * width
  const rows = new Float32Array(overview + shown.rows * (line + width))
  rows.set(features.subarray(0, overview))
  for (let row = 0, at = overview; row < shown.rows; row++, at += line + width) {
    rows.set(small.subarray(row * line, (row + 1) * line), at)
    rows.set(lineEnd, at + line)
  }
  return rows
}

function layoutOf(size: Size, { anyResolution, patches, mostTiles }: TileRows): Layout {
  const { tile } = anyResolution
  const best = bestSize(size, anyResolution)
  const tiles: Grid = { rows: best.height / tile, columns: best.width / tile }
  const kept = keptPatches(size, { rows: tiles.rows * patches, columns: tiles.columns * patches })
  return { tiles, kept, shown: mostTiles === null ? kept : shrunkGrid(kept, mostTiles * patches ** 2) }
}

/** Of all patches those in the picture's own proportion, in the middle. */
function keptPatches({ width, height }: Size, { rows, columns }: Grid): Layout['kept'] {
  if (width / height > columns / rows) {
    const top = Math.floor((rows - wholeOf(height * (columns / width))) / 2)
    return { top, left: 0, rows: rows - 2 * top, columns }
  }
  const left = Math.floor((columns - wholeOf(width * (rows / height))) / 2)
  return { top: 0, left, rows, columns: columns - 2 * left }
}

/** Python's `int(round(length, 7))`: a length that a rounding put below a whole number is that number. */
function wholeOf(length: number): number {
  return Math.trunc(Number(length.toFixed(7)))
}

function shrunkGrid(kept: Layout['kept'], most: number): Grid {
  const ratio = Math.sqrt((kept.rows * kept.columns) / most)
  if (ratio <= 1.1) return kept
  return { rows: floorDivision(kept.rows, ratio), columns: floorDivision(kept.columns, ratio) }
}

/** Python's `//` of numbers above 0, which is exact where the quotient alone would be rounded up to a whole number. */
function floorDivision(a: number, b: number): number {
  return Math.round((a - (a % b)) / b)
}

/** The kept patches of all tiles by rows of the whole picture, [rows, columns, width]. */
function cutPicture(
  features: Float32Array,
  tiles: Grid,
  { top, left, rows, columns }: Layout['kept'],
  patches: number,
  width: number,
): Float32Array {
  const picture = new Float32Array(rows * columns * width)
  for (let y = 0, to = 0; y < rows; y++) {
    const [tileRow, row] = divided(top + y, patches)
    for (let x = 0; x < columns; x++, to += width) {
      const [tileColumn, column] = divided(left + x, patches)
      const patch = ((tileRow * tiles.columns + tileColumn) * patches + row) * patches + column
      picture.set(features.subarray(patch * width, (patch + 1) * width), to)
    }
  }
  return picture
}

function divided(a: number, b: number): [quotient: number, remainder: number] {
  return [Math.floor(a / b), a % b]
}

/** Bilinear, between the middles of patches, as torch's `interpolate` has it by default. */
function shrink(picture: Float32Array, from: Grid, to: Grid, width: number): Float32Array {
  const small = new Float32Array(to.rows * to.columns * width)
  const [down, across] = [between(from.rows, to.rows), between(from.columns, to.columns)]
  const at = (row: number, column: number) => (row * from.columns + column) * width
  let out = 0
  for (const [top, bottom, lower] of down) {
    for (const [left, right, later] of across) {
      const corners = [at(top, left), at(top, right), at(bottom, left), at(bottom, right)] as const
      const shares = [(1 - lower) * (1 - later), (1 - lower) * later, lower * (1 - later), lower * later] as const
      for (let i = 0; i < width; i++, out++) {
        let sum = 0
        for (let k = 0; k < 4; k++) sum += (shares[k] as number) * (picture[(corners[k] as number) + i] as number)
        small[out] = sum
      }
    }
  }
  return small
}

/** For each place of the smaller line the two of the larger that it lies between, and the share of the second. */
function between(from: number, to: number): [first: number, second: number, share: number][] {
  return Array.from({ length: to }, (_, i) => {
    const middle = Math.max(0, (i + 0.5) * (from / to) - 0.5)
    const first = Math.floor(middle)
    return [first, Math.min(first + 1, from - 1), middle - first]
  })
}
