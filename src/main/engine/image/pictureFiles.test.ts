// Pictures as people have them: turned, with stray bytes, with profiles, of 10 bits, BMP. The levels are Pillow's.
import { expect, test } from 'vitest'
import { pictureFiles } from '../../files/testing/pictureFiles.ts'
import { decodeImage } from './decodeImage.ts'

/** Two decoders of AV1 may round the last bit of a colour differently; of 4:2:0 they also widen it differently. */
const levelsApart = (name: string): number => (name === 'ten-bit.avif' ? 3 : name.endsWith('.avif') ? 1 : 0)

test.each(pictureFiles.map((file) => [file.name, file] as const))('%s gives the levels of Pillow', async (_, file) => {
  const { width, height, pixels } = await decodeImage(file.path)
  expect({ width, height }).toEqual({ width: file.width, height: file.height })
  expect(pixels.length).toBe(file.rgb.length)
  const apart = file.rgb.map((level, i) => Math.abs(level - (pixels[i] as number)))
  expect(Math.max(...apart)).toBeLessThanOrEqual(levelsApart(file.name))
})

test('there is one of each orientation in each format that says one', () => {
  const turned = pictureFiles.filter(({ name }) => name.startsWith('turned-')).map(({ name }) => name)
  const wanted = ['png', 'webp', 'avif', 'tiff'].flatMap((kind) =>
    [1, 2, 3, 4, 5, 6, 7, 8].map((orientation) => `turned-${orientation}.${kind}`),
  )
  expect(turned.sort()).toEqual(wanted.sort())
})
