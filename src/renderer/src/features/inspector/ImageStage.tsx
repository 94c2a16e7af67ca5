// The image large: zoomed by wheel and keys, moved by dragging, a region of it covered on request. What lies over the
// image, such as an evidence map, goes with it.
import { ActionIcon, Tooltip } from '@mantine/core'
import { IconArrowsMaximize, IconZoomIn, IconZoomOut } from '@tabler/icons-react'
import {
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import type { Region } from '../../../../shared/describe.ts'
import { Later } from '../../ui/Later.tsx'
import css from './ImageStage.module.css'
import {
  cornerOf,
  fitted,
  imagePoint,
  middleRegion,
  moved,
  movedRegion,
  type Point,
  regionBetween,
  resizedRegion,
  type Size,
  type StageView,
  shownSize,
  zoomed,
} from './stageView.ts'

export interface ImageStageProps {
  readonly name: string
  readonly src: string
  readonly onMissing: () => void
  readonly image: Size
  /** Drawn over the image, as large as it. */
  readonly overlay: ReactNode
  readonly region: Region | null
  /** Dragging draws a region instead of moving the image. */
  readonly isCovering: boolean
  readonly onRegion: (region: Region | null) => void
}

const zoomStep = 1.25
const panStep = 48
const regionStep = 0.02

export function ImageStage(props: ImageStageProps): ReactNode {
  const { name, src, onMissing, image, overlay, region, isCovering, onRegion } = props
  const box = useRef<HTMLElement>(null)
  const stage = useSize(box)
  const [view, setView] = useState<StageView>(fitted)
  const drag = useRef<Drag | null>(null)

  const zoom = (factor: number, at: Point = { x: stage.width / 2, y: stage.height / 2 }): void =>
    setView((before) => zoomed(before, factor, image, stage, at))
  const onWheel = useEffectEvent((event: WheelEvent) => {
    event.preventDefault()
    zoom(Math.exp(-event.deltaY / 400), pointOf(event, event.currentTarget as Element))
  })
  // Not React's own listener: that one is passive and could not keep the page from scrolling.
  useEffect(() => {
    const element = box.current
    const listener = (event: WheelEvent): void => onWheel(event)
    element?.addEventListener('wheel', listener, { passive: false })
    return () => element?.removeEventListener('wheel', listener)
  }, [])

  const onPointerDown = (event: PointerEvent<HTMLElement>): void => {
    if (event.button !== 0 || (event.target as Element).closest('button')) return
    event.currentTarget.setPointerCapture(event.pointerId)
    const at = pointOf(event, event.currentTarget)
    drag.current = { from: imagePoint(view, image, stage, at), last: at }
  }
  const onPointerMove = (event: PointerEvent<HTMLElement>): void => {
    if (!drag.current) return
    const at = pointOf(event, event.currentTarget)
    const { from, last } = drag.current
    drag.current = { from, last: at }
    if (isCovering) onRegion(regionBetween(from, imagePoint(view, image, stage, at)))
    else setView((before) => moved(before, { x: at.x - last.x, y: at.y - last.y }, image, stage))
  }
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    if (event.target !== event.currentTarget || event.altKey || event.ctrlKey || event.metaKey) return
    const by = arrows[event.key]
    if (isCovering && (event.key === 'Enter' || event.key === ' ')) onRegion(region ?? middleRegion)
    else if (isCovering && (event.key === 'Delete' || event.key === 'Backspace')) onRegion(null)
    else if (isCovering && region && by) {
      const change = event.shiftKey ? resizedRegion : movedRegion
      onRegion(change(region, { x: by.x * regionStep, y: by.y * regionStep }))
    } else if (by) setView((before) => moved(before, { x: -by.x * panStep, y: -by.y * panStep }, image, stage))
    else if (event.key === '+' || event.key === '=') zoom(zoomStep)
    else if (event.key === '-') zoom(1 / zoomStep)
    else if (event.key === '0') setView(fitted)
    else return
    event.preventDefault()
  }

  const shown = shownSize(image, stage, view.zoom)
  const corner = cornerOf(view, image, stage)
  const percent = (part: number): string => `${part * 100}%`
  return (
    <section
      ref={box}
      className={css.stage}
      style={{ aspectRatio: Math.min(1.6, Math.max(1, image.width / image.height)) }}
      data-covering={isCovering}
      aria-label={`${name}. ${isCovering ? coverHint : zoomHint}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls and zooms by keys has to take the focus
      tabIndex={0}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => {
        drag.current = null
      }}
      onDoubleClick={() => setView(fitted)}
      onKeyDown={onKeyDown}
    >
      <div className={css.frame} style={{ left: corner.x, top: corner.y, width: shown.width, height: shown.height }}>
        <img src={src} alt={name} draggable={false} onError={onMissing} />
        {overlay}
        {region && (
          <div
            className={css.region}
            role="img"
            aria-label="Covered region"
            style={{
              ...{ left: percent(region.x), top: percent(region.y) },
              ...{ width: percent(region.width), height: percent(region.height) },
            }}
          />
        )}
      </div>
      <div className={css.tools}>
        <Later>
          <StageButton label="Zoom out" keys="−" onClick={() => zoom(1 / zoomStep)} icon={<IconZoomOut size={17} />} />
          <StageButton label="Zoom in" keys="+" onClick={() => zoom(zoomStep)} icon={<IconZoomIn size={17} />} />
          <StageButton
            label="Whole image"
            keys="0"
            onClick={() => setView(fitted)}
            icon={<IconArrowsMaximize size={17} />}
          />
        </Later>
      </div>
    </section>
  )
}

const zoomHint = 'Plus and minus zoom, the arrow keys move, 0 shows the whole image.'
const coverHint =
  'Enter covers the middle; the arrow keys move the region, with Shift they change its size, Delete removes it.'

interface Drag {
  /** Where it began, in fractions of the image. */
  readonly from: Point
  /** Where it was last, on the stage. */
  readonly last: Point
}

const arrows: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
}

function pointOf(event: { readonly clientX: number; readonly clientY: number }, element: Element): Point {
  const { left, top } = element.getBoundingClientRect()
  return { x: event.clientX - left, y: event.clientY - top }
}

interface StageButtonProps {
  readonly label: string
  readonly keys: string
  readonly icon: ReactNode
  readonly onClick: () => void
}

function StageButton({ label, keys, icon, onClick }: StageButtonProps): ReactNode {
  return (
    <Tooltip label={`${label} (${keys})`}>
      <ActionIcon variant="default" aria-label={label} onClick={onClick}>
        {icon}
      </ActionIcon>
    </Tooltip>
  )
}

function useSize(box: React.RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 400, height: 400 })
  useLayoutEffect(() => {
    const element = box.current
    if (!element) return
    const measure = (): void => setSize({ width: element.clientWidth, height: element.clientHeight })
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    measure()
    return () => observer.disconnect()
  }, [box])
  return size
}
