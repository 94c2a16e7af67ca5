// What an import says of folders in which nothing, or not everything, can be used.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { allImages } from '../../shared/domain.ts'
import { importOutcome } from '../../shared/importOutcome.ts'
import { leftOutReason, pictureKind, unreadableKind } from '../../shared/pictureKinds.ts'
import type { WritableDb } from '../db/connection.ts'
import { countImages, imageWindow } from '../db/images.ts'
import { createImport, createImportOf, importById, importIssues, leftOutKinds } from '../db/imports.ts'
import { closeWorkspace, createWorkspace, openWorkspace } from '../db/open.ts'
import { removeImages } from '../db/removals.ts'
import { runImport } from './importImages.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-kinds-'))
const jpeg = join(import.meta.dirname, 'testing', 'formats', 'grey.jpg')
const png = join(import.meta.dirname, 'testing', 'formats', 'plain.png')
const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1')
let db: WritableDb
let here = ''
let number = 0
beforeEach(() => {
  here = join(folder, String(number))
  mkdirSync(here)
  const path = join(folder, `${number++}.fisao`)
  createWorkspace(path)
  db = openWorkspace(path)
  return () => closeWorkspace(db)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, bytes: Buffer | string): string {
  writeFileSync(join(here, name), bytes)
  return join(here, name)
}

async function importing(importId: number) {
  const { counts } = await runImport(db, importId, { signal: new AbortController().signal, report: () => {} })
  const leftOut = leftOutKinds(db, importId)
  const record = importById(db, importId)!
  return { counts, leftOut, importId, outcome: importOutcome(record, leftOut, counts.known) }
}

test('a folder of kinds that cannot be read names each with its number and reason, and reads what is a JPEG', async () => {
  copyFileSync(jpeg, join(here, 'photo.jfif'))
  copyFileSync(png, join(here, 'noext'))
  write('README', 'Some words.')
  for (const name of ['IMG_0001.HEIC', 'IMG_0002.heif']) write(name, heic)
  write('phone', heic)
  for (const name of ['anim.gif', 'a.svg', 'b.CR2', 'c.pdf', 'labels.json']) write(name, 'x')
  symlinkSync(jpeg, join(here, 'link.jpg'))
  const { counts, leftOut, outcome } = await importing(createImport(db, here, 1))
  expect(counts).toMatchObject({ found: 2, added: 2, skipped: 0 })
  expect(leftOut.map(({ kind, files, example }) => [kind, files, example.slice(here.length + 1)])).toEqual([
    ['HEIC', 3, 'IMG_0001.HEIC'],
    ['GIF', 1, 'anim.gif'],
    ['PDF', 1, 'c.pdf'],
    ['RAW', 1, 'b.CR2'],
    ['SVG', 1, 'a.svg'],
    ['link', 1, 'link.jpg'],
    ['no ending', 1, 'README'],
    ['other', 1, 'labels.json'],
  ])
  for (const { kind, message } of leftOut) expect(message).toBe(leftOutReason(kind))
  expect(outcome).toBe(
    '2 images were added. Left out: 3 HEIC files, 1 GIF file, 1 PDF file, 1 RAW file, 1 SVG file, 1 link, ' +
      '1 file without an ending, 1 file of another kind.',
  )
})

test.each([...['.git', '.thumbnails', '.Trash', '@eaDir', '__MACOSX', '#recycle', '$RECYCLE.BIN', 'iPod Photo Cache']])(
  'the folder %s is passed over without a word',
  async (name) => {
    mkdirSync(join(here, name))
    copyFileSync(png, join(here, name, 'inside.png'))
    copyFileSync(jpeg, join(here, 'a.jpg'))
    const { counts, leftOut, outcome } = await importing(createImport(db, here, 1))
    expect([counts.found, leftOut, outcome]).toEqual([1, [], '1 image was added.'])
  },
)

test('hidden files and what other programs keep beside pictures are passed over without a word', async () => {
  for (const name of ['._a.jpg', '.DS_Store', 'Thumbs.db', 'ehthumbs.db', 'desktop.ini', 'Picasa.ini']) write(name, 'x')
  symlinkSync(jpeg, join(here, '.hidden link'))
  const nothing = 'Nothing was added: there is no file here. Hidden files and folders are not looked into.'
  const { counts, leftOut, outcome } = await importing(createImport(db, here, 1))
  expect([counts.found, leftOut, outcome]).toEqual([0, [], nothing])
})

test('a folder of links alone, an empty one and a known one each say what they are', async () => {
  const empty = await importing(createImport(db, here, 1))
  expect([empty.leftOut, empty.outcome]).toEqual([
    [],
    'Nothing was added: there is no file here. Hidden files and folders are not looked into.',
  ])
  symlinkSync(jpeg, join(here, 'a.jpg'))
  expect((await importing(createImport(db, here, 1))).outcome).toBe('Nothing was added. Found: 1 link.')
  copyFileSync(jpeg, join(here, 'b.jpg'))
  expect((await importing(createImport(db, here, 1))).outcome).toBe('1 image was added. Left out: 1 link.')
  const again = await importing(createImport(db, here, 1))
  expect(again.outcome).toBe('Nothing was added. Found: 1 already in the workspace, 1 link.')
})

test('what only its bytes tell is left out with its kind', async () => {
  write('phone.jpg', heic)
  const { importId, outcome } = await importing(createImport(db, here, 1))
  expect(importIssues(db, importId, 0, 9).issues).toEqual([
    { path: join(here, 'phone.jpg'), code: 'unsupported', message: leftOutReason('HEIC') },
  ])
  expect(outcome).toBe('Nothing was added. Found: 1 picture with a problem.')
})

test.each([
  ['GIF', 'GIF89a....'],
  ['PDF', '%PDF-1.7'],
  ['SVG', '<?xml version="1.0"?>\n<svg xmlns="x">'],
  ['PSD', '8BPS\0\x01'],
  [null, 'BMW is a car'],
  [null, ''],
])('%s is known by its first bytes', (kind, bytes) => {
  expect(unreadableKind(Buffer.from(bytes, 'latin1'))).toBe(kind)
})

test.each([
  ['a.JFIF', 'read'],
  ['a.tar.jpeg', 'read'],
  ['IMG', 'look'],
  ['a.bmp', 'read'],
  ['a.', { leftOut: 'other' }],
  ['a.constructor', { leftOut: 'other' }],
])('the name %s says %j', (name, kind) => {
  expect(pictureKind(name)).toEqual(kind)
})

test('files and folders that are dropped together are one import, which goes on with the same ones', async () => {
  mkdirSync(join(here, 'more'))
  copyFileSync(jpeg, join(here, 'more', 'inside.jpg'))
  copyFileSync(png, join(here, 'more', 'inside.png'))
  const single = join(here, 'more', 'inside.jpg')
  const odd = join(here, 'picture.xyz')
  copyFileSync(png, odd)
  const gif = write('anim.gif', 'GIF89a')
  const hidden = join(here, '.mine.jpg')
  copyFileSync(join(import.meta.dirname, 'testing', 'formats', 'progressive.jpg'), hidden)
  const gone = join(here, 'gone.jpg')
  const importId = createImportOf(db, here, [odd, single, join(here, 'more'), gif, gone, hidden], 1)
  const { counts, leftOut } = await importing(importId)
  // The single file lies in the folder too; picture.xyz is byte for byte inside.png.
  expect(counts).toMatchObject({ found: 5, added: 3, skipped: 2, known: 0 })
  expect(leftOut).toMatchObject([{ kind: 'GIF', files: 1, example: gif }])
  expect(
    importIssues(db, importId, 0, 9)
      .issues.map(({ code }) => code)
      .sort(),
  ).toEqual(['duplicate', 'unreadable'])
  expect((await importing(importId)).counts).toMatchObject({ found: 5, added: 0, skipped: 0, known: 5 })
})

test('a picture that was removed comes back when its folder is added again; one that was replaced is told', async () => {
  copyFileSync(jpeg, join(here, 'a.jpg'))
  copyFileSync(png, join(here, 'b.png'))
  await importing(createImport(db, here, 1))
  const [image] = imageWindow(db, { ...allImages, search: 'a.jpg' }, 0, 1)
  removeImages(db, { imageIds: [image?.imageId as number] }, 1)
  expect(countImages(db, allImages)).toBe(1)
  copyFileSync(join(import.meta.dirname, 'testing', 'formats', 'progressive.jpg'), join(here, 'b.png'))
  const { counts, importId } = await importing(createImport(db, here, 1))
  expect(counts).toMatchObject({ added: 1, skipped: 1, known: 0 })
  expect(importIssues(db, importId, 0, 9).issues).toMatchObject([{ code: 'changed', path: join(here, 'b.png') }])
  expect(countImages(db, allImages)).toBe(2)
})

/** More than any system takes in one path. */
const longestPath = 4096

test('a folder that cannot be read is named, and the others are read', async () => {
  // Made step by step from within, since no system opens it by its whole path: not even for root, who may open any other.
  const name = 'x'.repeat(250)
  const before = process.cwd()
  onTestFinished(() => {
    execFileSync('rm', ['-rf', join(here, name)])
  })
  try {
    process.chdir(here)
    for (let length = here.length; length <= longestPath; length += 1 + name.length) {
      mkdirSync(name)
      process.chdir(name)
    }
  } finally {
    process.chdir(before)
  }
  copyFileSync(jpeg, join(here, 'a.jpg'))
  const { counts, leftOut, outcome } = await importing(createImport(db, here, 1))
  expect([counts.added, leftOut]).toEqual([1, [expect.objectContaining({ kind: 'folder', files: 1 })]])
  expect(leftOut[0]?.example.startsWith(join(here, name))).toBe(true)
  expect(outcome).toBe('1 image was added. Left out: 1 folder that cannot be read.')
})
