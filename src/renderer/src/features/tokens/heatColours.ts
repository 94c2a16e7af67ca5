// The colours of evidence maps: cividis (Nunez, Anderton, Renslow 2018), whose lightness rises evenly for every colour
// vision, through ten of its points.

const points = [
  [0x00, 0x22, 0x4e],
  [0x12, 0x35, 0x70],
  [0x3b, 0x49, 0x6c],
  [0x57, 0x5d, 0x6d],
  [0x70, 0x71, 0x73],
  [0x8a, 0x86, 0x78],
  [0xa5, 0x9c, 0x74],
  [0xc3, 0xb3, 0x69],
  [0xe1, 0xcc, 0x55],
  [0xfe, 0xe8, 0x38],
] as const

export type Rgb = readonly [red: number, green: number, blue: number]

/** The colour of a share in [0, 1]; what lies outside has that of the end. sRGB bytes. */
export function heatColour(share: number): Rgb {
  const place = Math.min(1, Math.max(0, share)) * (points.length - 1)
  const first = Math.min(points.length - 2, Math.floor(place))
  const [from, to] = [points[first] as Rgb, points[first + 1] as Rgb]
  const mix = (channel: 0 | 1 | 2): number =>
    Math.round(from[channel] + (to[channel] - from[channel]) * (place - first))
  return [mix(0), mix(1), mix(2)]
}

/** A CSS gradient over all of them. */
export const heatGradient = `linear-gradient(to right, ${points.map((point) => `rgb(${point.join(' ')})`).join(', ')})`

/** `[side * side * 4]` RGBA bytes of a map; a range without width is all in the middle. */
export function heatPixels(values: ArrayLike<number>, low: number, high: number): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(values.length * 4)
  for (let i = 0; i < values.length; i++) {
    pixels.set(heatColour(high > low ? ((values[i] as number) - low) / (high - low) : 0.5), i * 4)
    pixels[i * 4 + 3] = 255
  }
  return pixels
}
