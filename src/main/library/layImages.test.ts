// A workspace whose images an earlier version stored as their files lie: those that are turned are laid anew, once.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import type { WritableDb } from '../db/connection.ts'
import { embeddingOf, storeEmbeddings } from '../db/embeddings.ts'
import { areImagesLaid, layImagesAnew } from '../db/imageLayout.ts'
import { imageAtPath, imageById, thumbnailOf } from '../db/images.ts'
import { createImport } from '../db/imports.ts'
import { checkWorkspace, closeWorkspace, createWorkspace, openWorkspace } from '../db/open.ts'
import { pictureFolder } from '../files/testing/pictureFiles.ts'
import { runImport } from './importImages.ts'
import { layImages } from './layImages.ts'
import { readImage } from './readImage.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-lay-'))
const pictures = join(folder, 'pictures')
const names = ['turned-6.png', 'turned-8.webp', 'turned-5.avif', 'turned-1.png', 'stray-before-tables.jpg']
mkdirSync(pictures)
for (const name of names) copyFileSync(join(pictureFolder, name), join(pictures, name))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const { signal } = new AbortController()
const asBefore = { width: 48, height: 32, thumbnail: Buffer.from('a thumbnail of before') }
const encoderSha256 = Buffer.alloc(32, 7)
let db: WritableDb
let workspace = ''
let number = 0

/** All images as an earlier version would have stored turned ones, each with an embedding. */
beforeEach(async () => {
  workspace = join(folder, `${number++}.fisao`)
  createWorkspace(workspace)
  db = openWorkspace(workspace)
  await runImport(db, createImport(db, pictures, 1), { signal, report: () => {} })
  const images = names.map(imageOf)
  layImagesAnew(
    db,
    images.map((image) => ({ ...image, ...asBefore })),
  )
  storeEmbeddings(
    db,
    images.map(({ sha256 }) => ({
      ...{ encoderSha256, kind: 'image' as const, subjectSha256: sha256, vector: Float32Array.of(1) },
    })),
  )
  return () => closeWorkspace(db)
})

function imageOf(name: string) {
  const stored = imageAtPath(db, join(pictures, name))
  const image = imageById(db, stored?.imageId as number)
  if (!image) throw new Error(`${name} was not imported`)
  return { ...image, sha256: Buffer.from(image.sha256, 'hex') }
}

function laid(name: string) {
  const { imageId, width, height, sha256 } = imageOf(name)
  const embedding = embeddingOf(db, { encoderSha256, kind: 'image', subjectSha256: sha256 })
  return { width, height, thumbnail: thumbnailOf(db, imageId), isEmbedded: embedding !== undefined }
}

test('turned PNG, WebP and AVIF get the size and thumbnail of a new import, and are looked at anew', async () => {
  expect(await layImages(db, signal)).toBe(3)
  for (const name of ['turned-6.png', 'turned-8.webp', 'turned-5.avif']) {
    const { width, height, thumbnail } = await readImage(join(pictures, name))
    expect(laid(name), name).toEqual({ width, height, thumbnail, isEmbedded: false })
    expect(height, name).toBeGreaterThan(width)
  }
  for (const name of ['turned-1.png', 'stray-before-tables.jpg']) {
    expect(laid(name), name).toEqual({ ...asBefore, isEmbedded: true })
  }
  checkWorkspace(workspace)
})

test('it is done once, and again when it was stopped', async () => {
  expect(await layImages(db, AbortSignal.abort())).toBe(0)
  expect(areImagesLaid(db)).toBe(false)
  expect(await layImages(db, signal)).toBe(3)
  expect(areImagesLaid(db)).toBe(true)
  layImagesAnew(db, [{ ...imageOf('turned-6.png'), ...asBefore }])
  expect(await layImages(db, signal)).toBe(0)
})

test('a file that is gone, or no longer the one that was added, leaves its image as it is', async () => {
  rmSync(join(pictures, 'turned-6.png'))
  copyFileSync(join(pictureFolder, 'turned-7.webp'), join(pictures, 'turned-8.webp'))
  writeFileSync(join(pictures, 'turned-5.avif'), 'no picture')
  expect(await layImages(db, signal)).toBe(0)
  expect(laid('turned-8.webp')).toEqual({ ...asBefore, isEmbedded: true })
})
