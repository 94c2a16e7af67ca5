// The catalogue over real workspace files: questions while others write, changes, letting go, and files that change places.
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { allImages } from '../../shared/domain.ts'
import { closeWorkspace, createWorkspace, openWorkspace } from '../db/open.ts'
import { removeImages } from '../db/removals.ts'
import { seedLibrary } from '../db/testing/seedLibrary.ts'
import { catalogueHandlers } from './catalogue.ts'

const context = { signal: new AbortController().signal, report: () => {} }
const query = allImages

function workspace(images: number, name = 'w.fisao', folder = mkdtempSync(join(tmpdir(), 'fisao-catalogue-'))) {
  const path = join(folder, name)
  createWorkspace(path)
  const db = openWorkspace(path, { foldsLog: false })
  seedLibrary(db, images, [Buffer.of(1)])
  onTestFinished(() => {
    closeWorkspace(db)
    rmSync(folder, { recursive: true, force: true })
  })
  return { path, db, folder }
}

test('a question is answered as of the last commit while another process is in the middle of one', async () => {
  const { path, db } = workspace(5)
  const { count, close } = catalogueHandlers()
  const asked = { path, key: 'one', query }
  expect(await count(asked, context)).toEqual({ total: 5 })
  db.exec('BEGIN IMMEDIATE; INSERT INTO removed_image VALUES (1, 1)')
  const startMs = performance.now()
  expect(await count(asked, context)).toEqual({ total: 5 })
  // It does not wait for the writer, whom a connection waits ten seconds for.
  expect(performance.now() - startMs).toBeLessThan(2000)
  db.exec('COMMIT')
  expect(await count(asked, context)).toEqual({ total: 4 })
  await close({}, context)
})

test('a tag that was given is taken from those alone that had not had it, and one that was taken comes back', async () => {
  const { path } = workspace(5)
  const asked = { path, key: 'one' }
  const { tag, tags, untag, undoTags, close } = catalogueHandlers()
  await tag({ ...asked, selection: { imageIds: [1, 2] }, tag: 'night' }, context)
  const { changeId } = await tag({ ...asked, selection: { query }, tag: 'night' }, context)
  expect(await undoTags({ ...asked, changeId: changeId ?? 0 }, context)).toEqual({ images: 3 })
  expect(await tags(asked, context)).toEqual([{ name: 'night', images: 2 }])
  // Once.
  expect(await undoTags({ ...asked, changeId: changeId ?? 0 }, context)).toEqual({ images: 0 })
  const taken = await untag({ ...asked, selection: { query }, tag: 'night' }, context)
  expect([taken.images, await tags(asked, context)]).toEqual([2, []])
  // Another opening is another workspace, maybe.
  expect(await undoTags({ path, key: 'two', changeId: taken.changeId ?? 0 }, context)).toEqual({ images: 0 })
  expect(await undoTags({ ...asked, changeId: taken.changeId ?? 0 }, context)).toEqual({ images: 2 })
  expect(await tags(asked, context)).toEqual([{ name: 'night', images: 2 }])
  await close({}, context)
})

test('changes are stored, told in numbers and seen by the next question', async () => {
  const { path } = workspace(5)
  const asked = { path, key: 'one' }
  const { tag, tags, remove, restore, removals, window, renameTag, untag, close } = catalogueHandlers()
  expect(await tags(asked, context)).toEqual([])
  expect(await tag({ ...asked, selection: { query }, tag: 'all' }, context)).toEqual({ images: 5, changeId: 1 })
  await renameTag({ ...asked, from: 'all', to: 'each' }, context)
  const removed = await remove({ ...asked, selection: { imageIds: [5] } }, context)
  expect(removed.images).toBe(1)
  expect(await tags(asked, context)).toEqual([{ name: 'each', images: 4 }])
  expect((await window({ ...asked, query, offset: 0, limit: 1 }, context)).images[0]).toMatchObject({
    ...{ imageId: 4, tags: ['each'] },
  })
  expect(await removals(asked, context)).toMatchObject([{ removalId: removed.removalId, images: 1 }])
  expect(await restore({ ...asked, removalId: removed.removalId ?? 0 }, context)).toEqual({ images: 1 })
  expect(await untag({ ...asked, selection: { imageIds: [1] }, tag: 'each' }, context)).toEqual({
    images: 1,
    changeId: 2,
  })
  expect(await tags(asked, context)).toEqual([{ name: 'each', images: 4 }])
  await close({}, context)
})

test('once it has let go, the last one to close folds the log into the file', async () => {
  const { path, db } = workspace(2)
  const { count, close } = catalogueHandlers()
  await count({ path, key: 'one', query }, context)
  await close({}, context)
  closeWorkspace(db)
  expect(existsSync(`${path}-wal`)).toBe(false)
})

test('another opening is another file, also under the same path', async () => {
  const { path, db, folder } = workspace(2)
  const { count, close } = catalogueHandlers()
  expect(await count({ path, key: 'one', query }, context)).toEqual({ total: 2 })
  closeWorkspace(db)
  renameSync(path, join(folder, 'before.fisao'))
  const other = workspace(3, 'w.fisao', folder)
  expect(await count({ path, key: 'two', query }, context)).toEqual({ total: 3 })
  removeImages(other.db, { imageIds: [1] }, 1)
  expect(await count({ path, key: 'two', query }, context)).toEqual({ total: 2 })
  await close({}, context)
})

test('a file that is gone is refused in a sentence, and the next question asks again', async () => {
  const { path, db } = workspace(2)
  closeWorkspace(db)
  renameSync(path, `${path} away`)
  const { count, close } = catalogueHandlers()
  const asked = { path, key: 'one', query }
  await expect(count(asked, context)).rejects.toMatchObject({ code: expect.stringMatching(/^workspace\./) })
  renameSync(`${path} away`, path)
  expect(await count(asked, context)).toEqual({ total: 2 })
  await close({}, context)
})
