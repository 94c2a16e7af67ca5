import { expect, test } from 'vitest'
import { Rng } from '../rng.ts'
import { derangement } from './placebo.ts'

const imagesOf = (count: number) => Array.from({ length: count }, (_, i) => ({ sha256: `${i}` }))

test.each([2, 3, 66, 2000])('no image of %i is judged by itself, and each judges one', (count) => {
  const images = imagesOf(count)
  const judging = derangement(images, new Rng({ seed: 1 }))
  const judges = images.map((image) => judging(image))
  expect(judges.some((judge, i) => judge === images[i])).toBe(false)
  expect(new Set(judges).size).toBe(count)
})

test('a placebo of one seed is always the same one, and of another seed another', () => {
  const images = imagesOf(50)
  const order = (seed: number) => {
    const judging = derangement(images, new Rng({ seed }))
    return images.map((image) => judging(image).sha256).join(' ')
  }
  expect(order(1)).toBe(order(1))
  expect(order(1)).not.toBe(order(2))
})

test('each of the two cycles of three images is as likely', () => {
  const images = imagesOf(3)
  const first = (seed: number) => derangement(images, new Rng({ seed }))(images[0]!).sha256
  const ones = Array.from({ length: 2000 }, (_, seed) => first(seed)).filter((sha256) => sha256 === '1').length
  // 1000 expected, a standard deviation of 22.
  expect(Math.abs(ones - 1000)).toBeLessThan(90)
})

test('an image that takes no part, as one of the looks, is judged by itself', () => {
  const judging = derangement(imagesOf(3), new Rng({ seed: 1 }))
  const other = { sha256: 'other' }
  expect(judging(other)).toBe(other)
})
