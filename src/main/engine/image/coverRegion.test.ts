// A covered part of a picture: grey inside, the picture's own pixels outside, to the pixel.
import { expect, test } from 'vitest'
import { coverRegion } from './coverRegion.ts'

/** 4 wide, 2 high, each value its own. */
const picture = { width: 4, height: 2, pixels: Uint8Array.from({ length: 24 }, (_, i) => i) }

test('covers the pixels that it touches and no other', () => {
  const original = Uint8Array.from(picture.pixels)
  const { width, height, pixels } = coverRegion(picture, { x: 0.25, y: 0.5, width: 0.5, height: 0.5 })
  expect([width, height]).toEqual([4, 2])
  const grey = [128, 128, 128]
  expect([...pixels.subarray(0, 12)]).toEqual([...original.subarray(0, 12)])
  expect([...pixels.subarray(12)]).toEqual([12, 13, 14, ...grey, ...grey, 21, 22, 23])
  expect(picture.pixels).toEqual(original)
})

test.each([
  [{ x: 0.3, y: 0, width: 0.1, height: 0.1 }, [1]],
  // A third and two thirds of 4 pixels end within the second and the third.
  [{ x: 1 / 3, y: 0, width: 1 / 3, height: 0.5 }, [1, 2]],
  // 0.7 + 0.3 is not 1 in binary, and neither is 0.1 + 0.2 three tenths: nothing beyond the border is touched.
  [{ x: 0.7, y: 0, width: 0.3, height: 0.5 }, [2, 3]],
  [{ x: 0.25 + 1e-12, y: 0, width: 0.25, height: 0.5 }, [1]],
  [{ x: 0, y: 0, width: 1, height: 1 }, [0, 1, 2, 3, 4, 5, 6, 7]],
])('%j covers the pixels %j', (region, covered) => {
  const { pixels } = coverRegion({ ...picture, pixels: new Uint8Array(24) }, region)
  expect([...pixels.keys()].filter((i) => pixels[i] === 128)).toEqual(
    covered.flatMap((at) => [3 * at, 3 * at + 1, 3 * at + 2]),
  )
})
