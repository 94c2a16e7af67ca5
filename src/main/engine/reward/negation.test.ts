// What English sentences say is not there, worked by hand: the objects that stay mentions for the reward.
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readLexicon } from '../jobs/readLexicon.ts'
import { chairFinderOptions, findObjects } from './objectWords.ts'

const coco = await readLexicon(join(import.meta.dirname, '../../../../resources/lexicons/coco-objects.json'))
const affirmed = (text: string) =>
  findObjects(text, coco, { ...chairFinderOptions, affirmedOnly: true }).map(({ name }) => name)

describe('no mention for the reward', () => {
  test.each([
    ['There is no dog.', []],
    ['A cat without a dog.', ['cat']],
    ['No dogs, one cat.', ['cat']],
    ['This is not a dog but a cat.', ['cat']],
    ['There are no dogs or cats on the couch.', ['couch']],
    ['There are no dogs, cats or birds, and a horse grazes.', ['horse']],
    ['No dogs, cats, and birds are here.', []],
    ['A street without any cars and buses.', []],
    ['Neither a dog nor a cat is on the bench.', ['bench']],
    ['There is no dog, nor is there a cat, but a bird.', ['bird']],
    ["There isn't a dog near the chair.", ['chair']],
    ['There aren’t any dogs; a cat sleeps.', ['cat']],
    ['The man is not wearing a tie.', ['person']],
    ['We cannot see any cars or trucks.', []],
    ['It does not appear to be a dog.', []],
    ['Not a single dog by the tree, no cat and no bird.', []],
    ['There is no sign of a dog in the car.', ['car']],
    ['No more dogs. A dog comes back.', ['dog']],
    ['A plate with no hot dogs and no teddy bear', []],
    ['No other dogs are with the cat.', ['cat']],
    // The second one is said to be there.
    ['There is no dog and a cat sits there.', ['cat']],
    ['There are no dogs, but two cats.', ['cat']],
    ['There are no dogs, a cat and birds.', ['cat', 'bird']],
    ['No animals except a dog.', ['dog']],
    ['No dogs, only cats.', ['cat']],
  ])('%s', (text, expected) => {
    expect(affirmed(text)).toEqual(expected)
  })
})

describe('as before', () => {
  test.each([
    ['Not only a dog but also a cat.', ['dog', 'cat']],
    ['It is not just a dog.', ['dog']],
    ['No doubt a dog.', ['dog']],
    ['There are no fewer than three dogs, no more than four cats.', ['dog', 'cat']],
    ['No, a dog.', ['dog']],
    ['No. A dog.', ['dog']],
    ['No one is near the dog.', ['dog']],
    ['No two dogs are alike.', ['dog']],
    ['Neither dog moves.', ['dog']],
    ['The cat is not on the couch.', ['cat', 'couch']],
    ['It is not clear whether a dog is there.', ['dog']],
    ['It is not uncommon to see a dog.', ['dog']],
    ['It is a note: a knot by the dog.', ['dog']],
    ['Not without a dog.', ['dog']],
    ['A dog', ['dog']],
    ['', []],
  ])('%s', (text, expected) => {
    expect(affirmed(text)).toEqual(expected)
  })

  test('CHAIR counts denied objects, as published', () => {
    expect(findObjects('There is no dog.', coco, chairFinderOptions).map(({ name }) => name)).toEqual(['dog'])
  })
})

test('other nouns are denied alike', () => {
  const options = { otherNouns: true, nounsOnly: false, affirmedOnly: true }
  expect(findObjects('A lamp without a curtain.', coco, options).map(({ name }) => name)).toEqual(['lamp'])
})
