// The grid of images: only the rows in view exist, so that 100,000 images scroll like a hundred.
import { useVirtualizer } from '@tanstack/react-virtual'
import {
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import type { ImageQuery, ImageRow } from '../../../../shared/domain.ts'
import { useImageRows } from '../../queries/images.ts'
import { useKeptScroll } from '../../ui/useKeptScroll.ts'
import { activeTile, isBackInGrid, keepActiveTile } from './gridPlace.ts'
import css from './ImageGrid.module.css'
import { isChosen } from './selection.ts'
import { Tile } from './Tile.tsx'
import type { Choosing } from './useSelection.ts'

const tileWidth = 164
const tileHeight = 188
const gap = 8
/** Beyond this speed pictures fly by unseen; only their frames are shown until the scrolling slows down. */
const fastPixelsPerMs = 6

export interface ImageGridProps {
  readonly query: ImageQuery
  /** What the person asked for; changes only when they ask for something else. */
  readonly listName: string
  /** Images of the query. */
  readonly total: number
  readonly workspaceKey: string
  readonly choosing: Choosing
  readonly onOpen: (index: number, image: ImageRow) => void
  /** The image that has the focus: the next to be opened, if any is. */
  readonly onFocus: (image: ImageRow) => void
  /** The person asks for what is chosen to be taken away. */
  readonly onRemove: () => void
}

export function ImageGrid({
  query,
  listName,
  total,
  workspaceKey,
  choosing,
  onOpen,
  onFocus,
  onRemove,
}: ImageGridProps): ReactNode {
  const scroller = useRef<HTMLDivElement>(null)
  const columns = useColumns(scroller)
  const [kept, setActive] = useState(activeTile)
  const active = Math.max(0, Math.min(total - 1, kept))
  useEffect(() => keepActiveTile(active), [active])
  const isFast = useFastScroll(scroller)
  const rows = useVirtualizer({
    count: Math.ceil(total / columns),
    getScrollElement: () => scroller.current,
    estimateSize: () => tileHeight + gap,
    overscan: 2,
    paddingStart: 4,
    paddingEnd: 12,
  })
  useKeptScroll('images.scroll', scroller, total > 0)
  const shown = rows.getVirtualItems()
  const first = (shown[0]?.index ?? 0) * columns
  const end = Math.min(total, ((shown.at(-1)?.index ?? -1) + 1) * columns)
  const rowAt = useImageRows(query, first, end, !isFast)

  // Another list begins at its top.
  const before = useRef(listName)
  useEffect(() => {
    if (before.current === listName) return
    before.current = listName
    setActive(0)
    scroller.current?.scrollTo({ top: 0 })
  }, [listName])

  // The tile may come into being only after the scrolling.
  const focusTile = (index: number, frames = 10): void => {
    requestAnimationFrame(() => {
      const tile = scroller.current?.querySelector<HTMLElement>(`[data-index="${index}"]`)
      if (tile) tile.focus()
      else if (frames > 0) focusTile(index, frames - 1)
    })
  }
  const move = (index: number): number => {
    const next = Math.max(0, Math.min(total - 1, index))
    setActive(next)
    rows.scrollToIndex(Math.floor(next / columns))
    focusTile(next)
    return next
  }

  const comeBack = useEffectEvent(() => {
    if (isBackInGrid()) move(active)
  })
  useEffect(() => {
    if (total > 0) comeBack()
  }, [total])

  const open = (index: number): void => {
    const image = rowAt(index)
    if (image) onOpen(index, image)
  }
  const toggle = (index: number): void => {
    const image = rowAt(index)
    if (image) choosing.toggle(index, image.imageId)
  }
  const onClick = (event: MouseEvent): void => {
    const index = placeOf(event.target)
    const image = index === null ? undefined : rowAt(index)
    if (index === null || !image) return
    if (event.shiftKey) choosing.upTo(index)
    else if (event.ctrlKey || event.metaKey) choosing.toggle(index, image.imageId)
    else choosing.only(index, image.imageId)
  }

  const onKeyDown = (event: KeyboardEvent): void => {
    const { key, shiftKey, altKey } = event
    const isWithControl = event.ctrlKey || event.metaKey
    // Alt with an arrow goes back and forward.
    if (altKey) return
    const pageRows = Math.max(1, Math.floor((scroller.current?.clientHeight ?? tileHeight) / (tileHeight + gap)))
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: active + 1,
      ArrowLeft: active - 1,
      ArrowDown: active + columns,
      ArrowUp: active - columns,
      PageDown: active + pageRows * columns,
      PageUp: active - pageRows * columns,
      Home: 0,
      End: total - 1,
    }
    const next = steps[key]
    if (next !== undefined) {
      const to = move(next)
      if (shiftKey) choosing.upTo(to)
    } else if (key === 'Enter') open(active)
    else if (key === ' ' && shiftKey) choosing.upTo(active)
    else if (key === ' ') toggle(active)
    else if (isWithControl && key.toLowerCase() === 'a') choosing.all()
    else if (key === 'Escape') choosing.clear()
    else if (key === 'Delete' || (key === 'Backspace' && event.metaKey)) onRemove()
    else return
    event.preventDefault()
  }

  return (
    <div
      ref={scroller}
      className={css.grid}
      role="grid"
      aria-label="Images"
      aria-rowcount={Math.ceil(total / columns)}
      aria-colcount={columns}
      aria-multiselectable="true"
      tabIndex={-1}
      onKeyDown={onKeyDown}
      onClick={onClick}
      onDoubleClick={({ target }) => {
        const index = placeOf(target)
        if (index !== null) open(index)
      }}
      onFocus={({ target }) => {
        const index = placeOf(target)
        if (index === null) return
        setActive(index)
        const image = rowAt(index)
        if (image) onFocus(image)
      }}
    >
      <div className={css.gridRows} role="presentation" style={{ height: rows.getTotalSize() }}>
        {shown.map(({ key, index, start }) => (
          <div
            key={key}
            className={css.gridRow}
            role="row"
            aria-rowindex={index + 1}
            style={{ transform: `translateY(${start}px)` }}
          >
            {Array.from({ length: Math.min(columns, total - index * columns) }, (_, column) => {
              const place = index * columns + column
              const image = rowAt(place)
              return (
                <Tile
                  key={place}
                  index={place}
                  image={image}
                  isActive={place === active}
                  isChosen={image !== undefined && isChosen(choosing.selection, image.imageId)}
                  workspaceKey={workspaceKey}
                />
              )
            })}
          </div>
        ))}
      </div>
    </div>
  )
}

