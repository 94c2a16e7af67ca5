// The choice of a checkpoint and the end of a run, from looks that read no annotation.
import { expect, test } from 'vitest'
import type { Look } from '../../../shared/look.ts'
import { presetConfig } from '../../../shared/runConfig.ts'
import { bestLook, shouldStop } from './look.ts'

const config = presetConfig('quick-look', { evaluation: { mostCoverageLoss: 0.05 } })
const look = (step: number, changed: Partial<Look> = {}): Look => ({
  ...{ step, responses: 50, hallucinationRate: 0.2, coverage: 3, meanWords: 16, meanObjects: 3.5 },
  ...{ meanRepeatedMentions: 0.05, repeatedTrigramShare: 0, emptyShare: 0 },
  ...changed,
})

test('the lowest estimated hallucination rate wins among looks that keep their coverage', () => {
  const looks = [
    look(0),
    look(4, { hallucinationRate: 0.15, coverage: 2.95 }),
    look(8, { hallucinationRate: 0.1, coverage: 2.9 }),
    look(12, { hallucinationRate: 0.02, coverage: 2.5 }),
  ]
  expect(bestLook(looks, config).step).toBe(8)
})

test.each([
  ['repeats safe objects', { meanRepeatedMentions: 0.3 }],
  ['says much less', { meanWords: 12 }],
  ['says nothing at times', { emptyShare: 0.1 }],
  ['drops objects', { meanObjects: 2.8 }],
])('one that %s is not the best', (_name, changed) => {
  expect(bestLook([look(0), look(4, { hallucinationRate: 0.05, ...changed })], config).step).toBe(0)
})

test('a run that makes nothing better keeps the model as it came', () => {
  expect(bestLook([look(0), look(4, { hallucinationRate: 0.25 })], config).step).toBe(0)
})

test('three unsound looks in a row end a run; fewer do not', () => {
  const unsound = (step: number) => look(step, { coverage: 2 })
  expect(shouldStop([look(0), unsound(2), unsound(4)], config)).toBe(false)
  expect(shouldStop([look(0), unsound(2), unsound(4), look(6), unsound(8)], config)).toBe(false)
  expect(shouldStop([look(0), look(2), unsound(4), unsound(6), unsound(8)], config)).toBe(true)
})

test('coverage may fall to its limit, and of equal looks the first is kept', () => {
  const looks = [look(0, { coverage: 4 }), look(4, { coverage: 4 * 0.95, hallucinationRate: 0.1 })]
  expect(bestLook(looks, config).step).toBe(4)
  expect(bestLook([...looks, look(8, { coverage: 4, hallucinationRate: 0.1 })], config).step).toBe(4)
})
