// Searches whose images are kept between questions, held to a plain question about each image: random words over a library
// that changes on the same connection and under another, in transactions that end either way.
import { expect, onTestFinished, test } from 'vitest'
import { allImages, type CheckpointId, type ImageQuery, imageSorts } from '../../shared/domain.ts'
import type { ReadableDb, WritableDb } from './connection.ts'
import { foundImages } from './foundImages.ts'
import { countImages, imageWindow, moveImage } from './images.ts'
import { closeWorkspace, openForReading } from './open.ts'
import { removeImages, restoreImage } from './removals.ts'
import { storeRollouts } from './rollouts.ts'
import { tagImages, untagImages } from './tags.ts'
import { responseTo } from './testing/responses.ts'
import { addCheckpoint, temporaryWorkspace } from './testing/temporaryWorkspace.ts'

const images = 40
const words = ['with', 'wide', 'zebra', 'zebras', 'boat', 'red', 'École', 'a']
const searches = [...words, 'w', 'z', 'É', 'éc', 'photo', '00', '-0000', 'boat w', 'zebra a', 'w with', 'nothing', '%']

/** Numbers below `end` that look random (Numerical Recipes' linear congruential generator). */
function numbers(seed: number): (end: number) => number {
  let state = seed
  return (end) => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return Math.floor((state / 2 ** 32) * end)
  }
}

interface PlainImage {
  readonly imageId: number
  readonly name: string
  readonly rolloutId: number | null
  readonly lowestScore: number | null
  readonly hallucinatedWords: number | null
}

/** What a query finds, by looking at each image alone. */
function plainAnswer(db: ReadableDb, query: ImageQuery): number[] {
  const rows = db
    .prepare<[number | null], PlainImage>(
      `SELECT image.image_id AS imageId, name, rollout_id AS rolloutId, lowest_score AS lowestScore,
         hallucinated_words AS hallucinatedWords
       FROM image LEFT JOIN rollout ON rollout.image_id = image.image_id AND checkpoint_id = ? AND purpose = 'evaluation'
       WHERE NOT EXISTS (SELECT 1 FROM removed_image AS gone WHERE gone.image_id = image.image_id)`,
    )
    .all(query.checkpointId)
  const tagged = new Set(
    db.prepare('SELECT image_id FROM image_tag JOIN tag USING (tag_id) WHERE name = ?').pluck().all(query.tag),
  )
  const holds = db.prepare('SELECT 1 FROM response_search WHERE rowid = CAST(? AS INTEGER) AND response_search MATCH ?')
  const phrase = `${query.search
    .split(' ')
    .map((word) => `"${word}"`)
    .join(' AND ')}*`
  const isByResponse = query.sort === 'lowest-score' || query.sort === 'most-hallucinated'
  const found = rows.filter(({ imageId, name, rolloutId, hallucinatedWords }) => {
    if (isByResponse && rolloutId === null) return false
    if (query.responses === 'some' && rolloutId === null) return false
    if (query.responses === 'none' && rolloutId !== null) return false
    if (query.responses === 'with-hallucination' && !hallucinatedWords) return false
    if (query.tag !== null && !tagged.has(imageId)) return false
    if (query.search === '' || name.toLowerCase().includes(query.search.toLowerCase())) return true
    return rolloutId !== null && holds.get(rolloutId, phrase) !== undefined
  })
  const by: Record<ImageQuery['sort'], (a: PlainImage, b: PlainImage) => number> = {
    newest: (a, b) => b.imageId - a.imageId,
    name: (a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)) || a.imageId - b.imageId,
    'lowest-score': (a, b) => (a.lowestScore ?? 2) - (b.lowestScore ?? 2) || a.imageId - b.imageId,
    'most-hallucinated': (a, b) => b.hallucinatedWords! - a.hallucinatedWords! || a.imageId - b.imageId,
  }
  return found.sort(by[query.sort]).map(({ imageId }) => imageId)
}

/** Asks everything in random order, twice, so that the second time can come from what is kept. */
function expectPlainAnswers(dbs: readonly ReadableDb[], checkpoints: readonly CheckpointId[], pick: Pick): void {
  for (let i = 0; i < 12; i++) {
    const query: ImageQuery = {
      ...allImages,
      search: pick(searches),
      sort: pick(imageSorts),
      checkpointId: pick([...checkpoints, null]),
      responses: pick(['any', 'any', 'some', 'none', 'with-hallucination'] as const),
      tag: pick([null, null, 'seen']),
    }
    for (const db of dbs) {
      const expected = plainAnswer(db, query)
      const what = `${JSON.stringify(query)} of ${db.readonly ? 'a reader' : 'the writer'}`
      for (const offset of [0, Math.floor(expected.length / 2)]) {
        const found = imageWindow(db, query, offset, 10).map(({ imageId }) => imageId)
        expect(found, what).toEqual(expected.slice(offset, offset + 10))
      }
      expect(countImages(db, query), what).toBe(expected.length)
    }
  }
}

