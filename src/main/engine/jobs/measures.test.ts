// Each measure's verdicts and figures on a few answers, counted by hand; and differences paired by image.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { EvaluationItem } from '../../db/evaluations.ts'
import { defaultBootstrap } from '../eval/bootstrap.ts'
import { comparePolicies } from '../eval/comparePolicies.ts'
import { chairMeasuring, freeMeasuring, type Measuring, mmeMeasuring, popeMeasuring, type Said } from './measures.ts'
import { readLexicon } from './readLexicon.ts'
import { demoLexicon } from './testing/demoRun.ts'

const item = (n: number, truth: EvaluationItem['truth'], question: string | null = null): EvaluationItem => ({
  ...{ item: n, imageId: null, path: `/${n}.jpg`, name: `${n}.jpg`, question, truth },
})
const said = (text: string, mentions: Said['mentions'] = []): Said => ({ text, mentions, isCut: false })

/** Figures of answers, one image each unless told, every image counted once. */
function figuresOf(measuring: Measuring, answers: readonly (readonly [EvaluationItem, string, number?])[]) {
  const images = Math.max(...answers.map(([{ item: n }, , image]) => image ?? n)) + 1
  const collector = measuring.collector(images)
  for (const [of, text, image] of answers) {
    collector.add({ ...of, text, ...measuring.judge(of, said(text)) }, image ?? of.item)
  }
  const weights = new Float64Array(images).fill(1)
  return Object.fromEntries(
    collector.figures().map(({ name, group, of }) => [group === null ? name : `${group} ${name}`, of(weights)]),
  )
}

test('CHAIR: the mentions of two responses, by hand', async () => {
  const lexicon = await readLexicon(join(demoLexicon, '../coco-objects.json'))
  const measuring = chairMeasuring(lexicon, new Set(['cup', 'dog', 'bench']))
  const cups = item(0, { objects: ['cup', 'bench'] })
  const verdict = measuring.judge(cups, said('a cup and a dog and a dog'))
  expect(verdict).toMatchObject({ named: 2, hallucinated: 2, missed: 1 })
  expect(verdict.words.map(({ start, end, name, isHallucinated }) => [start, end, name, isHallucinated])).toEqual([
    [2, 5, 'cup', false],
    [12, 15, 'dog', true],
    [22, 25, 'dog', true],
  ])
  expect(verdict.concepts).toEqual([
    { name: 'cup', mentions: 1, hallucinated: 0, isAnnotated: true },
    { name: 'bench', mentions: 0, hallucinated: 0, isAnnotated: true },
    { name: 'dog', mentions: 2, hallucinated: 2, isAnnotated: false },
  ])
  // 2 of 4 mentions and 1 of 2 responses hallucinate, 2 of 3 annotated objects are named, 8 and 2 words.
  expect(
    figuresOf(measuring, [
      [cups, 'a cup and a dog and a dog'],
      [item(1, { objects: ['dog'] }), 'a dog'],
    ]),
  ).toEqual({
    ...{ chairI: 2 / 4, chairS: 1 / 2, recall: 2 / 3, meanLength: 5 },
    ...{ chairIUnique: 1 / 3, repetition: 1 / 2 },
  })
})

test('POPE: yes and no, and the object that was asked for', () => {
  const ask = (n: number, label: 'yes' | 'no') => item(n, { label }, 'Is there an apple in the image?')
  const verdict = popeMeasuring.judge(ask(0, 'no'), said('Yes, there is.'))
  expect(verdict).toMatchObject({ answer: 'yes', isRight: false, hallucinated: 1, missed: 0 })
  expect(verdict.concepts).toEqual([{ name: 'apple', mentions: 1, hallucinated: 1, isAnnotated: false }])
  expect(popeMeasuring.judge(ask(0, 'yes'), said('Yes.'))).toMatchObject({ isRight: true, hallucinated: 0, missed: 0 })
  expect(popeMeasuring.judge(ask(0, 'yes'), said('No.'))).toMatchObject({ isRight: false, hallucinated: 0, missed: 1 })
  // True positive, false positive, true negative, false negative.
  const answers = [
    [ask(0, 'yes'), 'Yes'],
    [ask(1, 'no'), 'Yes'],
    [ask(2, 'no'), 'No'],
    [ask(3, 'yes'), 'No'],
    [ask(4, 'yes'), 'Yes'],
  ] as const
  const expected = { accuracy: 3 / 5, precision: 2 / 3, recall: 2 / 3, f1: 2 / 3, yesRate: 3 / 5 }
  expect(figuresOf(popeMeasuring, answers)).toEqual(expected)
})

test('MME: an image counts as whole when both of its questions are answered right', () => {
  const measuring = mmeMeasuring({ perception: ['count', 'color'], cognition: ['code_reasoning'] })
  const ask = (label: 'yes' | 'no', group: string) => item(0, { label, group })
  const answers = [
    [ask('yes', 'count'), 'Yes', 0],
    [ask('no', 'count'), 'No', 0],
    [ask('yes', 'count'), 'Yes', 1],
    [ask('no', 'count'), 'Yes', 1],
    [ask('yes', 'color'), 'maybe', 2],
  ] as const
  // count: 3 of 4 questions, 1 of 2 images: 75 + 50. color: 0 + 0.
  expect(figuresOf(measuring, answers)).toEqual({
    perception: 125,
    ...{ 'count score': 125, 'count accuracy': 0.75, 'count accuracyPlus': 0.5 },
    ...{ 'color score': 0, 'color accuracy': 0, 'color accuracyPlus': 0 },
  })
})

test('without annotations: words, repeats and empty responses', () => {
  const answers = [
    [item(0, null), 'one two three one two three'],
    [item(1, null), ''],
  ] as const
  // Trigrams: 123 231 312 123, one of four said before.
  expect(figuresOf(freeMeasuring, answers)).toEqual({
    ...{ meanObjects: 0, meanWords: 3, repeatedMentions: 0, repeatedTrigrams: 1 / 8, emptyShare: 1 / 2 },
  })
})

test('differences of every two policies are paired by image', () => {
  // The second is better by 2 on each image, whatever the images: its difference has no spread, its own figure has.
  const mean = (values: readonly number[]) => (weights: Float64Array) =>
    values.reduce((sum, value, i) => sum + value * (weights[i] as number), 0) / values.length
  const policies = [
    [1, 5, 9, 3],
    [3, 7, 11, 5],
    [0, 0, 0, 0],
  ].map((values) => [mean(values)])
  const { byPolicy, differences } = comparePolicies(4, policies, { ...defaultBootstrap, resamples: 500, seed: 1 })
  expect(byPolicy.map(([figure]) => figure?.value)).toEqual([4.5, 6.5, 0])
  expect(byPolicy[0]?.[0]?.low).toBeLessThan(4)
  expect(differences.map(({ before, after }) => [before, after])).toEqual([
    [0, 1],
    [0, 2],
    [1, 2],
  ])
  expect(differences[0]?.figures[0]?.difference).toMatchObject({ value: 2, low: 2, high: 2, n: 4 })
  expect(differences[0]?.figures[0]?.relativeReduction.value).toBeCloseTo(1 - 6.5 / 4.5, 12)
  expect(differences[1]?.figures[0]?.relativeReduction).toMatchObject({ value: 1, low: 1, high: 1 })
})
