// Images that are removed and come back: gone from every question, whole afterwards, and never taken from a run.
import { expect, test } from 'vitest'
import { allImages, type ImageQuery } from '../../shared/domain.ts'
import { countImages, everyImage, imagesBegunWith, imageWindow, thumbnailOf } from './images.ts'
import { createImport, storeBatch } from './imports.ts'
import { storeAbsentImages, storeJob } from './jobs.ts'
import { checkWorkspace } from './open.ts'
import { deleteSome, deletionOf, listRemovals, removeImages, restoreRemoval } from './removals.ts'
import { responsesToImage } from './rollouts.ts'
import { listTags, renameTag, tagImages, untagImages } from './tags.ts'
import { seedResponses } from './testing/responses.ts'
import { addCheckpoint, temporaryWorkspace } from './testing/temporaryWorkspace.ts'

function library() {
  const workspace = temporaryWorkspace(8)
  const { db, runId } = workspace
  const checkpointId = addCheckpoint(db, runId, 0)
  seedResponses(db, runId, checkpointId, { images: 6, length: 16 })
  tagImages(db, 'street', { imageIds: [2, 3, 8] })
  const rows = (change: Partial<ImageQuery> = {}) => imageWindow(db, { ...allImages, checkpointId, ...change }, 0, 500)
  const ids = (change: Partial<ImageQuery> = {}) => {
    const found = rows(change).map(({ imageId }) => imageId)
    expect(countImages(db, { ...allImages, checkpointId, ...change })).toBe(found.length)
    return found
  }
  return { ...workspace, checkpointId, rows, ids }
}

const questions: Partial<ImageQuery>[] = [
  ...[{}, { sort: 'name' as const }, { sort: 'lowest-score' as const }, { sort: 'most-hallucinated' as const }],
  ...[{ tag: 'street' }, { search: 'photo' }, { search: 'ph' }, { search: 'with' }, { responses: 'none' as const }],
  ...[{ responses: 'some' as const }, { word: { text: 'zebra', label: 'any' as const } }],
]

test('removed images are in no answer, and come back as they were: order, tags, responses', () => {
  const { db, rows, ids } = library()
  const before = questions.map((question) => rows(question))
  const tags = listTags(db)
  const { removalId, images } = removeImages(db, { imageIds: [2, 5, 8, 99] }, 1000)
  expect([removalId, images]).toEqual([1000, 3])
  expect(ids()).toEqual([7, 6, 4, 3, 1])
  questions.forEach((question, i) => {
    expect(ids(question)).toEqual(before[i]?.map(({ imageId }) => imageId).filter((id) => ![2, 5, 8].includes(id)))
  })
  expect(listTags(db)).toEqual([{ name: 'street', images: 1 }])
  expect(everyImage(db).map(({ imageId }) => imageId)).toEqual([1, 3, 4, 6, 7])
  expect(responsesToImage(db, 2)).toHaveLength(1)
  expect(restoreRemoval(db, 1000)).toBe(3)
  expect(questions.map((question) => rows(question))).toEqual(before)
  expect(listTags(db)).toEqual(tags)
})

test('all that a query finds can be removed; each removal is undone alone, also when the clock stood still', () => {
  const { db, ids } = library()
  const first = removeImages(db, { query: { ...allImages, tag: 'street' } }, 1000)
  // An image that is removed already stays with its own removal.
  const second = removeImages(db, { imageIds: [3, 4] }, 900)
  expect([first, second]).toEqual([
    { removalId: 1000, images: 3 },
    { removalId: 1001, images: 1 },
  ])
  expect(listRemovals(db).map(({ removalId, images }) => [removalId, images])).toEqual([
    [1001, 1],
    [1000, 3],
  ])
  restoreRemoval(db, 1000)
  expect(ids()).toEqual([8, 7, 6, 5, 3, 2, 1])
  expect(removeImages(db, { imageIds: [4] }, 2000)).toEqual({ removalId: null, images: 0 })
  expect(restoreRemoval(db, 12)).toBe(0)
})

test('a run has the images that it was begun with, whatever is removed or brought back later', () => {
  const { db, runId } = library()
  const { removalId } = removeImages(db, { imageIds: [2] }, 1)
  const begun = everyImage(db).filter(({ imageId }) => imageId <= 6)
  storeAbsentImages(
    db,
    runId,
    begun.map(({ imageId }) => imageId),
  )
  removeImages(db, { imageIds: [4] }, 2)
  restoreRemoval(db, removalId as number)
  expect(imagesBegunWith(db, runId, 6)).toEqual(begun)
  expect(imagesBegunWith(db, runId, 6).map(({ imageId }) => imageId)).toEqual([1, 3, 4, 5, 6])
})

