// Files of images that were moved: found again by their bytes alone, all in one step, and what is missing is told.
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { allImages } from '../../shared/domain.ts'
import type { WritableDb } from '../db/connection.ts'
import { imagePathsInOrder } from '../db/imagePaths.ts'
import { imageWindow } from '../db/images.ts'
import { createImport } from '../db/imports.ts'
import { closeWorkspace, createWorkspace, openWorkspace } from '../db/open.ts'
import { removeImages } from '../db/removals.ts'
import { findMissingFiles, relinkFolder } from './imageFiles.ts'
import { runImport } from './importImages.ts'

const formats = join(import.meta.dirname, 'testing', 'formats')
const files = {
  'a.jpg': 'grey.jpg',
  'sub/b.png': 'plain.png',
  'sub/c.webp': 'plain.webp',
  'sub/d.jpg': 'progressive.jpg',
}
const options = { signal: new AbortController().signal, report: () => {} }

/** A workspace with four images that were in `old`, in a folder of its own. */
async function moved(): Promise<{ db: WritableDb; folder: string; before: string; after: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'fisao-relink-'))
  const [before, after] = [join(folder, 'old'), join(folder, 'new')]
  mkdirSync(join(before, 'sub'), { recursive: true })
  for (const [name, from] of Object.entries(files)) copyFileSync(join(formats, from), join(before, name))
  createWorkspace(join(folder, 'w.fisao'))
  const db = openWorkspace(join(folder, 'w.fisao'))
  onTestFinished(() => {
    closeWorkspace(db)
    rmSync(folder, { recursive: true, force: true })
  })
  await runImport(db, createImport(db, before, 1), options)
  renameSync(before, after)
  return { db, folder, before, after }
}

const paths = (db: WritableDb): string[] =>
  imageWindow(db, { ...allImages, sort: 'name' }, 0, 9).map(({ path }) => path)

test('images get the paths where the very same bytes are; changed and missing ones stay and are told', async () => {
  const { db, before, after } = await moved()
  // The same size, one byte another.
  const changed = readFileSync(join(after, 'sub/b.png'))
  changed[changed.length - 1] = (changed.at(-1) as number) ^ 1
  writeFileSync(join(after, 'sub/b.png'), changed)
  rmSync(join(after, 'sub/c.webp'))
  const seen: number[] = []
  const report = await relinkFolder(db, before, after, { ...options, report: ({ done }) => seen.push(done) })
  expect(report).toEqual({
    ...{ matched: 2, differ: 1, missing: 1 },
    examples: [
      { path: 'sub/b.png', problem: 'differs' },
      { path: 'sub/c.webp', problem: 'missing' },
    ],
  })
  expect(seen).toEqual([4])
  expect(paths(db)).toEqual([
    join(after, 'a.jpg'),
    join(before, 'sub/b.png'),
    join(before, 'sub/c.webp'),
    join(after, 'sub/d.jpg'),
  ])
  // The next import of the new place knows them, by size and time.
  const { counts } = await runImport(db, createImport(db, after, 1), options)
  expect(counts).toMatchObject({ found: 3, known: 2 })
})

test('a single image can be given its file, under another name', async () => {
  const { db, folder, before, after } = await moved()
  const here = join(folder, 'renamed.jpg')
  renameSync(join(after, 'a.jpg'), here)
  expect(await relinkFolder(db, join(before, 'a.jpg'), here, options)).toMatchObject({ matched: 1, differ: 0 })
  expect(imageWindow(db, { ...allImages, search: 'renamed' }, 0, 1)).toMatchObject([
    { path: here, name: 'renamed.jpg' },
  ])
})

test('a folder whose name only begins alike is another folder, and one without images is refused', async () => {
  const { db, before, after } = await moved()
  const relink = relinkFolder(db, before.slice(0, -1), after, options)
  await expect(relink).rejects.toMatchObject({ code: 'image.relink-nothing' })
})

test('one that is cancelled changes nothing', async () => {
  const { db, before, after } = await moved()
  const abort = new AbortController()
  const relink = relinkFolder(db, before, after, { signal: abort.signal, report: () => abort.abort() })
  await expect(relink).rejects.toMatchObject({ code: 'image.cancelled' })
  expect(paths(db)).toEqual(Object.keys(files).map((name) => join(before, name)))
})

test('where another image has the path, nothing is taken from it', async () => {
  const { db, before, after } = await moved()
  const taken = createHash('sha256').update('other').digest()
  db.prepare(
    `INSERT INTO image SELECT 99, import_id, ?, name, size_bytes, modified_ms, ?, width, height, format, added_ms,
       thumbnail_sha256 FROM image WHERE name = 'a.jpg'`,
  ).run(join(after, 'a.jpg'), taken)
  expect(await relinkFolder(db, before, after, options)).toMatchObject({ matched: 3, differ: 1, missing: 0 })
})

test('missing files are counted by folder, without images that were removed, and no longer than asked', async () => {
  const { db, before } = await moved()
  mkdirSync(join(before, 'sub'), { recursive: true })
  copyFileSync(join(formats, 'plain.png'), join(before, 'sub/b.png'))
  const found = await findMissingFiles(imagePathsInOrder(db), 10_000)
  expect(found).toEqual({
    ...{ images: 4, checked: 4, missing: 3 },
    folders: [
      { folder: join(before, 'sub'), images: 3, missing: 2 },
      { folder: before, images: 1, missing: 1 },
    ],
  })
  removeImages(db, { query: { ...allImages, search: 'a.jpg' } }, 1)
  expect(await findMissingFiles(imagePathsInOrder(db), 10_000)).toMatchObject({ images: 3, missing: 2 })
  expect(await findMissingFiles(imagePathsInOrder(db), 0)).toMatchObject({ images: 3, checked: 0, missing: 0 })
})
