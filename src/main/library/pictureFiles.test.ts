// Pictures as people have them, at import: size and thumbnail lie as Pillow lays the picture.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { Transformer } from '@napi-rs/image'
import { afterAll, expect, test } from 'vitest'
import { pictureFiles } from '../files/testing/pictureFiles.ts'
import { readImage } from './readImage.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-picture-files-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A thumbnail is shrunk and lossy; the corners of another orientation are 100 levels off. */
const levelsApart = 30

test.each(pictureFiles.map((file) => [file.name, file] as const))('%s', async (_, file) => {
  const image = await readImage(file.path)
  expect(image).toMatchObject({ width: file.width, height: file.height })
  const thumbnail = new Transformer(image.thumbnail)
  const { width, height } = await thumbnail.metadata()
  expect(width / height).toBeCloseTo(file.width / file.height, 2)
  const pixels = await thumbnail.rawPixels()
  const channels = pixels.length / (width * height)
  for (const [x, y] of [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ] as const) {
    const shown = channels * (y * (height - 1) * width + x * (width - 1))
    const right = 3 * (y * (file.height - 1) * file.width + x * (file.width - 1))
    for (let channel = 0; channel < 3; channel++) {
      const apart = (pixels[shown + channel] as number) - (file.rgb[right + channel] as number)
      expect(Math.abs(apart), `${x} ${y}`).toBeLessThan(levelsApart)
    }
  }
})

test.each(pictureFiles.filter(({ name }) => extname(name) === '.bmp').map((file) => [file.name, file] as const))(
  '%s cut short is refused',
  async (name, { path }) => {
    const bytes = readFileSync(path)
    const cut = join(folder, name)
    writeFileSync(cut, bytes.subarray(0, bytes.length - 8))
    await expect(readImage(cut)).rejects.toMatchObject({ code: 'damaged' })
  },
)

test('a JPEG with stray bytes that is cut short is still refused', async () => {
  const bytes = readFileSync(pictureFiles.find(({ name }) => name === 'stray-before-tables.jpg')!.path)
  const cut = join(folder, 'stray.jpg')
  writeFileSync(cut, bytes.subarray(0, bytes.length - 2))
  await expect(readImage(cut)).rejects.toMatchObject({ code: 'damaged' })
})
