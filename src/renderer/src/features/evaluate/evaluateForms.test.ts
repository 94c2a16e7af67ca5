// What the forms of the page make of their fields: measures, proposed policies, and votes by keys.
import { describe, expect, test } from 'vitest'
import type { CheckpointView, PolicyChoice } from '../../../../shared/describe.ts'
import { allImages, type CheckpointId, type ModelId, type RunId } from '../../../../shared/domain.ts'
import type { ModelView, RunView } from '../../../../shared/runView.ts'
import { chosenOption, imageOptions } from './imageChoice.ts'
import { emptyMeasure, measureOf } from './measures.ts'
import { anotherPolicy, hasDoubles, usualPolicies } from './policies.ts'

const runId = 3 as RunId
const run = { runId } as RunView
const model = { modelId: 2 as ModelId } as ModelView
const at = (step: number, strength = 1): PolicyChoice => ({ from: 'run', runId, step, strength })
const ofModel: PolicyChoice = { from: 'model', modelId: model.modelId }

function checkpoint(step: number, more: Partial<CheckpointView> = {}): CheckpointView {
  return {
    ...{
      checkpointId: (step + 1) as CheckpointId,
      step,
      isPinned: false,
      isUsed: false,
      isBest: false,
      hasWeights: step > 0,
    },
    ...{ summary: { klNats: null, meanReward: null }, createdAtMs: 0, describedImages: 0, ...more },
  }
}

describe('a measure', () => {
  test('is none while a file is missing', () => {
    expect(measureOf({ ...emptyMeasure, kind: 'chair', annotationFile: '/a.json' })).toBeNull()
    expect(measureOf({ ...emptyMeasure, kind: 'pope', imageFolder: '/i' })).toBeNull()
    expect(measureOf({ ...emptyMeasure, kind: 'mme' })).toBeNull()
    expect(measureOf({ ...emptyMeasure, kind: 'amber', amberFolder: '/data', imageFolder: '/i' })).toBeNull()
  })

  test('takes of the form what it needs', () => {
    const draft = { ...emptyMeasure, annotationFile: '/a.json', imageFolder: '/i', most: 12 }
    expect(measureOf({ ...draft, kind: 'chair' })).toEqual({
      ...{ kind: 'chair', annotationFile: '/a.json', imageFolder: '/i', most: 12 },
    })
    expect(measureOf({ ...draft, kind: 'pope', questionsFrom: 'popular' })).toEqual({
      ...{ kind: 'pope', imageFolder: '/i', most: 12 },
      questions: { from: 'annotations', file: '/a.json', sampling: 'popular' },
    })
    const images = { from: 'tag', tag: 'night' } as const
    expect(measureOf({ ...draft, kind: 'annotation-free', images })).toMatchObject({ images, most: 12 })
  })
})

describe('the choice of images', () => {
  const tags = [{ name: 'night', images: 1 }]
  const grid = { query: { ...allImages, search: 'zoo' }, images: 12 }

  test('offers what the grid shows, and each tag, with their numbers', () => {
    expect(imageOptions(tags, grid).map(({ label }) => label)).toEqual([
      ...['All of the workspace', 'What the grid shows: 12 images', 'With the tag “night”: 1 image'],
    ])
    expect(imageOptions([], null)).toHaveLength(1)
  })

  test('finds what was chosen among what is offered', () => {
    const options = imageOptions(tags, grid)
    for (const { value, choice } of options) expect(chosenOption(options, choice)).toBe(value)
    expect(chosenOption(options, { from: 'tag', tag: 'gone' })).toBeNull()
    expect(options[1]?.choice).toEqual({ from: 'filter', query: grid.query })
  })
})

describe('policies', () => {
  test('that are proposed are the model as it came and its best checkpoint', () => {
    const checkpoints = [checkpoint(0), checkpoint(10, { isBest: true }), checkpoint(20)]
    expect(usualPolicies(run, checkpoints, 0.8, [model])).toEqual([at(0), at(10, 0.8)])
    // Unless a person uses another one.
    const used = [...checkpoints.slice(0, 2), checkpoint(20, { isUsed: true })]
    expect(usualPolicies(run, used, 0.8, [model])).toEqual([at(0), at(20, 0.8)])
    expect(usualPolicies(undefined, [], 1, [model])).toEqual([ofModel])
    expect(usualPolicies(undefined, [], 1, [])).toEqual([])
  })

  test('that are added are others, with weights', () => {
    const checkpoints = [checkpoint(0), checkpoint(10), checkpoint(20, { hasWeights: false })]
    expect(anotherPolicy([at(0)], checkpoints, [model])).toEqual(at(10))
    expect(anotherPolicy([at(0), at(10)], checkpoints, [model])).toEqual(ofModel)
    expect(anotherPolicy([at(0), at(10), ofModel], checkpoints, [model])).toBeUndefined()
  })

  test('are one at step 0 whatever the strength', () => {
    expect(hasDoubles([at(0), at(0, 0.5)])).toBe(true)
    expect(hasDoubles([at(10), at(10, 0.5)])).toBe(false)
    expect(hasDoubles([ofModel, ofModel])).toBe(true)
  })
})
