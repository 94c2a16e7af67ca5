// The rule's cases worked by hand, where rewards land, and the guards against earning them cheaply.
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Baselines, Calibration } from '../../../shared/calibration.ts'
import { presetConfig } from '../../../shared/runConfig.ts'
import { readLexicon } from '../jobs/readLexicon.ts'
import { defaultGuardLimits, type GuardMetrics, measureGuards, overstepped } from './guardMetrics.ts'
import { chairFinderOptions, findObjects } from './objectWords.ts'
import { piecewiseReward, type RewardRuleSettings, rewardRule } from './rewardRule.ts'
import {
  labelOf,
  meanScoreReward,
  responseScoreReward,
  type ScoredMention,
  terminalReward,
  tokenRewards,
} from './tokenReward.ts'

// Numbers that float32 holds exactly.
const settings = presetConfig('quick-look', { reward: { variant: 'first-mention' } }).reward
const baselines: Baselines = { muGt: 0.5, muHal: 0.25 }
/** Components of equal shares and deviations, so that both are as likely in the middle of their means. */
const component = (mean: number) => ({ share: 0.5, mean, standardDeviation: 0.125 })
const calibration: Calibration = {
  ...{ method: 'mixture', scores: 100, baselines, grounded: component(0.5), hallucinated: component(0.25) },
  ...{ auroc: null, overlap: null, bicGain: null, imageAuroc: null, refusals: [], separation: null, estimate: null },
}
const ruleOf = (changes: Partial<RewardRuleSettings>) =>
  rewardRule(calibration, baselines, { ...settings, scale: 1, ...changes })
const mention = (name: string, end: number, score: number): ScoredMention => ({ name, tokens: [end - 1, end], score })

describe('the piecewise rule', () => {
  test.each([
    // score, λ, reward, label
    [0.75, 0, 0.25, 'grounded'],
    [0.5, 0, 0, 'neutral'],
    [0.375, 0, 0, 'neutral'],
    [0.25, 0, 0, 'neutral'],
    [0, 0, -0.25, 'hallucinated'],
    [-0.5, 0, -0.75, 'hallucinated'],
    // The margin decides whether a score counts, and is not taken off the reward.
    [0.75, 0.125, 0.25, 'grounded'],
    [0.625, 0.125, 0, 'neutral'],
    [0.125, 0.125, 0, 'neutral'],
    [0, 0.125, -0.25, 'hallucinated'],
  ] as const)('of a score %f with margin %f', (score, margin, reward, label) => {
    expect(piecewiseReward(score, baselines, margin)).toBe(reward)
    expect(labelOf(score, ruleOf({ variant: 'paper', margin }))).toBe(label)
  })
})

describe('the linear rule', () => {
  test.each([
    // score, λ, reward in gaps of the baselines: (s - 0.375) / 0.25, at most 1
    [0.375, 0, 0],
    [0.5, 0, 0.5],
    [0.4375, 0, 0.25],
    [0.25, 0, -0.5],
    [0.625, 0, 1],
    [0.9, 0, 1],
    [-1, 0, -1],
    [0.5, 0.125, 0],
    [0.5625, 0.125, 0.75],
    [0.1875, 0.125, -0.75],
  ])('of a score %f with margin %f', (score, margin, reward) => {
    expect(ruleOf({ variant: 'linear', margin, scale: 'baseline-gap' })(score)).toBe(reward)
    // 2 a score: the gap of 0.25 is worth a half.
    expect(ruleOf({ variant: 'linear', margin, scale: 2 })(score)).toBe(reward / 2)
  })
})

test('the posterior rule pays P(right) - P(hallucinated)', () => {
  const rule = ruleOf({ variant: 'posterior', scale: 'baseline-gap' })
  expect(rule(0.375)).toBeCloseTo(0, 12)
  // log odds ((0.4375 - 0.25)² - (0.4375 - 0.5)²) / (2 · 0.125²) = 1; 2 σ(1) - 1 = tanh(1/2).
  expect(rule(0.4375)).toBeCloseTo(Math.tanh(0.5), 12)
  expect(rule(0.3125)).toBeCloseTo(-Math.tanh(0.5), 12)
})

