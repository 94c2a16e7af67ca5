// Zoom, place and covered region of an image on the stage, as numbers. ImageStage.tsx draws them.
import type { Region } from '../../../../shared/describe.ts'

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

/** What of the image is seen: `zoom` 1 fits it into the stage; the centre is in fractions of the image. */
export interface StageView {
  readonly zoom: number
  readonly centre: Point
}

export const fitted: StageView = { zoom: 1, centre: { x: 0.5, y: 0.5 } }

export const mostZoom = 16

/** The image as large as fits into the stage, times the zoom. CSS pixels. */
export function shownSize(image: Size, stage: Size, zoom: number): Size {
  const scale = Math.min(stage.width / image.width, stage.height / image.height) * zoom
  return { width: image.width * scale, height: image.height * scale }
}

/** Where the image's top left corner lies on the stage. CSS pixels. */
export function cornerOf({ centre, zoom }: StageView, image: Size, stage: Size): Point {
  const shown = shownSize(image, stage, zoom)
  return { x: stage.width / 2 - centre.x * shown.width, y: stage.height / 2 - centre.y * shown.height }
}

/** The point of the image, in fractions of it, that lies under a point of the stage. */
export function imagePoint(view: StageView, image: Size, stage: Size, point: Point): Point {
  const shown = shownSize(image, stage, view.zoom)
  const corner = cornerOf(view, image, stage)
  return { x: (point.x - corner.x) / shown.width, y: (point.y - corner.y) / shown.height }
}

/** Zooms so that what lies under `point` stays there, as far as the edges allow. */
export function zoomed(view: StageView, factor: number, image: Size, stage: Size, point: Point): StageView {
  const under = imagePoint(view, image, stage, point)
  const zoom = Math.min(mostZoom, Math.max(1, view.zoom * factor))
  const shown = shownSize(image, stage, zoom)
  const centre = {
    x: under.x + (stage.width / 2 - point.x) / shown.width,
    y: under.y + (stage.height / 2 - point.y) / shown.height,
  }
  return held({ zoom, centre }, image, stage)
}

/** Moves the image by so many CSS pixels, as far as the edges allow. */
export function moved(view: StageView, by: Point, image: Size, stage: Size): StageView {
  const shown = shownSize(image, stage, view.zoom)
  const centre = { x: view.centre.x - by.x / shown.width, y: view.centre.y - by.y / shown.height }
  return held({ ...view, centre }, image, stage)
}

/** No empty stage beside an image that would fill it; one that is smaller lies in the middle. */
function held({ zoom, centre }: StageView, image: Size, stage: Size): StageView {
  const shown = shownSize(image, stage, zoom)
  const within = (place: number, part: number): number =>
    part >= 1 ? 0.5 : Math.min(1 - part / 2, Math.max(part / 2, place))
  return {
    zoom,
    centre: { x: within(centre.x, stage.width / shown.width), y: within(centre.y, stage.height / shown.height) },
  }
}

/** The smallest region that can be drawn, in fractions of the image. */
export const leastEdge = 0.02

/** The rectangle between two points, within the image; null when it is too small to be meant. */
export function regionBetween(a: Point, b: Point): Region | null {
  const inside = (value: number): number => Math.min(1, Math.max(0, value))
  const [left, right] = [inside(Math.min(a.x, b.x)), inside(Math.max(a.x, b.x))]
  const [top, bottom] = [inside(Math.min(a.y, b.y)), inside(Math.max(a.y, b.y))]
  if (right - left < leastEdge || bottom - top < leastEdge) return null
  return { x: left, y: top, width: right - left, height: bottom - top }
}

/** The middle quarter of the image, where a region begins that is drawn by keys. */
export const middleRegion: Region = { x: 0.375, y: 0.375, width: 0.25, height: 0.25 }

/** Moves a region by fractions of the image; it stops at the edges. */
export function movedRegion({ x, y, width, height }: Region, by: Point): Region {
  return {
    x: Math.min(1 - width, Math.max(0, x + by.x)),
    y: Math.min(1 - height, Math.max(0, y + by.y)),
    width,
    height,
  }
}

/** Moves the right and the lower edge of a region. */
export function resizedRegion({ x, y, width, height }: Region, by: Point): Region {
  return {
    x,
    y,
    width: Math.min(1 - x, Math.max(leastEdge, width + by.x)),
    height: Math.min(1 - y, Math.max(leastEdge, height + by.y)),
  }
}
