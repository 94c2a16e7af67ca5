// Resizing of RGB pictures to the same bytes that Pillow gives, for the image processors of Hugging Face resize with
// Pillow. Before it stands decodeImage.ts, after it imageProcessor.ts.

/** A picture in 8 bits a channel. */
export interface RgbImage {
  readonly width: number
  readonly height: number
  /** [height, width, 3], row-major */
  readonly pixels: Uint8Array
}

/** By the numbers that `resample` has in preprocessor_config.json (PIL.Image.Resampling). */
export const filters = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const
export type Filter = (typeof filters)[number]

const { abs, ceil, cos, floor, fround, PI, sin, trunc } = Math

interface Kernel {
  /** Half its width, in pixels of the larger picture. */
  readonly support: number
  readonly weight: (x: number) => number
}

const kernels: Readonly<Record<Exclude<Filter, 'nearest'>, Kernel>> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - abs(x)) },
  // sinc(x) (0.54 + 0.46 cos πx); Pillow has the two constants in float32.
  hamming: {
    support: 1,
    weight: (x) => (abs(x) < 1 ? sinc(abs(x)) * (fround(0.54) + fround(0.46) * cos(abs(x) * PI)) : 0),
  },
  bicubic: { support: 2, weight: cubic },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
}

/** Cubic convolution (Keys 1981, equation 15 with a = -1/2). */
function cubic(signed: number): number {
  const a = -0.5
  const x = abs(signed)
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
}

function sinc(x: number): number {
  return x === 0 ? 1 : sin(x * PI) / (x * PI)
}

/** Pillow's fixed point: 32 bits less 8 of the result and 2 for what weights below 0 and sums above 1 need. */
const precisionBits = 22
const half = 1 << (precisionBits - 1)

/** For each pixel of a stretch of the target: where its source pixels begin, how many there are, and their weights. */
interface Coefficients {
  readonly first: Int32Array
  readonly count: Int32Array
  /** [target pixels, taps], in fixed point */
  readonly weights: Int32Array
  readonly taps: number
}

/** A part of one axis of the target. */
interface Span {
  readonly start: number
  readonly length: number
}

function coefficients(from: number, to: number, span: Span, { support, weight }: Kernel): Coefficients {
  const scale = from / to
  // When shrinking, the kernel widens with the scale, so that every source pixel counts.
  const stretch = Math.max(scale, 1)
  const reach = support * stretch
  const taps = ceil(reach) * 2 + 1
  const [first, count] = [new Int32Array(span.length), new Int32Array(span.length)]
  const weights = new Int32Array(span.length * taps)
  const line = new Float64Array(taps)
  for (let i = 0; i < span.length; i++) {
    const centre = (span.start + i + 0.5) * scale
    const start = Math.max(0, trunc(centre - reach + 0.5))
    const length = Math.min(from, trunc(centre + reach + 0.5)) - start
    let sum = 0
    for (let tap = 0; tap < length; tap++) {
      line[tap] = weight((tap + start - centre + 0.5) * (1 / stretch))
      sum += line[tap] as number
    }
    for (let tap = 0; tap < length; tap++) {
      const share = sum === 0 ? 0 : (line[tap] as number) / sum
      weights[i * taps + tap] = trunc(share * 2 ** precisionBits + (share < 0 ? -0.5 : 0.5))
    }
    first[i] = start
    count[i] = length
  }
  return { first, count, weights, taps }
}

/**
 * A window of the picture in another size, byte for byte as `PIL.Image.resize` of Pillow 13 makes it: along one axis,
 * then along the other, each result rounded to 8 bits. Pillow before 13 always began with the rows, which gives up to
 * 3 levels of difference where this begins with the columns.
 * @param window the part of the target that is wanted, all of it when left out
 */
export function resizeRgb(image: RgbImage, target: Size, filter: Filter, window: Window = whole(target)): RgbImage {
  const x: Span = { start: window.left, length: window.width }
  const y: Span = { start: window.top, length: window.height }
  if (filter === 'nearest' || (image.width === target.width && image.height === target.height)) {
    return pick(image, nearestOf(image.width, target.width, x), nearestOf(image.height, target.height, y))
  }
  // An axis that keeps its length is copied, which the box does.
  const kernelFor = (from: number, to: number) => (from === to ? kernels.box : kernels[filter])
  const across = coefficients(image.width, target.width, x, kernelFor(image.width, target.width))
  const down = coefficients(image.height, target.height, y, kernelFor(image.height, target.height))
  if (columnsFirst(image, target)) {
    const columns = sourceSpan(across)
    return resizeRows(resizeColumns(image, columns, 0, down), { start: 0, length: y.length }, columns.start, across)
  }
  const rows = sourceSpan(down)
  return resizeColumns(resizeRows(image, rows, 0, across), { start: 0, length: x.length }, rows.start, down)
}

