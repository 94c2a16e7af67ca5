// Views of a 200 x 100 image on a stage of 400 x 400, where it is 400 x 200 when it fits.
import { describe, expect, test } from 'vitest'
import {
  cornerOf,
  fitted,
  imagePoint,
  moved,
  movedRegion,
  regionBetween,
  resizedRegion,
  shownSize,
  zoomed,
} from './stageView.ts'

const image = { width: 200, height: 100 }
const stage = { width: 400, height: 400 }

describe('the view', () => {
  test('fits the image into the middle', () => {
    expect(shownSize(image, stage, 1)).toEqual({ width: 400, height: 200 })
    expect(cornerOf(fitted, image, stage)).toEqual({ x: 0, y: 100 })
    expect(imagePoint(fitted, image, stage, { x: 100, y: 150 })).toEqual({ x: 0.25, y: 0.25 })
  })

  test('zooms about the point under the pointer', () => {
    const view = zoomed(fitted, 4, image, stage, { x: 100, y: 200 })
    // 1600 x 800 now; the point (0.25, 0.5) stays at (100, 200): corner at 100 - 400 and 200 - 400.
    expect(cornerOf(view, image, stage)).toEqual({ x: -300, y: -200 })
    expect(imagePoint(view, image, stage, { x: 100, y: 200 })).toEqual({ x: 0.25, y: 0.5 })
  })

  test('shows no empty stage beside a large image, and keeps a small one in the middle', () => {
    // At zoom 2 it is 800 x 400: the left edge at most at 0.
    expect(cornerOf(moved({ ...fitted, zoom: 2 }, { x: 5000, y: 5000 }, image, stage), image, stage)).toEqual({
      x: 0,
      y: 0,
    })
    expect(cornerOf(moved({ ...fitted, zoom: 2 }, { x: -5000, y: 0 }, image, stage), image, stage).x).toBe(-400)
    expect(moved(fitted, { x: 50, y: 50 }, image, stage)).toEqual(fitted)
  })

  test('zooms neither out beyond the whole image nor in beyond 16 times', () => {
    expect(zoomed(fitted, 0.1, image, stage, { x: 0, y: 0 })).toEqual(fitted)
    expect(zoomed(fitted, 1000, image, stage, { x: 200, y: 200 }).zoom).toBe(16)
  })
})

describe('a region', () => {
  test('lies between two points in any order, and within the image', () => {
    expect(regionBetween({ x: 0.75, y: 1.5 }, { x: 0.25, y: 0.5 })).toEqual({
      x: 0.25,
      y: 0.5,
      width: 0.5,
      height: 0.5,
    })
  })

  test('is none when it was a click', () => {
    expect(regionBetween({ x: 0.5, y: 0.5 }, { x: 0.51, y: 0.9 })).toBeNull()
    expect(regionBetween({ x: 1.2, y: 0 }, { x: 1.5, y: 1 })).toBeNull()
  })

  test('moves and grows up to the edges', () => {
    const region = { x: 0.5, y: 0.25, width: 0.25, height: 0.25 }
    expect(movedRegion(region, { x: 0.5, y: -0.5 })).toEqual({ ...region, x: 0.75, y: 0 })
    expect(resizedRegion(region, { x: 0.5, y: -0.5 })).toEqual({ ...region, width: 0.5, height: 0.02 })
  })
})
