// Drafts of a new run by hand: each kind of field emptied, wrong and right, and fields that say nothing beside others.
import { describe, expect, test } from 'vitest'
import { newRunSchema } from './runChannels.ts'
import { runConfigSchema } from './runConfig.ts'
import { type DraftTexts, draftFields, keyOf, type RunDraft, readRunDraft, textOf } from './runDraft.ts'
import { choiceLabel, runSections } from './settingFields.ts'

const draftOf = (texts: DraftTexts, more: Partial<RunDraft> = {}): RunDraft => ({
  ...{ preset: 'quick-look', name: 'Mine', seed: '7', texts },
  ...more,
})
/** What is wrong with one field. */
const problemOf = (key: string, text: string, decimal: '.' | ',' = '.', more: DraftTexts = {}) =>
  readRunDraft(draftOf({ ...more, [key]: text }), decimal).problems

describe('a draft of a run', () => {
  test('that was not touched is the preset', () => {
    const { run, problems, changed } = readRunDraft(draftOf({}))
    expect(run).toEqual({ name: 'Mine', preset: 'quick-look', seed: 7, changes: {} })
    expect([problems, changed.size]).toEqual([[], 0])
    expect(newRunSchema.safeParse({ modelId: 1, ...run }).success).toBe(true)
  })

  test('holds every setting but the factor of mixed kind, each under its own key', () => {
    const keys = runSections.flatMap(draftFields).map(keyOf)
    const all = Object.entries(runConfigSchema.parse({})).flatMap(([section, values]) =>
      Object.keys(values).map((name) => `${section}.${name}`),
    )
    expect(all.filter((key) => !keys.includes(key))).toEqual(['reward.scale'])
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('an emptied question is an error and not the default', () => {
    expect(problemOf('rollout.question', '  ')).toEqual([
      { key: 'rollout.question', title: 'Question about each image', message: 'It must not be empty.' },
    ])
    expect(readRunDraft(draftOf({ 'rollout.question': '' })).run).toBeNull()
  })

  test('an emptied seed is not 0, and 0 is one', () => {
    const seedOf = (seed: string) => readRunDraft(draftOf({}, { seed }))
    expect(seedOf('').problems).toEqual([
      { key: 'seed', title: 'Seed', message: 'Enter a number, from 0 to 2147483647.' },
    ])
    expect(seedOf('0').run?.seed).toBe(0)
    expect(seedOf('2147483647').run?.seed).toBe(2147483647)
    expect(seedOf('2147483648').problems[0]?.message).toBe('It must be from 0 to 2147483647.')
    expect(seedOf('1.5').problems[0]?.message).toBe('It must be a whole number, from 0 to 2147483647.')
  })

  test('an emptied name is an error', () => {
    expect(readRunDraft(draftOf({}, { name: ' ' })).problems).toMatchObject([{ key: 'name', title: 'Name' }])
    expect(readRunDraft(draftOf({}, { name: 'x'.repeat(121) })).problems[0]?.message).toContain('120')
  })

  test('a number is in its range, whole where it must be, and a number at all', () => {
    const message = (text: string) => problemOf('rollout.maxNewTokens', text)[0]?.message
    expect(message('1')).toBeUndefined()
    expect(message('2048')).toBeUndefined()
    expect(message('2049')).toBe('It must be from 1 to 2048 (tokens).')
    expect(message('0')).toBe('It must be from 1 to 2048 (tokens).')
    expect(message('12.5')).toBe('It must be a whole number, from 1 to 2048 (tokens).')
    expect(message('many')).toBe('This is not a number. Enter one, from 1 to 2048 (tokens).')
    expect(message('')).toBe('Enter a number, from 1 to 2048 (tokens).')
    expect(problemOf('optimiser.learningRate', '0')[0]?.message).toBe('It must be above 0 and at most 1.')
  })

  test('a number that may be left out is none when it is emptied', () => {
    const { run } = readRunDraft(draftOf({ 'rollout.mostImages': '' }))
    expect(run?.changes).toEqual({})
    expect(readRunDraft(draftOf({ 'rollout.mostImages': '100' })).run?.changes).toEqual({
      rollout: { mostImages: 100 },
    })
  })

  test('a fraction is read with either sign, thousands in the person’s language', () => {
    const read = (text: string, decimal: '.' | ',') =>
      readRunDraft(draftOf({ 'rollout.temperature': text }), decimal).run?.changes['rollout']?.['temperature']
    expect([read('0.5', '.'), read('0,5', ','), read('0,5', '.'), read('0.5', ',')]).toEqual([0.5, 0.5, 0.5, 0.5])
    const responses = (text: string, decimal: '.' | ',') =>
      readRunDraft(draftOf({ 'calibration.responses': text }), decimal).run?.changes['calibration']?.['responses']
    expect([responses('1,000', '.'), responses('1.000', ','), responses('1\u202f000', ',')]).toEqual([1000, 1000, 1000])
    expect(responses('1.000', '.')).toBe(1)
    for (const text of ['1.5.2', '0x10', '1,2,3', 'Infinity', '--1', '1 2', '1e']) {
      expect([text, problemOf('rollout.temperature', text).length]).toEqual([text, 1])
    }
    expect(readRunDraft(draftOf({ 'optimiser.learningRate': '3e-4' })).run?.changes['optimiser']).toEqual({
      learningRate: 3e-4,
    })
    expect(textOf(0.5, ',')).toBe('0,5')
  })

  test('a switch is on or off, a choice one of its list', () => {
    const { run } = readRunDraft(draftOf({ 'reward.otherNouns': 'true', 'reward.variant': 'paper' }))
    expect(run?.changes).toEqual({ reward: { otherNouns: true, variant: 'paper' } })
    expect(problemOf('reward.otherNouns', '')[0]?.message).toBe('Switch it on or off.')
    expect(problemOf('reward.variant', 'best')[0]?.message).toBe('Choose one of the list.')
  })

  test('a text keeps what it must hold, and its length', () => {
    expect(problemOf('reward.promptTemplate', 'a photo')[0]?.message).toBe('It must hold {} once.')
    expect(problemOf('rollout.question', 'x'.repeat(2001))[0]?.message).toBe('It is longer than 2000 characters.')
    expect(problemOf('rollout.question', 'What is this?')).toEqual([])
  })

  test('annotated cannot be chosen without its file', () => {
    const texts = { 'calibration.method': 'annotated' }
    expect(readRunDraft(draftOf(texts)).problems).toEqual([
      {
        ...{ key: 'calibration.annotationFile', title: 'File of annotations' },
        message: 'Choose a file of COCO annotations, or calibrate without annotations.',
      },
    ])
    const { run } = readRunDraft(draftOf({ ...texts, 'calibration.annotationFile': '/a.json' }))
    expect(run?.changes).toEqual({ calibration: { method: 'annotated', annotationFile: '/a.json' } })
  })

  test('fields that say nothing beside others are not read, whatever was typed in them', () => {
    const applying = (texts: DraftTexts) => readRunDraft(draftOf(texts)).applies
    const ppo = applying({})
    const dpo = applying({ 'reward.method': 'dpo' })
    const sentence = applying({ 'reward.method': 'sentence' })
    const placebo = applying({ 'reward.verifier': 'placebo' })
    const has = (key: string) => [ppo, sentence, dpo].map((fields) => fields.has(key))
    expect(has('optimiser.dpoBeta')).toEqual([false, false, true])
    expect(has('optimiser.gamma')).toEqual([true, true, false])
    expect(has('reward.sentence')).toEqual([false, true, true])
    expect(has('reward.repeatReward')).toEqual([true, false, false])
    expect([ppo.has('calibration.goOnRefused'), placebo.has('calibration.goOnRefused')]).toEqual([true, false])
    expect([ppo.has('calibration.annotationFile'), ppo.has('calibration.otherImages')]).toEqual([false, true])
    expect(applying({ 'reward.method': 'none' }).has('optimiser.learningRate')).toBe(false)
    const typed = readRunDraft(draftOf({ 'optimiser.dpoBeta': 'x', 'optimiser.dpoResponses': '9' }))
    expect([typed.problems, typed.run?.changes]).toEqual([[], {}])
  })

  test('every choice has a label for a person, and every condition names a setting and a value of it', () => {
    const fields = runSections.flatMap(draftFields)
    const byKey = new Map(fields.map((field) => [keyOf(field), field]))
    for (const field of fields) {
      if (field.kind === 'choice') {
        const labels = field.choices.map((choice) => choiceLabel(field, choice))
        expect([keyOf(field), labels.filter((label, i) => label === field.choices[i])]).toEqual([keyOf(field), []])
      }
      for (const { setting, is } of field.appliesTo ?? []) {
        const other = byKey.get(setting)
        const choices: readonly unknown[] = other?.kind === 'choice' ? other.choices : []
        expect([keyOf(field), is.every((one) => choices.includes(one))]).toEqual([keyOf(field), true])
      }
    }
  })
})
