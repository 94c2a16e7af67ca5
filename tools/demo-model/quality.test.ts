import { expect, test } from 'vitest'
import { makeScene } from '../scenes/scene.ts'
import { mentions } from './captionQuality.ts'
import { patchTargets } from './contrastive.ts'
import { imageMean, imageStd, pictureBytes, pictureEdge, pixelValues } from './pictures.ts'
import { auroc } from './verifierQuality.ts'
import { classNames, shownClasses, splits, typicalAbsentClasses } from './world.ts'

test('AUROC is the share of pairs in the right order, ties counted half', () => {
  expect(auroc([0.9, 0.8, 0.3], [0.5, 0.2])).toBeCloseTo(5 / 6, 12)
  expect(auroc([0.5, 0.5], [0.5])).toBe(0.5)
})

test('mentions prefer the longer name', () => {
  const named = mentions('A teddy bear, a bear and a hot dog. In the background, there is a dog.')
  expect(named.map((word) => classNames[word])).toEqual(['teddy bear', 'bear', 'hot dog', 'dog'])
})

test('a patch shows the object whose middle lies over it', () => {
  const scene = makeScene(splits.validation.seed, 0)
  const targets = patchTargets([scene], 36)
  scene.objects.forEach(({ x, y }, i) => {
    const patch = Math.floor(y * 6) * 6 + Math.floor(x * 6)
    expect(targets[patch * classNames.length + (shownClasses(scene)[i] as number)]).toBe(1)
  })
  const absent = typicalAbsentClasses(scene)[0] as number
  for (let patch = 0; patch < 36; patch++) expect(targets[patch * classNames.length + absent]).toBe(0)
})

test('pixels are normalised by channel', () => {
  const pictures = new Uint8Array(2 * pictureBytes).fill(255, pictureBytes)
  const values = pixelValues(pictures, [1])
  const area = pictureEdge * pictureEdge
  for (const channel of [0, 1, 2]) {
    expect(values[channel * area]).toBeCloseTo((1 - imageMean[channel]!) / imageStd[channel]!, 5)
  }
})
