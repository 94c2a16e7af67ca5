// The verifier's cache and the tags: small tables whose rows must come back exactly.
import { expect, test } from 'vitest'
import { allImages } from '../../shared/domain.ts'
import { embeddingOf, storeEmbeddings } from './embeddings.ts'
import { countImages } from './images.ts'
import { listTags, tagImages, untagImages } from './tags.ts'
import { temporaryWorkspace } from './testing/temporaryWorkspace.ts'

test('an embedding comes back bit for bit, and belongs to its encoder', () => {
  const { db } = temporaryWorkspace()
  const [encoder, other, subject] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2), Buffer.alloc(32, 3)]
  const key = { encoderSha256: encoder, kind: 'image' as const, subjectSha256: subject }
  // A part of a larger array: what stands before and after it must not be stored.
  const vector = Float32Array.of(9, 0.6, -0.8, 1e-38, 9).subarray(1, 4)
  storeEmbeddings(db, [{ ...key, vector }])
  storeEmbeddings(db, [{ ...key, vector: Float32Array.of(0) }])
  expect(embeddingOf(db, key)).toEqual(Float32Array.of(0.6, -0.8, 1e-38))
  expect(embeddingOf(db, { ...key, encoderSha256: other })).toBeUndefined()
  expect(embeddingOf(db, { ...key, kind: 'text' })).toBeUndefined()
})

test('one that is damaged is not there, until it is computed anew', () => {
  const { db } = temporaryWorkspace()
  const key = { encoderSha256: Buffer.alloc(32), kind: 'image' as const, subjectSha256: Buffer.alloc(32) }
  storeEmbeddings(db, [{ ...key, vector: Float32Array.of(0.6, 0.8) }])
  db.exec("UPDATE embedding SET vector = CAST(x'00' || substr(vector, 2) AS BLOB)")
  expect(embeddingOf(db, key)).toBeUndefined()
  storeEmbeddings(db, [{ ...key, vector: Float32Array.of(0.6, 0.8) }])
  expect(embeddingOf(db, key)).toEqual(Float32Array.of(0.6, 0.8))
})

test('tags are given and taken, whatever their case', () => {
  const { db } = temporaryWorkspace()
  tagImages(db, 'Street', { imageIds: [1, 2] })
  tagImages(db, 'street', { imageIds: [2, 3] })
  tagImages(db, 'beach', { imageIds: [3] })
  expect(listTags(db)).toEqual([
    { name: 'beach', images: 1 },
    { name: 'Street', images: 3 },
  ])
  expect(countImages(db, { ...allImages, tag: 'STREET' })).toBe(3)
  untagImages(db, 'STREET', { imageIds: [1] })
  untagImages(db, 'beach', { imageIds: [3] })
  expect(listTags(db)).toEqual([{ name: 'Street', images: 2 }])
})