describe('token rewards', () => {
  const paper = { ...presetConfig('paper').reward, scale: 1 }
  const earned = (count: number, said: ScoredMention[], like: typeof settings) =>
    tokenRewards(count, said, rewardRule(calibration, baselines, like), like)

  test('lie on the last token of a word, and nowhere else', () => {
    const giraffe: ScoredMention = { name: 'giraffe', tokens: [2, 5], score: 0.75 }
    const { rewards, mentions } = earned(8, [mention('dog', 7, 0), giraffe], paper)
    expect([...rewards]).toEqual([0, 0, 0, 0, 0.25, 0, -0.25, 0])
    expect(mentions.map(({ name, label }) => [name, label])).toEqual([
      ['giraffe', 'grounded'],
      ['dog', 'hallucinated'],
    ])
  })

  test('are scaled by the gap between the baselines by default', () => {
    const { rewards } = earned(2, [mention('cat', 2, 0.75)], settings)
    expect([...rewards]).toEqual([0, 1])
  })

  test('are nothing within the margin, and full beyond it', () => {
    const settings = { ...paper, margin: 0.125 }
    const said = [mention('cat', 1, 0.625), mention('dog', 2, 0.125), mention('cup', 3, 0.75), mention('fork', 4, 0)]
    const { rewards, mentions } = earned(4, said, settings)
    expect([...rewards]).toEqual([0, 0, 0.25, -0.25])
    expect(mentions.map(({ label }) => label)).toEqual(['neutral', 'neutral', 'grounded', 'hallucinated'])
  })

  test('pay each mention as published, or only the first', () => {
    const said = [mention('cat', 1, 0.75), mention('cat', 3, 0.75), mention('dog', 4, 0), mention('dog', 5, 0)]
    expect([...earned(5, said, paper).rewards]).toEqual([0.25, 0, 0.25, -0.25, -0.25])
    const first = earned(5, said, { ...paper, variant: 'first-mention' })
    expect([...first.rewards]).toEqual([0.25, 0, -0.5, -0.25, -0.5])
    expect(first.mentions.map(({ isRepeated }) => isRepeated)).toEqual([false, true, false, true])
    // Scaled by 1 / (0.5 - 0.25); what a repeat costs is not.
    const scaled = earned(5, said, { ...settings, variant: 'first-mention' })
    expect([...scaled.rewards]).toEqual([1, 0, -0.5, -1, -0.5])
    const linear = earned(5, said, { ...settings, variant: 'linear' })
    expect([...linear.rewards]).toEqual([1, 0, -0.5, -1, -0.5])
  })

  test('of words that end in one token add up', () => {
    const both: ScoredMention[] = [
      { name: 'dog', tokens: [1, 2], score: 1 },
      { name: 'cat', tokens: [0, 2], score: 0.75 },
    ]
    const { rewards, mentions } = earned(2, both, paper)
    expect([...rewards]).toEqual([0, 0.75])
    // The one that begins first is named first.
    expect(mentions.map(({ name }) => name)).toEqual(['cat', 'dog'])
  })

  test.each([
    ['swapped', { muGt: 0.25, muHal: 0.5 }],
    ['equal', { muGt: 0.5, muHal: 0.5 }],
  ])('cannot be scaled when the baselines are %s', (_, together) => {
    expect(() => rewardRule(calibration, together, settings)).toThrow(
      expect.objectContaining({ code: 'run.baselines' }),
    )
  })
})

describe('sentence-level rewards', () => {
  test('are the mean score above the middle of the baselines', () => {
    expect(meanScoreReward([0.75, 0.25], baselines, settings)).toBe(0.5)
    expect(meanScoreReward([0.125], baselines, { ...settings, scale: 2 })).toBe(-0.5)
    expect(meanScoreReward([], baselines, settings)).toBe(0)
  })

  test('are the score of the response above its centre', () => {
    expect(responseScoreReward(0.375, 0.25, baselines, settings)).toBe(0.5)
  })

  test('lie on the last token', () => {
    expect([...terminalReward(3, -0.5)]).toEqual([0, 0, -0.5])
    expect(terminalReward(0, 1)).toEqual(new Float32Array(0))
  })
})

describe('guards', async () => {
  const lexicon = await readLexicon(join(import.meta.dirname, '../../../../resources/lexicons/coco-objects.json'))
  const measured = (...texts: string[]) =>
    measureGuards(texts.map((text) => ({ text, mentions: findObjects(text, lexicon, chairFinderOptions) })))

  test('count words, objects and what is said again', () => {
    expect(measured('A dog, a puppy and a cat.', 'A dog a dog a dog', '')).toEqual({
      responses: 3,
      meanWords: (7 + 6 + 0) / 3,
      meanObjects: (2 + 1 + 0) / 3,
      meanRepeatedMentions: (1 + 2 + 0) / 3,
      // "a dog a", "dog a dog", "a dog a", "dog a dog".
      repeatedTrigramShare: 0.5 / 3,
      emptyShare: 1 / 3,
    })
  })

  test.each([
    ['nothing', ['A street with a dog and a cat in it.'], []],
    ['shortening', ['A dog and a cat.'], ['lengthChange']],
    ['dropping objects', ['A street with a dog and a rose in it.'], ['objectsFall']],
    ['repeating', ['A street with a dog, a cat, a dog.'], ['repeatedMentionsRise']],
    ['silence', ['A street with a dog and a cat in it.', ''], ['lengthChange', 'objectsFall', 'emptyRise']],
  ] as const)('see %s', (_, now, guards) => {
    const before = measured('A street with a dog and a cat in it.')
    expect(overstepped(before, measured(...now), defaultGuardLimits).map(({ guard }) => guard)).toEqual(guards)
  })

  const calm: GuardMetrics = {
    ...{ responses: 1, meanWords: 16, meanObjects: 4 },
    ...{ meanRepeatedMentions: 0, repeatedTrigramShare: 0, emptyShare: 0 },
  }
  const guardsOf = (before: Partial<GuardMetrics>, now: Partial<GuardMetrics>) =>
    overstepped({ ...calm, ...before }, { ...calm, ...now }).map(({ guard }) => guard)

  test.each([
    ['lengthChange', { meanWords: 16 * 0.8 }],
    ['lengthChange', { meanWords: 16 * 1.2 }],
    ['objectsFall', { meanObjects: 4 * 0.8 }],
    ['repeatedMentionsRise', { meanRepeatedMentions: 0.125 }],
    ['repeatedTrigramsRise', { repeatedTrigramShare: 0.0625 }],
    ['emptyRise', { emptyShare: 0.03125 }],
  ] as const)('see %s alone, and only on its way up', (guard, now) => {
    expect(guardsOf({}, now)).toEqual([guard])
    if (guard !== 'lengthChange') expect(guardsOf(now, {})).toEqual([])
  })

  test('hold at their limit, and where there was nothing to change', () => {
    const { repeatedMentionsRise, emptyRise } = defaultGuardLimits
    expect(guardsOf({}, { meanRepeatedMentions: repeatedMentionsRise, emptyShare: emptyRise })).toEqual([])
    expect(guardsOf({ meanWords: 0, meanObjects: 0 }, {})).toEqual([])
  })
})
