// The grid of images: only the rows in view exist, so that 100,000 images scroll like a hundred.
import { useVirtualizer } from '@tanstack/react-virtual'
import {
  type KeyboardEvent,
  memo,
  type ReactNode,
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react'
import { imageUrl } from '../../../../shared/contract.ts'
import type { ImageRow } from '../../../../shared/domain.ts'
import { formatPlural } from '../../format.ts'
import { useKeptScroll } from '../../ui/useKeptScroll.ts'
import { activeTile, isBackInGrid, keepActiveTile } from './gridPlace.ts'
import css from './ImageGrid.module.css'
import type { ImageWindows } from './imageWindows.ts'

const tileWidth = 164
const tileHeight = 188
const gap = 8
/** Beyond this speed pictures fly by unseen; only their frames are shown until the scrolling slows down. */
const fastPixelsPerMs = 6

export interface ImageGridProps {
  readonly windows: ImageWindows
  readonly total: number
  readonly workspaceKey: string
  readonly onOpen: (index: number) => void
}

export function ImageGrid({ windows, total, workspaceKey, onOpen }: ImageGridProps): ReactNode {
  const scroller = useRef<HTMLDivElement>(null)
  const columns = useColumns(scroller)
  const [active, setActive] = useState(activeTile)
  useEffect(() => keepActiveTile(active), [active])
  const isFast = useFastScroll(scroller)
  useSyncExternalStore(windows.subscribe, windows.version)
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
  const end = Math.min(total, ((shown.at(-1)?.index ?? 0) + 1) * columns)
  useEffect(() => {
    if (!isFast) windows.load(first, end)
  }, [windows, first, end, isFast])

  // The tile may come into being only after the scrolling.
  const focusTile = (index: number, frames = 10): void => {
    requestAnimationFrame(() => {
      const tile = scroller.current?.querySelector<HTMLElement>(`[data-index="${index}"]`)
      if (tile) tile.focus()
      else if (frames > 0) focusTile(index, frames - 1)
    })
  }
  const move = (index: number): void => {
    const next = Math.max(0, Math.min(total - 1, index))
    setActive(next)
    rows.scrollToIndex(Math.floor(next / columns))
    focusTile(next)
  }

  const comeBack = useEffectEvent(() => {
    if (isBackInGrid()) move(active)
  })
  useEffect(() => {
    if (total > 0) comeBack()
  }, [total])

  const onKeyDown = (event: KeyboardEvent): void => {
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
    const next = steps[event.key]
    if (next !== undefined) move(next)
    else if (event.key === 'Enter' || event.key === ' ') onOpen(active)
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
      tabIndex={-1}
      onKeyDown={onKeyDown}
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
              return (
                <Tile
                  key={place}
                  index={place}
                  image={windows.row(place)}
                  isActive={place === active}
                  workspaceKey={workspaceKey}
                  onFocus={setActive}
                  onOpen={onOpen}
                />
              )
            })}
          </div>
        ))}
      </div>
    </div>
  )
}

interface TileProps {
  readonly index: number
  readonly image: ImageRow | undefined
  readonly isActive: boolean
  readonly workspaceKey: string
  readonly onFocus: (index: number) => void
  readonly onOpen: (index: number) => void
}

/** One image; drawn again only when it or its focus changes. */
const Tile = memo(TileView)

function TileView({ index, image, isActive, workspaceKey, onFocus, onOpen }: TileProps): ReactNode {
  return (
    <div
      className={css.tile}
      role="gridcell"
      data-index={index}
      tabIndex={isActive ? 0 : -1}
      aria-label={image ? `${image.name}, ${image.width} by ${image.height} pixels` : 'loading'}
      onFocus={() => onFocus(index)}
      onDoubleClick={() => onOpen(index)}
    >
      <div className={css.tilePicture}>
        {image && (
          <img src={imageUrl.thumbnail(workspaceKey, image.imageId)} alt="" decoding="async" draggable={false} />
        )}
      </div>
      <div className={css.tileName} data-part="name">
        {image?.name}
      </div>
    </div>
  )
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

/** The sentence above the grid. */
export function describeTotal(total: number, isFiltered: boolean): string {
  return isFiltered ? `${formatPlural(total, 'image')} found` : formatPlural(total, 'image')
}
