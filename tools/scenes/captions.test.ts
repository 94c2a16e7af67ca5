import { describe, expect, it } from 'vitest'
import { trainingCorruptionShare, writeCaption } from './captions.ts'
import { classNamed } from './classes.ts'
import { Random } from './random.ts'
import { makeScene } from './scene.ts'

const scenes = Array.from({ length: 2000 }, (_, index) => makeScene(5, index))
const captions = (corruptionShare: number) =>
  scenes.map((scene) => ({ scene, ...writeCaption(scene, new Random(5, 'caption', scene.index), corruptionShare) }))

describe('writeCaption', () => {
  it('names the place and each object once, in order', () => {
    for (const { scene, text, mentioned, absent } of captions(0)) {
      expect(text).toContain(scene.context.name)
      expect(mentioned).toEqual(scene.objects.map((object) => object.class.name))
      expect(absent).toBeNull()
      const places = mentioned.map((name) => text.search(new RegExp(`\\b${classNamed(name).phrase}\\b`)))
      expect(places).not.toContain(-1)
      expect(places).toEqual(places.toSorted((a, b) => a - b))
    }
  })

  it('writes plain English in three templates, with a second sentence after some long lists', () => {
    const texts = captions(0).map(({ text }) => text)
    const patterns = [
      /^An? [a-z ]+ with (an? |some )/,
      /^This is a picture of [a-z, ]+ (in|on) an? [a-z ]+\./,
      /^The image shows an? [a-z ]+\. There is (an? |some )/,
    ]
    for (const pattern of patterns) {
      const share = texts.filter((text) => pattern.test(text)).length / texts.length
      expect(share).toBeCloseTo(1 / 3, 1)
    }
    for (const text of texts)
      expect(
        patterns.some((pattern) => pattern.test(text)),
        text,
      ).toBe(true)
    const long = captions(0).filter(({ mentioned }) => mentioned.length >= 3)
    const split = long.filter(({ text }) =>
      /There is also an? |There is also some |In the background, there is /.test(text),
    )
    expect(split.length / long.length).toBeCloseTo(0.45, 1)
  })

  it('names one typical absent object last in the share of captions that is asked for', () => {
    const corrupted = captions(trainingCorruptionShare).filter(({ absent }) => absent !== null)
    expect(corrupted.length / scenes.length).toBeCloseTo(0.6, 1)
    for (const { scene, text, mentioned, absent } of corrupted) {
      const shown = scene.objects.map((object) => object.class.name)
      expect(mentioned).toEqual([...shown, absent])
      expect(text).toContain(classNamed(absent!).phrase)
      const typical = scene.context.classes.map(({ name }) => name).filter((name) => !shown.includes(name))
      expect(typical.slice(0, 4)).toContain(absent)
    }
  })
})