/** The place of the tile that an event came from; null beside them. */
function placeOf(target: EventTarget): number | null {
  const tile = target instanceof Element ? target.closest<HTMLElement>('[data-index]') : null
  return tile ? Number(tile.dataset.index) : null
}

/** How many tiles fit beside each other; follows the width of the window. */
function useColumns(scroller: React.RefObject<HTMLDivElement | null>): number {
  const [columns, setColumns] = useState(5)
  useLayoutEffect(() => {
    const element = scroller.current
    if (!element) return
    const measure = (): void =>
      setColumns(Math.max(1, Math.floor((element.clientWidth - 12 + gap) / (tileWidth + gap))))
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    measure()
    return () => observer.disconnect()
  }, [scroller])
  return columns
}

/** True while the grid is scrolled faster than pictures could be seen. */
function useFastScroll(scroller: React.RefObject<HTMLDivElement | null>): boolean {
  const [isFast, setFast] = useState(false)
  useEffect(() => {
    const element = scroller.current
    if (!element) return
    let lastTop = element.scrollTop
    let lastMs = performance.now()
    let timer = 0
    const onScroll = (): void => {
      const nowMs = performance.now()
      const speed = Math.abs(element.scrollTop - lastTop) / Math.max(1, nowMs - lastMs)
      lastTop = element.scrollTop
      lastMs = nowMs
      setFast(speed > fastPixelsPerMs)
      clearTimeout(timer)
      timer = window.setTimeout(() => setFast(false), 80)
    }
    element.addEventListener('scroll', onScroll, { passive: true })
    return () => {
      element.removeEventListener('scroll', onScroll)
      clearTimeout(timer)
    }
  }, [scroller])
  return isFast
}
