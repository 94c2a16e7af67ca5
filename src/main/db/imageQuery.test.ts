// Each filter, order and search on six images whose answers are worked by hand, alone and together.
import { beforeEach, describe, expect, test } from 'vitest'
import { allImages, type CheckpointId, type ImageQuery, imageQuerySchema, type SpanLabel } from '../../shared/domain.ts'
import { rollBack } from './checkpoints.ts'
import type { WritableDb } from './connection.ts'
import { countImages, imageWindow, insertImage } from './images.ts'
import { createImport } from './imports.ts'
import { answeredCheckpoints, areNamedObjectsWhole, objectWords } from './namedObjects.ts'
import { removeImages } from './removals.ts'
import { storeRollouts } from './rollouts.ts'
import { tagImages } from './tags.ts'
import { addCheckpoint, temporaryWorkspace } from './testing/temporaryWorkspace.ts'

/** Names and, of those with a response, text and object words with score and verdict. */
const names = ['Zoo.jpg', 'a 50% off.png', 'ÉCOLE.jpg', 'IMG_7.jpg', 'dog_park.png', 'z.jpg']
const responses: [imageId: number, text: string, words: [string, number, SpanLabel][]][] = [
  [
    1,
    'A dog beside a cat.',
    [
      ['dog', 0.6, 'grounded'],
      ['cat', -0.8, 'hallucinated'],
    ],
  ],
  [2, 'A kite.', [['kite', 0.1, 'neutral']]],
  [
    3,
    'Dogs and dogs and a cat.',
    [
      ['dog', -0.7, 'hallucinated'],
      ['dog', -0.7, 'hallucinated'],
      ['cat', 0.7, 'grounded'],
    ],
  ],
  [4, 'Nothing to name.', []],
]

let db: WritableDb
let checkpointId: CheckpointId
let other: CheckpointId
let runId: ReturnType<typeof temporaryWorkspace>['runId']
beforeEach(() => {
  const workspace = temporaryWorkspace(0)
  ;({ db, runId } = workspace)
  const importId = createImport(db, '/pictures', 1)
  names.forEach((name, i) => {
    const image = {
      importId,
      name,
      path: `/pictures/${name}`,
      sizeBytes: 1,
      modifiedMs: 1,
      sha256: Buffer.alloc(32, i),
    }
    insertImage(db, { ...image, width: 1, height: 1, format: 'png', thumbnail: Buffer.of(1) }, 1)
  })
  checkpointId = addCheckpoint(db, runId, 0)
  other = addCheckpoint(db, runId, 8)
  for (const [imageId, text, words] of responses) respond(checkpointId, imageId, text, words)
  respond(other, 5, 'A boat.', [['boat', 0.2, 'grounded']])
  tagImages(db, 'Park', { imageIds: [1, 5] })
})

function respond(at: CheckpointId, imageId: number, text: string, words: [string, number, SpanLabel][]): void {
  const spans = words.map(([word, score, label], i) => ({
    ...{ startPosition: i, endPosition: i + 1, word, score, reward: 0, label },
  }))
  const response = { runId, checkpointId: at, imageId, purpose: 'evaluation' as const, step: 0, prompt: 'Describe.' }
  storeRollouts(db, [{ ...response, text, tokens: [], spans }], 1)
}

/** The ids in order; the count must agree. */
function ids(change: Partial<ImageQuery>): number[] {
  const query = { ...allImages, checkpointId, ...change }
  const found = imageWindow(db, query, 0, 500).map(({ imageId }) => imageId)
  expect(countImages(db, query)).toBe(found.length)
  return found
}

const word = (text: string, label: SpanLabel | 'any'): Partial<ImageQuery> => ({ word: { text, label } })

describe('filters', () => {
  test.each<[string, Partial<ImageQuery>, number[]]>([
    ['a hallucinated word', { responses: 'with-hallucination' }, [3, 1]],
    ['a grounded word', { responses: 'with-grounded' }, [3, 1]],
    ['a grounded word in another checkpoint', { responses: 'with-grounded', checkpointId: 2 }, [5]],
    ['no response', { responses: 'none' }, [6, 5]],
    ['no response, without a checkpoint', { responses: 'none', checkpointId: null }, [6, 5, 4, 3, 2, 1]],
    ['a response', { responses: 'some' }, [4, 3, 2, 1]],
    ['a word, whatever its verdict', word('dog', 'any'), [3, 1]],
    ['a word, grounded', word('dog', 'grounded'), [1]],
    ['a word, hallucinated', word('dog', 'hallucinated'), [3]],
    ['a word, neutral', word('kite', 'neutral'), [2]],
    ['a word that nothing names', word('horse', 'any'), []],
    ['lowest scores, both ends included', { scoreRange: { low: -0.8, high: -0.7 } }, [3, 1]],
    ['a tag, whatever its case', { tag: 'park' }, [5, 1]],
    ['a tag and a word', { tag: 'Park', ...word('cat', 'any') }, [1]],
    ['a verdict and no response, which nothing has', { responses: 'none', ...word('cat', 'any') }, []],
  ])('%s', (_name, change, expected) => {
    expect(ids(change)).toEqual(expected)
  })
})

