// Pictures as people have them: sizes, thumbnails and what pages are sent lie as Pillow lays the picture.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { Transformer } from '@napi-rs/image'
import { afterAll, expect, test } from 'vitest'
import { type PictureFile, pictureFiles } from '../files/testing/pictureFiles.ts'
import { pagePicture, readImage } from './readImage.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-picture-files-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Thumbnails and JPEGs lose something; the corners of another orientation are 100 levels off. */
const levelsApart = 30

async function expectLies(encoded: Uint8Array, file: PictureFile): Promise<void> {
  const picture = new Transformer(encoded)
  const { width, height } = await picture.metadata()
  expect(width / height).toBeCloseTo(file.width / file.height, 2)
  const pixels = await picture.rawPixels()
  const channels = pixels.length / (width * height)
  for (const [x, y] of corners) {
    const shown = channels * (y * (height - 1) * width + x * (width - 1))
    const right = 3 * (y * (file.height - 1) * file.width + x * (file.width - 1))
    for (let channel = 0; channel < 3; channel++) {
      const level = pixels[shown + (channels < 3 ? 0 : channel)] as number
      expect(Math.abs(level - (file.rgb[right + channel] as number)), `${x} ${y}`).toBeLessThan(levelsApart)
    }
  }
}

const corners = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
] as const

test.each(pictureFiles.map((file) => [file.name, file] as const))('%s as size and thumbnail', async (_, file) => {
  const image = await readImage(file.path)
  expect(image).toMatchObject({ width: file.width, height: file.height })
  await expectLies(image.thumbnail, file)
})

// What Chromium 130 does with each of these files was measured: those that it lays otherwise than Pillow, or does not show,
// are sent to a page as JPEG. A turned PNG is too, though Chromium turns it when its chunk stands before the data.
const isSent = ({ name }: PictureFile): boolean =>
  /\.tiff$|turned-[2-8]\.(png|webp)|(late|raw-profile|xmp|intel)\.png|(headed|xmp)\.webp|xmp\.jpg/.test(name)

test.each(pictureFiles.map((file) => [file.name, file] as const))('%s for a page', async (_, file) => {
  const jpeg = await pagePicture(file.path)
  expect(jpeg !== null).toBe(isSent(file))
  if (jpeg) await expectLies(jpeg, file)
})

test('a picture for a page is no larger than 4096 pixels a side', async () => {
  const [width, height] = [5000, 10]
  const path = join(folder, 'long.tiff')
  writeFileSync(
    path,
    await Transformer.fromRgbaPixels(new Uint8Array(4 * width * height).fill(99), width, height).tiff(),
  )
  expect(await new Transformer((await pagePicture(path)) as Uint8Array).metadata()).toMatchObject({
    ...{ width: 4096, height: 8 },
  })
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
