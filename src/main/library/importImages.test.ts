// Imports of real folders into real workspace files: what comes in, what is left out and why, and going on.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Transformer } from '@napi-rs/image'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { allImages } from '../../shared/domain.ts'
import type { ImportCounts } from '../../shared/workerProtocol.ts'
import type { WritableDb } from '../db/connection.ts'
import { countImages, imageWindow, thumbnailOf } from '../db/images.ts'
import { createImport, importIssues, listImports } from '../db/imports.ts'
import { closeWorkspace, createWorkspace, openWorkspace } from '../db/open.ts'
import { runImport } from './importImages.ts'
import { readImage } from './readImage.ts'
import { addBadPictures, makePictures } from './testing/pictures.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-import-'))
const pictures = join(folder, 'pictures')
let db: WritableDb
let number = 0

beforeAll(async () => {
  await makePictures(pictures, 120)
  await addBadPictures(pictures)
})
beforeEach(() => {
  const path = join(folder, `${number++}.fisao`)
  createWorkspace(path)
  db = openWorkspace(path)
  return () => closeWorkspace(db)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function importAll(signal = new AbortController().signal, report: (counts: ImportCounts) => void = () => {}) {
  const importId = createImport(db, pictures, 1)
  return { importId, ...(await runImport(db, importId, { signal, report })) }
}

describe('an import', () => {
  test('brings in every good image and lists five bad ones with plain reasons', async () => {
    const { importId, state, counts } = await importAll()
    expect(state).toBe('complete')
    expect(counts).toEqual({ seen: 126, added: 121, known: 0, skipped: 5, found: 126, walking: false })
    const reasons = importIssues(db, importId, 0, 10).issues.map(({ path, message }) => [
      path.slice(pictures.length + 1),
      message,
    ])
    expect(reasons).toEqual([
      ['bad empty.png', 'The file is empty (0 bytes).'],
      [
        'bad huge.png',
        'It is too large: 30000 × 30000 pixels take 2700 MB in memory; the limit is 537 MB, 178 million pixels in usual colour.',
      ],
      ['bad text.png', 'It is not an image of a supported kind, whatever its name says.'],
      ['bad truncated.jpg', 'It is damaged or cut short: its picture cannot be decoded to the end.'],
      ['bad twin 2.jpg', 'It is the same image as bad twin 1.jpg, byte for byte.'],
    ])
  })

  test('of the same folder a second time adds nothing', async () => {
    await importAll()
    const { counts } = await importAll()
    expect(counts).toMatchObject({ added: 0, known: 121, skipped: 5 })
    expect(countImages(db, allImages)).toBe(121)
  })

  test('that is cancelled keeps what it had, and goes on to the same end', async () => {
    const abort = new AbortController()
    const first = await importAll(abort.signal, ({ seen }) => {
      if (seen >= 32) abort.abort()
    })
    expect(first.state).toBe('cancelled')
    expect(first.counts.seen).toBeLessThan(126)
    expect(countImages(db, allImages)).toBe(first.counts.added)
    const rest = await runImport(db, first.importId, { signal: new AbortController().signal, report: () => {} })
    expect(rest.state).toBe('complete')
    expect(listImports(db)).toEqual([expect.objectContaining({ state: 'complete', added: 121, skipped: 5 })])
  })

  test('of a folder that is gone says so and can resume', async () => {
    const importId = createImport(db, join(folder, 'unplugged'), 1)
    const run = runImport(db, importId, { signal: new AbortController().signal, report: () => {} })
    await expect(run).rejects.toMatchObject({ code: 'image.folder-missing' })
  })

  test('of a single file brings in just that', async () => {
    const importId = createImport(db, join(pictures, 'bad twin 1.jpg'), 1)
    const { counts } = await runImport(db, importId, { signal: new AbortController().signal, report: () => {} })
    expect(counts).toMatchObject({ added: 1, found: 1 })
  })

  test('stores size, format and a small WebP thumbnail', async () => {
    await importAll()
    const [image] = imageWindow(db, { ...allImages, search: 'bad twin 1' }, 0, 1)
    expect(image).toMatchObject({ width: 256, height: 256, format: 'jpeg', name: 'bad twin 1.jpg' })
    const thumbnail = await new Transformer(thumbnailOf(db, image?.imageId ?? 0) as Buffer).metadata()
    expect(thumbnail).toMatchObject({ format: 'webp', width: 192, height: 192 })
  })
})

describe('what is no file', () => {
  const strange = join(folder, 'strange')
  const pipe = join(strange, 'pipe.jpg')

  beforeAll(() => {
    mkdirSync(strange)
    execFileSync('mkfifo', [pipe])
    symlinkSync('/dev/zero', join(strange, 'endless.png'))
    copyFileSync(join(pictures, 'bad twin 1.jpg'), join(strange, 'good.jpg'))
  })

  test('does not hold up the import of a folder that it is in', async () => {
    const importId = createImport(db, strange, 1)
    const { state, counts } = await runImport(db, importId, { signal: new AbortController().signal, report: () => {} })
    expect(state).toBe('complete')
    expect(counts).toMatchObject({ added: 1, found: 1 })
  })

  test.each([pipe, join(strange, 'endless.png')])(
    '%s is refused with a sentence, as a folder and as a picture',
    async (path) => {
      const run = runImport(db, createImport(db, path, 1), { signal: new AbortController().signal, report: () => {} })
      await expect(run).rejects.toMatchObject({ code: 'image.not-a-folder' })
      await expect(readImage(path)).rejects.toMatchObject({
        code: 'unreadable',
        message: expect.stringContaining('pipe'),
      })
    },
  )

  test('a known picture that is gone after it was found is left out with a reason', async () => {
    await importAll()
    const path = join(pictures, 'set 0', 'picture 00001.jpg')
    const { importId, state } = await importAll(new AbortController().signal, ({ walking, seen }) => {
      if (!walking && seen === 0) rmSync(path, { force: true })
    })
    expect(state).toBe('complete')
    expect(importIssues(db, importId, 0, 10).issues).toContainEqual(
      expect.objectContaining({ code: 'unreadable', path }),
    )
  })
})

describe('formats', () => {
  const formats = join(import.meta.dirname, 'testing', 'formats')
  const means: Record<string, number[]> = JSON.parse(readFileSync(join(formats, 'means.json'), 'utf8'))

  test.each([
    ['plain.png', 'png', 64, 64],
    ['sixteen-bit.png', 'png', 64, 64],
    ['grey.jpg', 'jpeg', 64, 64],
    ['cmyk.jpg', 'jpeg', 64, 64],
    ['progressive.jpg', 'jpeg', 64, 64],
    ['plain.webp', 'webp', 64, 64],
    ['plain.avif', 'avif', 64, 64],
    ['lzw.tiff', 'tiff', 64, 64],
    ['turned.jpg', 'jpeg', 40, 60],
  ] as const)('%s is read as libvips wrote it', async (name, format, width, height) => {
    const image = await readImage(join(formats, name))
    expect(image).toMatchObject({ format, width, height })
    const thumbnail = new Transformer(image.thumbnail)
    const size = await thumbnail.metadata()
    expect(size.width / size.height).toBeCloseTo(width / height, 1)
    // Colours come through within what two JPEG and two CMYK conversions differ by.
    const tolerance = name === 'cmyk.jpg' ? 20 : 4
    meanColour(await thumbnail.rawPixels(), size.width * size.height).forEach((mean, channel) => {
      expect(Math.abs(mean - (means[name]?.[channel] ?? Number.NaN)), name).toBeLessThan(tolerance)
    })
  })

  function meanColour(pixels: Buffer, count: number): number[] {
    const channels = pixels.length / count
    return [0, 1, 2].map((channel) => {
      let sum = 0
      for (let i = channel; i < pixels.length; i += channels) sum += pixels[i] as number
      return sum / count
    })
  }

  test.each(['plain.png', 'plain.webp', 'plain.avif', 'lzw.tiff'])('%s cut short is refused', async (name) => {
    const whole = readFileSync(join(formats, name))
    const path = join(folder, `cut ${name}`)
    writeFileSync(path, whole.subarray(0, whole.length / 2))
    await expect(readImage(path)).rejects.toMatchObject({ code: 'damaged' })
  })

  test('a JPEG that is cut short is refused, though the picture within its EXIF data is whole', async () => {
    const whole = readFileSync(join(pictures, 'set 0', 'picture 00000.jpg'))
    const inside = Buffer.concat([Buffer.from('Exif\0\0'), whole.subarray(0, 4000), Buffer.of(0xff, 0xd9)])
    const segment = Buffer.concat([Buffer.of(0xff, 0xe1, (inside.length + 2) >> 8, (inside.length + 2) & 255), inside])
    const path = join(folder, 'exif.jpg')
    const picture = Buffer.concat([whole.subarray(0, 2), segment, whole.subarray(2)])
    writeFileSync(path, picture)
    expect((await readImage(path)).format).toBe('jpeg')
    writeFileSync(path, picture.subarray(0, picture.length - 500))
    await expect(readImage(path)).rejects.toMatchObject({ code: 'damaged' })
  })
})
