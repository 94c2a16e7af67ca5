// The embeddings of a run in the workspace file: many in a transaction, and none lost that was flushed.
import { expect, test } from 'vitest'
import { closeWorkspace, openWorkspace } from '../../db/open.ts'
import { sha256 } from '../../db/rowHash.ts'
import { temporaryWorkspace } from '../../db/testing/temporaryWorkspace.ts'
import { embeddingsIn } from './runStore.ts'

test('2,000 embeddings are written in a few transactions, can be read at once, and are all there after a flush', () => {
  const { path, db } = temporaryWorkspace(0)
  const other = openWorkspace(path)
  const stored = (): number => other.prepare('SELECT count(*) FROM embedding').pluck().get() as number
  const store = embeddingsIn(db, Buffer.alloc(32, 1))
  const image = sha256(Buffer.from('image')).toString('hex')
  const vector = (i: number) => Float32Array.from({ length: 768 }, (_, k) => i + k)
  const counts = new Set<number>()
  for (let i = 0; i < 2000; i++) {
    store.put('text', `a photo of a thing ${i}.`, vector(i))
    counts.add(stored())
  }
  store.put('image', image, vector(-1))
  expect([...counts]).toEqual([0, 256, 512, 768, 1024, 1280, 1536, 1792])
  expect(store.get('text', 'a photo of a thing 1999.')).toEqual(vector(1999))
  store.flush()
  store.flush()
  expect(stored()).toBe(2001)
  const again = embeddingsIn(other, Buffer.alloc(32, 1))
  expect([again.get('text', 'a photo of a thing 1999.'), again.get('image', image)]).toEqual([vector(1999), vector(-1)])
  expect(again.get('text', 'another')).toBeUndefined()
  closeWorkspace(other)
})
