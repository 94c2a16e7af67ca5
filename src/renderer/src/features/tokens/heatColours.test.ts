// Cividis as matplotlib has it, and that its lightness rises evenly.
import { expect, test } from 'vitest'
import { heatColour, heatPixels, type Rgb } from './heatColours.ts'

/** CIELAB L* of an sRGB colour. */
function lightness(colour: Rgb): number {
  const [red, green, blue] = colour.map((byte) => {
    const share = byte / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
  return 116 * Math.cbrt(luminance) - 16
}

test('both ends and what lies outside', () => {
  expect(heatColour(0)).toEqual([0, 34, 78])
  expect(heatColour(1)).toEqual([254, 232, 56])
  expect(heatColour(-3)).toEqual(heatColour(0))
  expect(heatColour(7)).toEqual(heatColour(1))
})

test('half way between two points is their mean', () => {
  // Points 4 and 5: 0x70 and 0x8a, 0x71 and 0x86, 0x73 and 0x78.
  expect(heatColour(0.5)).toEqual([125, 124, 118])
})

test('lightness rises by equal steps', () => {
  const steps = Array.from(
    { length: 10 },
    (_, i) => lightness(heatColour((i + 1) / 10)) - lightness(heatColour(i / 10)),
  )
  const mean = (lightness(heatColour(1)) - lightness(heatColour(0))) / 10
  for (const step of steps) expect(Math.abs(step - mean)).toBeLessThan(0.2 * mean)
})

test('a map is drawn between its ends, opaque; one without a range in the middle', () => {
  expect([...heatPixels([0, 2], 0, 2)]).toEqual([0, 34, 78, 255, 254, 232, 56, 255])
  expect([...heatPixels([3], 3, 3)]).toEqual([125, 124, 118, 255])
})
