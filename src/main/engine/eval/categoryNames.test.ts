// Categories of data sets as objects of the lexicons, which spell them otherwise.
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readLexicon } from '../jobs/readLexicon.ts'
import { compileLexicon } from '../reward/lexicon.ts'
import { categoryReader } from './categoryNames.ts'

const lexicon = (name: string) => readLexicon(join(import.meta.dirname, '../../../../resources/lexicons', name))
const coco = await lexicon('coco-objects.json')
const scenes = await lexicon('scene-objects.json')

describe('categories', () => {
  test('of PASCAL VOC are all objects of the COCO lexicon', () => {
    const voc =
      'aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep sofa train tvmonitor'
    expect(voc.split(' ').map(categoryReader(coco))).toEqual([
      ...['airplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair', 'cow', 'dining table', 'dog'],
      ...['horse', 'motorcycle', 'person', 'potted plant', 'sheep', 'couch', 'train', 'tv'],
    ])
    expect(['aeroplane', 'pottedplant', 'tvmonitor', 'sofa'].map(categoryReader(scenes))).toEqual([
      ...['airplane', 'plant', 'television', 'couch'],
    ])
  })

  test.each([
    ['stop_sign', 'stop sign'],
    ['wine-glass', 'wine glass'],
    ['TrafficLight', 'traffic light'],
    ['Teddy Bear', 'teddy bear'],
    ['Dogs', 'dog'],
    ['Monitor/TV', 'tv'],
    ['passenger train', 'train'],
    ['dog house', null],
    ['dog/cat', null],
    ['train track', null],
    ['sand castle', null],
    ['', null],
  ])('%j is %j', (category, name) => {
    expect(categoryReader(coco)(category)).toBe(name)
  })

  test('a spelling of two objects is none', () => {
    const objects = [
      { name: 'hot dog', synonyms: [] },
      { name: 'hound', synonyms: ['hotdog'] },
    ]
    const own = compileLexicon({
      ...{ format: 'fisao-object-lexicon', version: 1, source: 'a test', objects },
      ...{ excluded: [], qualifiers: [], suppressed: [], genericNouns: [] },
    })
    expect(categoryReader(own)('hot_dog')).toBe('hot dog')
    expect(categoryReader(own)('HOT-DOG')).toBe('hot dog')
    expect(categoryReader(own)('hotdog')).toBe('hound')
    expect(categoryReader(own)('hotDog')).toBe('hound')
  })
})
