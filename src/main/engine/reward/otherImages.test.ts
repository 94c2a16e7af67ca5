// Which other images words are tried on, and scores freed of their words' levels; worked by hand.
import { describe, expect, test } from 'vitest'
import { Rng } from '../rng.ts'
import { centreScores, chooseOtherImages } from './otherImages.ts'

describe('other images for a word', () => {
  const kitchen = ['cup', 'spoon', 'bowl']
  const responses = [
    { image: 'a', names: ['cup', 'spoon'] },
    { image: 'b', names: ['cup', 'bowl'] },
    { image: 'street 1', names: ['car', 'bus'] },
    { image: 'c', names: kitchen },
    { image: 'street 2', names: ['car', 'bus'] },
    { image: 'd', names: ['spoon', 'bowl'] },
    { image: 'a', names: ['bowl'] },
  ]
  const chosen = (count: number) => {
    const others = chooseOtherImages(responses, { count, rng: new Rng({ seed: 1 }) })
    return (response: number, name: string) => others.of(response, name).map((image) => others.images[image])
  }

  test('are those where it was to be expected, none that names it and never its own', () => {
    // Spoon is named on a, c and d; of the others b is a kitchen.
    expect(chosen(1)(0, 'spoon')).toEqual(['b'])
    expect(chosen(1)(2, 'car')).not.toContain('street 2')
    expect(chosen(9)(0, 'spoon').sort()).toEqual(['b', 'street 1', 'street 2'])
    // By both of its responses a names a bowl, so only the streets do not.
    expect(chosen(9)(1, 'bowl').sort()).toEqual(['street 1', 'street 2'])
  })

  test('follow from the seed', () => {
    const many = Array.from({ length: 40 }, (_, i) => ({ image: `${i}`, names: [`n${i % 7}`] }))
    const of = (seed: number) => chooseOtherImages(many, { count: 4, rng: new Rng({ seed }) }).of(0, 'n0')
    expect(of(1)).toEqual(of(1))
    expect(of(1)).not.toEqual(of(2))
  })
})

test('scores are centred by word, other scores spread to the variance of own ones', () => {
  const others = (...scores: number[]) => scores.map((score, i) => ({ image: i + 1, score }))
  const { own, other, otherWeight, mention, ownImage } = centreScores([
    { image: 0, word: 'cup', score: 5, others: others(1, 3) },
    { image: 4, word: 'kite', score: 1, others: others(0) },
    { image: 3, word: 'cup', score: 2, others: [{ image: 1, score: 1 }] },
    { image: 5, word: 'cup', score: 2, others: [] },
  ])
  // Level of cup 2 by two images, spread √3; a kite on one other image has no level.
  expect([...own]).toEqual([3, 0])
  expect([...mention]).toEqual([0, 2])
  expect([...ownImage]).toEqual([0, 3])
  expect([...other].map((score) => score / Math.sqrt(3))).toEqual([-1, 1, -1].map((one) => expect.closeTo(one, 12)))
  expect([...otherWeight]).toEqual([0.5, 0.5, 1])
})
