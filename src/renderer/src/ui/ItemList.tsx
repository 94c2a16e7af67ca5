// The list beside a page's details: runs, evaluations, models. One item is shown; each has a name, a mark of its state and some facts.
import type { IconClock } from '@tabler/icons-react'
import { type ReactNode, useEffect, useRef } from 'react'
import css from './ItemList.module.css'

interface ItemListProps {
  readonly label: string
  /** Of the item that is shown: it is scrolled to when another one is. */
  readonly shownId: number | string | null
  readonly children: ReactNode
}

export function ItemList({ label, shownId, children }: ItemListProps): ReactNode {
  const list = useRef<HTMLElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another item that is shown is another element to scroll to
  useEffect(() => list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' }), [shownId])
  return (
    <nav ref={list} className={css.list} aria-label={label}>
      {children}
    </nav>
  )
}

interface ItemProps {
  readonly name: string
  readonly mark: ReactNode
  readonly isShown: boolean
  readonly onShow: () => void
  readonly children: ReactNode
}

export function Item({ name, mark, isShown, onShow, children }: ItemProps): ReactNode {
  return (
    <button type="button" className={css.item} {...(isShown && { 'aria-current': 'true' as const })} onClick={onShow}>
      <span className={css.head}>
        <span className={css.name}>{name}</span>
        {mark}
      </span>
      {children}
    </button>
  )
}

/** A line below the name, cut where it is too long. */
export function Facts({ children, title }: { readonly children: ReactNode; readonly title?: string }): ReactNode {
  return (
    <span className={css.facts} title={title}>
      {children}
    </span>
  )
}

export type Tone = 'waits' | 'works' | 'good' | 'doubtful' | 'bad'

interface StateMarkProps {
  readonly icon: typeof IconClock
  readonly tone: Tone
  readonly children: string
}

export function StateMark({ icon: Icon, tone, children }: StateMarkProps): ReactNode {
  return (
    <span className={css.state} data-tone={tone}>
      <Icon size={15} aria-hidden="true" />
      {children}
    </span>
  )
}
