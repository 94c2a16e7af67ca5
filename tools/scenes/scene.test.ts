import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { classes } from './classes.ts'
import { contexts, typicalityWeights } from './contexts.ts'
import { largestOverlap, makeScene, overlap, strangerShare } from './scene.ts'

const scenes = Array.from({ length: 4000 }, (_, index) => makeScene(11, index))

describe('the demo world', () => {
  it('has 48 classes and 8 places, and each class is typical of a place', () => {
    expect(classes.map(({ categoryId }) => categoryId)).toEqual(Array.from({ length: 48 }, (_, place) => place + 1))
    expect(new Set(classes.map(({ name }) => name)).size).toBe(48)
    expect(contexts.map(({ name }) => name)).toEqual([
      'kitchen',
      'party table',
      'living room',
      'street',
      'farm',
      'zoo',
      'beach',
      'desk',
    ])
    expect(new Set(contexts.flatMap((context) => context.classes)).size).toBe(48)
    for (const context of contexts) expect([8, 9]).toContain(context.classes.length)
  })

  it('weighs typical classes by 1 / rank^0.6', () => {
    expect(typicalityWeights).toEqual(typicalityWeights.map((_, place) => Math.round(1000 / (place + 1) ** 0.6)))
  })
})

describe('makeScene', () => {
  it('depends on seed and index only, the same on every machine', () => {
    expect(makeScene(11, 123)).toEqual(scenes[123])
    const distinct = new Set([...scenes, makeScene(12, 0)].map((scene) => JSON.stringify(scene)))
    expect(distinct.size).toBe(scenes.length + 1)
    const layouts = scenes.slice(0, 100).map(({ context, background, objects }) => ({
      place: context.name,
      background,
      objects: objects.map((object) => ({ ...object, class: object.class.name })),
    }))
    expect(createHash('sha256').update(JSON.stringify(layouts)).digest('hex')).toBe(
      '1d264d1d496087b4dd007cfd2312b82ec70d95d854735852a25030ab89cab228',
    )
  })

  it('shows two to five objects of different classes, 3.4 on average', () => {
    const counts = scenes.map(({ objects }) => objects.length)
    expect([...new Set(counts)].sort()).toEqual([2, 3, 4, 5])
    expect(counts.reduce((sum, count) => sum + count) / counts.length).toBeCloseTo(3.4, 1)
    for (const { objects } of scenes) expect(new Set(objects.map((object) => object.class)).size).toBe(objects.length)
  })

  it('keeps objects in the picture, turned by 25 degrees at most', () => {
    for (const { x, y, size, rotationDegrees } of scenes.flatMap(({ objects }) => objects)) {
      expect(size).toBeGreaterThanOrEqual(15 / 64)
      expect(size).toBeLessThan(26 / 64)
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(size / 2)
      expect(Math.max(x, y)).toBeLessThanOrEqual(1 - size / 2)
      expect(Math.abs(rotationDegrees)).toBeLessThanOrEqual(25)
    }
  })

  it('finds nearly every object a place that overlaps little', () => {
    const worst = scenes.flatMap(({ objects }) =>
      objects
        .slice(1)
        .map((object, place) => Math.max(...objects.slice(0, place + 1).map((other) => overlap(object, other)))),
    )
    const crowded = worst.filter((share) => share >= largestOverlap)
    expect(crowded.length / worst.length).toBeLessThan(0.2)
    expect(Math.max(...worst)).toBeLessThan(0.75)
  })

  it('draws classes about as often as the weights say', () => {
    for (const context of contexts) {
      const firsts = scenes.filter((scene) => scene.context === context).map(({ objects }) => objects[0]!.class)
      const weights: number[] = typicalityWeights.slice(0, context.classes.length)
      const sum = weights.reduce((total, weight) => total + weight)
      for (const [rank, drawn] of context.classes.entries()) {
        const share = strangerShare / classes.length + (1 - strangerShare) * (weights[rank]! / sum)
        const found = firsts.filter((one) => one === drawn).length
        const standardError = Math.sqrt(firsts.length * share * (1 - share))
        expect(Math.abs(found - firsts.length * share), `${drawn.name}, ${context.place}`).toBeLessThan(
          4.5 * standardError,
        )
      }
    }
  })

  it('measures overlap as a share of the smaller square', () => {
    const object = { ...makeScene(0, 0).objects[0]!, x: 0.5, y: 0.5, size: 0.4 }
    expect(overlap(object, { ...object, x: 0.9 })).toBe(0)
    expect(overlap(object, { ...object, x: 0.6, y: 0.7 })).toBeCloseTo(0.75 * 0.5)
    expect(overlap(object, { ...object, size: 0.2 })).toBe(1)
  })
})