describe('orders', () => {
  test.each<[ImageQuery['sort'], number[]]>([
    ['newest', [6, 5, 4, 3, 2, 1]],
    ['name', [2, 5, 4, 6, 1, 3]],
    ['lowest-score', [1, 3, 2, 4]],
    // Two for image 3 (the word stands there twice), one for image 1; then by the order in which they came.
    ['most-hallucinated', [3, 1, 2, 4]],
  ])('%s', (sort, expected) => {
    expect(ids({ sort })).toEqual(expected)
    expect(ids({ sort, tag: 'Park' })).toEqual(expected.filter((imageId) => [1, 5].includes(imageId)))
    expect(ids({ sort, ...word('dog', 'any') })).toEqual(expected.filter((imageId) => [1, 3].includes(imageId)))
  })
})

describe('search', () => {
  test.each<[string, string, number[]]>([
    ['one letter within names and at the beginning of words', 'z', [6, 1]],
    ['two letters in the middle of a name', 'oo', [1]],
    ['two letters in another case', 'GP', []],
    ['what is a wildcard elsewhere', '%', [2]],
    ['what is a wildcard for one character', '_p', [5]],
    ['a backslash', '\\', []],
    ['letters beyond ASCII, whatever their case', 'éc', [3]],
    ['three letters in a name', 'oll', []],
    ['the end of a name, whatever its case', 'PARK.P', [5]],
    ['letters beyond ASCII in a longer part', 'écol', [3]],
    ['a name', 'ecole', []],
    ['words of a response', 'cat dog', [3, 1]],
    ['the beginning of a word of a response', 'kit', [2]],
    ['what looks like an operator', '" OR *', []],
    ['spaces', '   ', [6, 5, 4, 3, 2, 1]],
  ])('%s', (_name, search, expected) => {
    expect(ids({ search })).toEqual(expected)
  })

  test('without a checkpoint looks at names alone', () => {
    expect(ids({ search: 'kit', checkpointId: null })).toEqual([])
    expect(ids({ search: 'dog', checkpointId: null })).toEqual([5])
  })
})

test('a row has its tags by name, and the scores of the checkpoint that was asked for', () => {
  tagImages(db, 'animals', { imageIds: [1] })
  const rows = imageWindow(db, { ...allImages, checkpointId }, 0, 10)
  expect(rows.at(-1)).toMatchObject({ tags: ['animals', 'Park'], lowestScore: -0.8, hallucinatedWords: 1 })
  expect(rows[0]).toMatchObject({ tags: [], lowestScore: null, hallucinatedWords: null })
})

test('the words of a checkpoint with the images of each verdict, most frequent first', () => {
  expect(objectWords(db, checkpointId)).toEqual([
    { word: 'cat', grounded: 1, hallucinated: 1, neutral: 0 },
    { word: 'dog', grounded: 1, hallucinated: 1, neutral: 0 },
    { word: 'kite', grounded: 0, hallucinated: 0, neutral: 1 },
  ])
  expect(objectWords(db, other)).toEqual([{ word: 'boat', grounded: 1, hallucinated: 0, neutral: 0 }])
  removeImages(db, { imageIds: [3] }, 1)
  expect(objectWords(db, checkpointId)[1]).toEqual({ word: 'dog', grounded: 1, hallucinated: 0, neutral: 0 })
  expect(answeredCheckpoints(db).map(({ step, responses: n, runName }) => [step, n, runName])).toEqual([
    [0, 4, 'first'],
    [8, 1, 'first'],
  ])
})

test('a response that takes the place of another, and a roll back, take their words along', () => {
  respond(checkpointId, 1, 'A horse.', [['horse', 0.3, 'grounded']])
  expect([ids(word('cat', 'any')), ids(word('horse', 'grounded'))]).toEqual([[3], [1]])
  expect(ids({ responses: 'with-grounded' })).toEqual([3, 1])
  rollBack(db, runId, 0)
  expect(objectWords(db, other)).toEqual([])
  expect(areNamedObjectsWhole(db)).toBe(true)
})

test.each([
  'UPDATE named_object SET image_id = 4 WHERE image_id = 2',
  'DELETE FROM named_object WHERE word_id = 0 AND image_id = 1',
  'UPDATE named_object SET label = 3 WHERE word_id > 0 AND image_id = 1',
  'UPDATE named_object SET times = 9 WHERE image_id = 3 AND times = 2',
])('what filters read is compared with the responses: %s', (sql) => {
  expect(areNamedObjectsWhole(db)).toBe(true)
  db.exec(sql)
  expect(areNamedObjectsWhole(db)).toBe(false)
})

test('a query as it was stored before there were words to filter by still reads', () => {
  const before = { search: '', sort: 'newest', checkpointId: null, responses: 'any' }
  expect(imageQuerySchema.parse(before)).toEqual(allImages)
})