type Pick = <T>(of: readonly T[]) => T

test.each([1, 2])('random searches between random changes find what a plain question finds, seed %i', (seed) => {
  const number = numbers(seed)
  const pick: Pick = (of) => of[number(of.length)]!
  const { db, path, runId } = temporaryWorkspace(images)
  const reader = openForReading(path)
  onTestFinished(() => closeWorkspace(reader))
  const checkpoints = [addCheckpoint(db, runId, 0), addCheckpoint(db, runId, 8)]
  const respond = (imageId: number): void => {
    const text = Array.from({ length: 1 + number(4) }, () => pick(words)).join(' ')
    const { spans, tokens } = responseTo(imageId, 16, { runId })
    storeRollouts(
      db,
      [{ ...responseTo(imageId, 16, { runId, checkpointId: pick(checkpoints) }), text, spans, tokens }],
      1,
    )
  }
  const change: readonly ((imageId: number) => void)[] = [
    respond,
    (imageId) => tagImages(db, 'seen', { imageIds: [imageId] }),
    (imageId) => untagImages(db, 'seen', { imageIds: [imageId] }),
    (imageId) => removeImages(db, { imageIds: [imageId] }, 1),
    (imageId) => removeImages(db, { query: { ...allImages, search: pick(['zebras', '007']) } }, imageId),
    (imageId) => restoreImage(db, imageId),
    (imageId) =>
      moveImage(db, { imageId, path: `/new/${number(1e9)}`, name: `${pick(words)}-${imageId}`, modifiedMs: 1 }),
  ]
  for (let imageId = 1; imageId <= images; imageId += 1 + number(2)) respond(imageId)
  for (let round = 0; round < 12; round++) {
    const imageId = 1 + number(images)
    if (round % 4 === 3) rolledBack(db, () => changeAndAsk(imageId))
    else pick(change)(imageId)
    expectPlainAnswers([db, reader], checkpoints, pick)
  }

  function changeAndAsk(imageId: number): void {
    pick(change)(imageId)
    expectPlainAnswers([db, reader], checkpoints, pick)
  }
})

/** Does the work in a transaction that does not last. */
function rolledBack(db: WritableDb, work: () => void): void {
  db.exec('BEGIN')
  try {
    work()
  } finally {
    db.exec('ROLLBACK')
  }
}

test('the images of the last eight searches are kept until a commit', () => {
  const { db } = temporaryWorkspace(3)
  const ask = (i: number): Buffer => foundImages(db, `photo-${i}`, null)
  const first = ask(0)
  expect(ask(0)).toBe(first)
  for (let i = 1; i < 8; i++) ask(i)
  expect(ask(0)).toBe(first)
  const second = ask(1)
  // The ninth takes the place of the one that was asked for the longest ago, which is number 2 by now.
  ask(8)
  expect([ask(0) === first, ask(1) === second]).toEqual([true, true])
  tagImages(db, 'seen', { imageIds: [1] })
  expect(ask(0)).not.toBe(first)
})

test('what was found in a transaction that did not last is not kept', () => {
  const { db } = temporaryWorkspace(3)
  const query = { ...allImages, search: 'gone' }
  rolledBack(db, () => {
    moveImage(db, { imageId: 1, path: '/new', name: 'gone', modifiedMs: 1 })
    expect(countImages(db, query)).toBe(1)
  })
  expect(countImages(db, query)).toBe(0)
})

test('of a library of many images fewer searches are kept, and the last one always', () => {
  const { db } = temporaryWorkspace(1)
  // An id of six million makes six million bytes of each search.
  db.exec('DELETE FROM thumbnail; UPDATE image SET image_id = 6000000')
  const [a, b, c] = ['p', 'h', 'o'].map((search) => foundImages(db, search, null))
  expect([a?.length, a?.[6_000_000], a?.[1]]).toEqual([6_000_001, 1, 0])
  // Compared outside expect, which would look at each byte.
  const isKept = [foundImages(db, 'o', null) === c, foundImages(db, 'h', null) === b, foundImages(db, 'p', null) === a]
  expect(isKept).toEqual([true, true, false])
})
