// How far an element was scrolled, found again when its page is shown again.
import { type RefObject, useLayoutEffect } from 'react'
import { z } from 'zod'
import { keep, keptValue } from '../place.ts'

const topSchema = z.number().nonnegative()
const settledMs = 200

/** @param isReady once what is scrolled has its height; before that there is nothing to scroll to */
export function useKeptScroll(name: string, element: RefObject<HTMLElement | null>, isReady: boolean): void {
  useLayoutEffect(() => {
    const scroller = element.current
    if (!scroller || !isReady) return
    let top = keptValue(name, topSchema, 0)
    let timer = 0
    scroller.scrollTop = top
    const onScroll = (): void => {
      top = scroller.scrollTop
      clearTimeout(timer)
      timer = window.setTimeout(() => keep(name, top), settledMs)
    }
    scroller.addEventListener('scroll', onScroll, { passive: true })
    return () => {
      scroller.removeEventListener('scroll', onScroll)
      clearTimeout(timer)
      keep(name, top)
    }
  }, [name, element, isReady])
}
