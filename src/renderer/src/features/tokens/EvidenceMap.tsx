// Where an image shows a word: the cosines of its patches as a heat map over the image, and its legend.
import { type ReactNode, useEffect, useRef } from 'react'
import { formatFigure } from '../../format.ts'
import css from './EvidenceMap.module.css'
import { heatGradient, heatPixels } from './heatColours.ts'

/** A rectangle in fractions of the image; where the encoder saw more or less than the image it lies partly outside. */
export interface MapFrame {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface EvidenceMapProps {
  /** Patches along one edge. */
  readonly side: number
  /** `[side * side]`, row by row from the top left. */
  readonly values: readonly number[]
  readonly frame: MapFrame
  /** In [0, 1]. */
  readonly opacity: number
}

/** Lies over the element it stands in, which is as large as the image; what leaves the image is cut off. */
export function EvidenceMap({ side, values, frame, opacity }: EvidenceMapProps): ReactNode {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    const [low, high] = rangeOf(values)
    context?.putImageData(new ImageData(heatPixels(values, low, high), side, side), 0, 0)
  }, [side, values])
  const percent = (share: number): string => `${share * 100}%`
  return (
    <div className={css.clip} aria-hidden="true">
      <canvas
        ref={canvas}
        width={side}
        height={side}
        className={css.map}
        style={{
          left: percent(frame.x),
          top: percent(frame.y),
          width: percent(frame.width),
          height: percent(frame.height),
          opacity,
        }}
      />
    </div>
  )
}

/** The colours with the cosines at their ends. */
export function EvidenceLegend({ side, values }: Pick<EvidenceMapProps, 'side' | 'values'>): ReactNode {
  const [low, high] = rangeOf(values)
  return (
    <div className={css.legend}>
      <span>{formatFigure(low, 2)}</span>
      <span className={css.gradient} style={{ background: heatGradient }} aria-hidden="true" />
      <span>{formatFigure(high, 2)}</span>
      <span>
        cosine with the word, {side} × {side} patches
      </span>
    </div>
  )
}

function rangeOf(values: readonly number[]): readonly [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  return [low, high]
}