test('removed images are deleted for good with all that hangs on them, but for those that a run was begun with', () => {
  const { db, path, runId, ids } = library()
  // A run with the images 1 to 6 but for 2, which was removed before.
  storeJob(db, runId, { job: {}, lastImageId: 6 })
  storeAbsentImages(db, runId, [1, 3, 4, 5, 6])
  const { removalId } = removeImages(db, { imageIds: [2, 5, 7, 8] }, 1000)
  const id = removalId as number
  const thumbnails = [2, 7, 8].reduce((sum, imageId) => sum + (thumbnailOf(db, imageId)?.length ?? 0), 0)
  expect(deletionOf(db, id)).toEqual({ images: 3, kept: 1, responses: 1, thumbnailBytes: thumbnails })
  expect(thumbnails).toBeGreaterThan(0)
  expect([deleteSome(db, id, 2), deleteSome(db, id, 2), deleteSome(db, id, 2)]).toEqual([2, 1, 0])
  expect(db.prepare('SELECT image_id FROM image ORDER BY 1').pluck().all()).toEqual([1, 3, 4, 5, 6])
  expect(responsesToImage(db, 2)).toEqual([])
  expect(deletionOf(db, id)).toEqual({ images: 0, kept: 1, responses: 0, thumbnailBytes: 0 })
  // What stays can still come back, and the file is whole: seals, search, named objects.
  expect(restoreRemoval(db, id)).toBe(1)
  expect(ids()).toEqual([6, 5, 4, 3, 1])
  expect(imagesBegunWith(db, runId, 6).map(({ imageId }) => imageId)).toEqual([1, 3, 4, 5, 6])
  expect(listTags(db)).toEqual([{ name: 'street', images: 1 }])
  checkWorkspace(path)
})

test('an import of a removed image brings it back, to where it is now', () => {
  const { db, ids, rows } = library()
  const [image] = rows({ search: 'photo-000000' })
  removeImages(db, { imageIds: [image?.imageId as number] }, 1)
  const importId = createImport(db, '/new', 1)
  const again = {
    ...{ path: '/new/other name.jpg', name: 'other name.jpg', sizeBytes: image?.sizeBytes as number, modifiedMs: 5 },
    ...{ sha256: Buffer.from(image?.sha256 as string, 'hex'), width: 1, height: 1, format: 'jpeg' as const },
    thumbnail: Buffer.of(1),
  }
  expect(storeBatch(db, importId, [{ image: again }], () => null, 1)).toEqual({ added: 1, issues: [] })
  expect(ids()).toHaveLength(8)
  expect(rows({ search: 'other name' })[0]).toMatchObject({ imageId: image?.imageId, path: '/new/other name.jpg' })
})

test('tags are given to and taken from selections, and renamed', () => {
  const { db, path, ids } = library()
  expect(tagImages(db, 'STREET', { query: { ...allImages, search: 'photo' } }).sort()).toEqual([1, 4, 5, 6, 7])
  expect(ids({ tag: 'street' })).toHaveLength(8)
  expect(untagImages(db, 'street', { query: { ...allImages, tag: 'street' } })).toHaveLength(8)
  expect(listTags(db)).toEqual([])
  // No tag of nothing is made.
  expect(tagImages(db, 'empty', { imageIds: [99] })).toEqual([])
  expect(listTags(db)).toEqual([])
  tagImages(db, 'one', { imageIds: [1] })
  tagImages(db, 'two', { imageIds: [2, 3] })
  renameTag(db, 'one', 'One')
  renameTag(db, 'TWO', 'three')
  expect(listTags(db)).toEqual([
    { name: 'One', images: 1 },
    { name: 'three', images: 2 },
  ])
  expect(() => renameTag(db, 'three', 'one')).toThrow(expect.objectContaining({ code: 'image.tag-exists' }))
  expect(() => renameTag(db, 'four', 'five')).toThrow(expect.objectContaining({ code: 'image.no-such-tag' }))
  removeImages(db, { imageIds: [1] }, 1)
  checkWorkspace(path)
})
