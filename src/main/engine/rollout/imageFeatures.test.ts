// Features are computed once an image and kept within their limit.
import { afterAll, expect, test } from 'vitest'
import { floats, maxDifference, readFixture } from '../models/testing/parityFixtures.ts'
import { openVlm } from '../models/vlm.ts'
import { ImageFeatures, type SeenImage } from './imageFeatures.ts'

const fixture = await readFixture('clip-llama')
const source = await openVlm(fixture.folder)
const pixels = floats(fixture.get('pixel_values'))
const image = (row: number) => pixels.slice((row * pixels.length) / 2, ((row + 1) * pixels.length) / 2)
const size = { width: 42, height: 42 }
const oneImageBytes = source.architecture.imageLayout(source.config, size).rows * source.config.decoder.hiddenSize * 4
const features = await ImageFeatures.open(source, { device: 'cpu', threads: 1, limitBytes: 2 * oneImageBytes })
afterAll(() => features.release())

test('features are those of transformers, asked for once, and the one used longest ago is forgotten', async () => {
  const asked: string[] = []
  const entry = (key: string, row: number) =>
    [
      key,
      async () => {
        asked.push(key)
        return { values: image(row), size }
      },
    ] as const
  const [a, b, again] = await features.of([entry('a', 0), entry('b', 1), entry('a', 0)], 1)
  expect(asked).toEqual(['a', 'b'])
  expect(again).toBe(a)
  const expected = floats(fixture.get('vision.projected'))
  expect(
    maxDifference(
      [a, b].flatMap((one) => [...(one as SeenImage).features]),
      expected,
    ),
  ).toBeLessThan(1e-4)
  await features.of([entry('b', 1), entry('a', 0), entry('c', 0)], 8)
  expect(asked).toEqual(['a', 'b', 'c'])
  // b was used before a, so it had to go for c.
  await features.of([entry('a', 0), entry('c', 0), entry('b', 1)], 8)
  expect(asked).toEqual(['a', 'b', 'c', 'b'])
})