/** Pillow 13 begins with the columns when they lose more than twice as many pixels as the rows do. */
function columnsFirst(from: Size, to: Size): boolean {
  return from.height > to.height && from.height - to.height > 2 * (from.width - to.width)
}

/** The source pixels that any of the weights falls on. */
function sourceSpan({ first, count }: Coefficients): Span {
  const start = first[0] as number
  return { start, length: (first.at(-1) as number) + (count.at(-1) as number) - start }
}

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Window extends Size {
  readonly left: number
  readonly top: number
}

function whole({ width, height }: Size): Window {
  return { left: 0, top: 0, width, height }
}

/** The rows `rows` in another width. @param origin the source column that is the picture's first */
function resizeRows(
  { width: from, pixels }: RgbImage,
  rows: Span,
  origin: number,
  { first, count, weights, taps }: Coefficients,
): RgbImage {
  const width = first.length
  const resized = new Uint8ClampedArray(rows.length * width * 3)
  for (let row = 0, out = 0; row < rows.length; row++) {
    const line = (rows.start + row) * from - origin
    for (let x = 0; x < width; x++, out += 3) {
      let at = (line + (first[x] as number)) * 3
      let red = half
      let green = half
      let blue = half
      const end = x * taps + (count[x] as number)
      for (let tap = x * taps; tap < end; tap++, at += 3) {
        const weight = weights[tap] as number
        red = (red + Math.imul(pixels[at] as number, weight)) | 0
        green = (green + Math.imul(pixels[at + 1] as number, weight)) | 0
        blue = (blue + Math.imul(pixels[at + 2] as number, weight)) | 0
      }
      resized[out] = red >> precisionBits
      resized[out + 1] = green >> precisionBits
      resized[out + 2] = blue >> precisionBits
    }
  }
  return { width, height: rows.length, pixels: new Uint8Array(resized.buffer) }
}

/** The columns `columns` in another height. @param origin the source row that is the picture's first */
function resizeColumns(
  { width: from, pixels }: RgbImage,
  columns: Span,
  origin: number,
  { first, count, weights, taps }: Coefficients,
): RgbImage {
  const height = first.length
  const stride = columns.length * 3
  const resized = new Uint8ClampedArray(height * stride)
  const sums = new Int32Array(stride)
  for (let y = 0; y < height; y++) {
    sums.fill(half)
    for (let tap = 0; tap < (count[y] as number); tap++) {
      const weight = weights[y * taps + tap] as number
      const start = (((first[y] as number) - origin + tap) * from + columns.start) * 3
      for (let i = 0; i < stride; i++) sums[i] = (sums[i] as number) + Math.imul(pixels[start + i] as number, weight)
    }
    for (let i = 0, out = y * stride; i < stride; i++, out++) resized[out] = (sums[i] as number) >> precisionBits
  }
  return { width: columns.length, height, pixels: new Uint8Array(resized.buffer) }
}

function pick({ width: from, pixels }: RgbImage, columns: Int32Array, lines: Int32Array): RgbImage {
  const picked = new Uint8Array(lines.length * columns.length * 3)
  let out = 0
  for (const line of lines) {
    for (const column of columns) {
      const at = (line * from + column) * 3
      picked[out++] = pixels[at] as number
      picked[out++] = pixels[at + 1] as number
      picked[out++] = pixels[at + 2] as number
    }
  }
  return { width: columns.length, height: lines.length, pixels: picked }
}

/** The source pixel under the middle of each target pixel. */
function nearestOf(from: number, to: number, { start, length }: Span): Int32Array {
  const scale = from / to
  const pixels = new Int32Array(length)
  // Added up step by step as Pillow does: a product rounds otherwise where a middle falls on an edge.
  let middle = scale * 0.5
  for (let i = 0; i < start + length; i++) {
    if (i >= start) pixels[i - start] = Math.min(from - 1, floor(middle))
    middle += scale
  }
  return pixels
}
