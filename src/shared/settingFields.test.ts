// Fields of the form against the schema that they are read from.
import { describe, expect, test } from 'vitest'
import { presetConfig, runConfigSchema } from './runConfig.ts'
import { runSections, settingFields } from './settingFields.ts'

describe('settingFields', () => {
  test('takes title, unit, range and source of a number from the schema', () => {
    expect(settingFields('rollout').find(({ name }) => name === 'maxNewTokens')).toEqual({
      ...{ section: 'rollout', name: 'maxNewTokens', kind: 'number', isInteger: true, min: 1, max: 2048 },
      ...{ title: 'Longest response', unit: 'tokens' },
      source: 'chosen on the validation scenes of the demo world',
    })
  })

  test('a number that must be above 0 has no least value of its own', () => {
    const rate = settingFields('optimiser').find(({ name }) => name === 'learningRate')
    expect(rate).toMatchObject({ isInteger: false, min: null, max: 1 })
  })

  test('knows choices, switches and texts, a refined text too', () => {
    const byName = new Map(settingFields('reward').map((field) => [field.name, field]))
    expect(byName.get('method')).toMatchObject({ kind: 'choice', choices: ['token', 'sentence', 'dpo', 'none'] })
    expect(byName.get('otherNouns')).toMatchObject({ kind: 'switch' })
    expect(byName.get('promptTemplate')).toMatchObject({
      kind: 'text',
      title: 'Sentence round a word, {} for the word',
    })
  })

  test('every bound of a number is what the schema accepts, and nothing beyond it', () => {
    for (const section of runSections) {
      for (const field of settingFields(section)) {
        if (field.kind !== 'number') continue
        const accepts = (value: number) => runConfigSchema.safeParse({ [section]: { [field.name]: value } }).success
        const step = field.isInteger ? 1 : 1e-6
        if (field.min !== null)
          expect([field.name, accepts(field.min), accepts(field.min - step)]).toEqual([field.name, true, false])
        if (field.max !== null)
          expect([field.name, accepts(field.max), accepts(field.max + step)]).toEqual([field.name, true, false])
      }
    }
  })

  test('shows all settings but those that are files or of mixed kinds', () => {
    const shown = runSections.flatMap((section) => settingFields(section).map(({ name }) => `${section}.${name}`))
    const all = Object.entries(presetConfig('quick-look')).flatMap(([section, values]) =>
      Object.keys(values).map((name) => `${section}.${name}`),
    )
    expect(all.filter((name) => !shown.includes(name))).toEqual(['reward.scale', 'calibration.annotationFile'])
  })
})
