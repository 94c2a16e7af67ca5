import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { artSets, classes } from './classes.ts'
import { drawScene, objectBounds } from './draw.ts'
import { makeScene, type Scene } from './scene.ts'
import { outlineOf } from './sprites.ts'

const meanDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!)
  return sum / a.length
}

describe('drawScene', () => {
  it('gives the same bytes for the same scene, others for others', async () => {
    const scene = makeScene(3, 0)
    const pixels = await drawScene(scene, 96)
    expect(pixels.length).toBe(96 * 96 * 3)
    expect(await drawScene(makeScene(3, 0), 96)).toEqual(pixels)
    expect(meanDifference(await drawScene(makeScene(3, 1), 96), pixels)).toBeGreaterThan(20)
  })

  it('looks small as the large picture does when it is shrunk', async () => {
    for (const index of [0, 1, 2, 3]) {
      const scene = makeScene(3, index)
      const large = await drawScene(scene, 384)
      const shrunk = await sharp(large, { raw: { width: 384, height: 384, channels: 3 } })
        .resize(64, 64)
        .raw()
        .toBuffer()
      expect(meanDifference(await drawScene(scene, 64), shrunk)).toBeLessThan(5)
    }
  })

  it('paints an object within its bounds and reaches each of them', async () => {
    const edge = 192
    const scene = makeScene(3, 2)
    const [object] = scene.objects
    // In the air, so that no shadow is painted.
    const flying = { ...object!, class: classes.find(({ name }) => name === 'airplane')!, x: 0.5, y: 0.4 }
    const [without, withIt] = await Promise.all(
      [{ ...scene, objects: [] }, { ...scene, objects: [flying] } satisfies Scene].map((one) => drawScene(one, edge)),
    )
    const bounds = objectBounds(flying, await outlineOf(flying.class, flying.artSet), edge)
    const changed: { x: number; y: number }[] = []
    for (let i = 0; i < without!.length; i += 3) {
      const pixel = i / 3
      if (meanDifference(without!.subarray(i, i + 3), withIt!.subarray(i, i + 3)) > 24) {
        changed.push({ x: pixel % edge, y: Math.floor(pixel / edge) })
      }
    }
    const xs = changed.map(({ x }) => x)
    const ys = changed.map(({ y }) => y)
    const found = [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1]
    for (const [place, side] of [bounds.left, bounds.top, bounds.right, bounds.bottom].entries()) {
      expect(Math.abs(found[place]! - side)).toBeLessThan(2)
    }
  })
})

describe('the art', () => {
  it('has an icon for each class in both sets that fills a good part of its square', async () => {
    for (const drawn of classes) {
      for (const artSet of artSets) {
        const { opaqueShare, points } = await outlineOf(drawn, artSet)
        expect(opaqueShare, `${drawn.name} in ${artSet}`).toBeGreaterThan(0.1)
        expect(Math.max(...points.map(Math.abs))).toBeLessThanOrEqual(0.5)
      }
    }
  })
})
