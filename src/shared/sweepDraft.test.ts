import { expect, test } from 'vitest'
import type { ModelId } from './domain.ts'
import type { RunDraft } from './runDraft.ts'
import { emptySeveral, readSeveral } from './sweepDraft.ts'

const draft: RunDraft = { preset: 'quick-look', name: 'Streets', seed: '7', texts: {} }
const own = { modelId: 1 as ModelId, name: 'llava' }
const other = { modelId: 2 as ModelId, name: 'smolvlm' }
const names = (several: Partial<typeof emptySeveral>, models = [own]) =>
  readSeveral({ ...emptySeveral, ...several }, draft, models).runs?.map(({ name }) => name)

test('seeds make runs that differ in nothing else', () => {
  const { runs, timesOne } = readSeveral({ ...emptySeveral, seeds: '1-3' }, draft, [own])
  expect(runs).toEqual(
    [1, 2, 3].map((seed) => ({
      ...{ modelId: 1, preset: 'quick-look', changes: {}, seed, name: `Streets, seed ${seed}` },
    })),
  )
  expect(timesOne).toBe(3)
  expect(names({ seeds: '' })).toEqual(['Streets'])
})

test('presets, models and values of a setting are combined with them, and the time follows the steps', () => {
  // 64 steps of 64 responses, and of 128 for Thorough: shared/runConfig.ts.
  const both = readSeveral({ ...emptySeveral, seeds: '1-2', presets: ['thorough'] }, draft, [own])
  expect(both.runs?.map(({ name }) => name)).toEqual([
    ...['Streets, Quick look, seed 1', 'Streets, Quick look, seed 2'],
    ...['Streets, Thorough, seed 1', 'Streets, Thorough, seed 2'],
  ])
  expect(both.timesOne).toBe((2 * 64 * 64 + 2 * 64 * 128) / (64 * 64))
  expect(names({ seeds: '4' }, [own, other])).toEqual(['Streets, llava', 'Streets, smolvlm'])
  const strengths = { ...emptySeveral, seeds: '1', setting: 'evaluation.strength', values: '0.5, 1' }
  const { runs } = readSeveral(strengths, draft, [own])
  expect(runs?.map(({ name, changes }) => [name, changes])).toEqual([
    ['Streets, Adapter strength 0.5', { evaluation: { strength: 0.5 } }],
    ['Streets, Adapter strength 1', {}],
  ])
  expect(names({ seeds: '1', setting: 'reward.method', choices: ['dpo', 'token'] })).toEqual([
    'Streets, Token by token (PPO)',
    'Streets, Better against worse responses (DPO)',
  ])
})

test('where a comma stands before fractions it parts no numbers', () => {
  const asked = { ...emptySeveral, seeds: '1', setting: 'evaluation.strength', values: '0,5 1' }
  const { runs } = readSeveral(asked, draft, [own], ',')
  expect(runs?.map(({ changes }) => changes)).toEqual([{ evaluation: { strength: 0.5 } }, {}])
})

test.each([
  [{ seeds: '1,1' }, 'seeds', 'named twice'],
  [{ setting: 'evaluation.strength', values: '' }, 'values', 'Type some numbers'],
  [{ setting: 'evaluation.strength', values: '0.5 9' }, 'values', 'from 0 to 1.5'],
  [{ setting: 'evaluation.strength', values: '1 1' }, 'values', 'named twice'],
  [{ setting: 'reward.method', choices: [] }, 'values', 'Choose at least one'],
  [{ seeds: '1-600', presets: ['paper' as const] }, 'runs', 'This makes 1200 runs'],
])('%j is refused', (several, key, words) => {
  const { runs, problems } = readSeveral({ ...emptySeveral, ...several }, draft, [own])
  expect(runs).toBeNull()
  expect(problems).toEqual([expect.objectContaining({ key, message: expect.stringContaining(words) })])
})
