import { expect, test } from 'vitest'
import { combined, readSeeds, variations, variedName } from './sweepPlan.ts'

test.each([
  ['1-3', [1, 2, 3]],
  ['1, 2,7-9', [1, 2, 7, 8, 9]],
  [' 0 – 1 ', [0, 1]],
  ['2147483647', [2147483647]],
])('the seeds %j', (text, value) => {
  expect(readSeeds(text)).toEqual({ ok: true, value })
})

test.each([
  ['', 'whole numbers'],
  ['1,,2', 'whole numbers'],
  ['x', 'whole numbers'],
  ['1.5', 'whole numbers'],
  ['3-1', 'whole numbers'],
  ['2147483648', 'whole numbers'],
  ['1-2147483647', 'at most 1000'],
  ['1-600,601-1200', 'at most 1000'],
  ['1-3,2', 'named twice'],
])('%j are no seeds', (text, words) => {
  const read = readSeeds(text)
  expect(read.ok ? '' : read.problem).toContain(words)
})

test('names tell what is varied, and are cut before that', () => {
  const presets = variations(['paper'], (one) => one)
  const seeds = variations([1, 2], (seed) => `seed ${seed}`)
  const all = combined([null], presets, [null], seeds)
  expect(all.map(([, preset, , seed]) => variedName('Demo', [preset.words, seed.words]))).toEqual([
    'Demo, seed 1',
    'Demo, seed 2',
  ])
  expect(variedName('x'.repeat(120), ['seed 1'])).toBe(`${'x'.repeat(112)}, seed 1`)
  expect(variedName('x'.repeat(130), [])).toHaveLength(120)
})
