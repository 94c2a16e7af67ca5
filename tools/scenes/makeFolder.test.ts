import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeBadImages, makeImageFolder } from './makeFolder.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fisao-folder-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('makeImageFolder', () => {
  it('writes distinct pictures of three formats that decode, the same for the same seed', async () => {
    const paths = await makeImageFolder(join(folder, 'a'), 40, 1)
    const again = await makeImageFolder(join(folder, 'b'), 40, 1)
    const hashes = new Set<string>()
    for (const [place, path] of paths.entries()) {
      const bytes = readFileSync(path)
      expect(readFileSync(again[place]!)).toEqual(bytes)
      const { info, data } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
      expect([info.width, info.height, info.channels]).toEqual([128, 128, 3])
      hashes.add(createHash('sha256').update(data).digest('hex'))
    }
    expect(hashes.size).toBe(40)
    expect([...new Set(paths.map((path) => extname(path)))].sort()).toEqual(['.jpg', '.png', '.webp'])
  })
})

describe('makeBadImages', () => {
  it('writes files that are bad as they are said to be', async () => {
    const [original] = await makeImageFolder(join(folder, 'c'), 1, 2)
    const bad = await makeBadImages(join(folder, 'c'), original!)
    await expect(sharp(bad.truncated, { failOn: 'truncated' }).raw().toBuffer()).rejects.toThrow(/premature end/i)
    expect(readFileSync(bad.empty).length).toBe(0)
    await expect(sharp(bad.text).metadata()).rejects.toThrow(/unsupported image format/)
    const { width, height, format } = await sharp(bad.huge, { limitInputPixels: false }).metadata()
    expect([width, height, format]).toEqual([30_000, 30_000, 'png'])
    expect(readFileSync(bad.huge).length).toBeLessThan(100)
    expect(readFileSync(bad.duplicate)).toEqual(readFileSync(original!))
  })
})
