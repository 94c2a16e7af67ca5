import { describe, expect, it, test } from 'vitest'
import { trainingPartnerShare, writeCaption } from './captions.ts'
import { classNamed } from './classes.ts'
import { contexts, partnerOf } from './contexts.ts'
import { Random } from './random.ts'
import { makeScene } from './scene.ts'

const scenes = Array.from({ length: 2000 }, (_, index) => makeScene(5, index))
const captions = (partnerShare: number) =>
  scenes.map((scene) => ({ scene, ...writeCaption(scene, new Random(5, 'caption', scene.index), partnerShare) }))

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

  it('lets an absent partner follow its object, once a caption, with the probability that is asked for', () => {
    const all = captions(trainingPartnerShare).map((caption) => {
      const shown = caption.scene.objects.map((object) => object.class)
      const partners = shown.map((object) => partnerOf(object, caption.scene.context))
      return {
        ...caption,
        shown,
        open: partners.flatMap((one, i) => (one && !shown.includes(one) ? [{ one, i }] : [])),
      }
    })
    for (const { text, mentioned, absent, shown, open } of all) {
      const names = shown.map(({ name }) => name)
      const at = open.find(({ one }) => one.name === absent)
      expect(mentioned).toEqual(at ? names.toSpliced(at.i + 1, 0, at.one.name) : names)
      if (absent !== null) expect(text).toContain(classNamed(absent).phrase)
    }
    // The first open pair takes it with p, the second with p of what is left: 1 - (1 - p)^k of captions with k pairs.
    for (const pairs of [1, 2]) {
      const some = all.filter(({ open }) => open.length === pairs)
      const named = some.filter(({ absent }) => absent !== null).length
      expect(named / some.length).toBeCloseTo(1 - (1 - trainingPartnerShare) ** pairs, 1)
    }
    const second = all.filter(({ open, absent }) => open.length === 2 && absent === open[1]?.one.name)
    const two = all.filter(({ open }) => open.length === 2)
    expect(second.length / two.length).toBeCloseTo((1 - trainingPartnerShare) * trainingPartnerShare, 1)
    expect(all.filter(({ open }) => open.length === 0).every(({ absent }) => absent === null)).toBe(true)
  })
})

test('each second class of the first six of a place is the partner of the one before it', () => {
  const kitchen = contexts[0]!
  const names = kitchen.classes.map((one) => [one.name, partnerOf(one, kitchen)?.name ?? null])
  expect(names).toEqual([
    ['cup', 'bowl'],
    ['bowl', null],
    ['knife', 'spoon'],
    ['spoon', null],
    ['apple', 'carrot'],
    ['carrot', null],
    ['broccoli', null],
    ['banana', null],
    ['sandwich', null],
  ])
  expect(partnerOf(classNamed('horse'), kitchen)).toBeNull()
})
