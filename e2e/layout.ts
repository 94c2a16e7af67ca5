// What is wrong with how the page is laid out: text that is cut, controls that are hidden, cover one another or lie where
// no scrolling leads, a page that is wider than its window.
import type { Page } from '@playwright/test'

/** Faults of the page as it is shown, each as a sentence with the element. */
export function layoutFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const faults: string[] = []
    const words = (element: Element): string => {
      const name = element.getAttribute('aria-label') ?? element.textContent?.trim() ?? ''
      return `<${element.localName}> “${name.slice(0, 50)}”`
    }
    const style = (element: Element): CSSStyleDeclaration => getComputedStyle(element)
    const isSeen = (element: Element): boolean =>
      element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true }) &&
      element.getClientRects().length > 0 &&
      !element.closest('[aria-hidden="true"], svg, .skip-link') &&
      !isForReadersOnly(element)
    /** As Mantine and we hide text that only a screen reader says. */
    const isForReadersOnly = (element: Element): boolean => {
      for (let at: Element | null = element; at; at = at.parentElement) {
        const { width, height } = at.getBoundingClientRect()
        if (width <= 1 || height <= 1) return true
      }
      return false
    }

    const root = document.documentElement
    if (root.scrollWidth > innerWidth) faults.push(`the window scrolls sideways by ${root.scrollWidth - innerWidth} px`)
    const areas = [
      ...document.querySelectorAll('#main, #main article, #main nav, nav[aria-label="Pages"], [role=dialog]'),
    ]
    for (const area of areas) {
      if (style(area).overflowX !== 'visible' && area.scrollWidth > area.clientWidth + 1) {
        faults.push(`${area.localName} scrolls sideways by ${area.scrollWidth - area.clientWidth} px`)
      }
    }

    const texts = [...document.querySelectorAll('body *')].filter(
      (one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim()) && isSeen(one),
    )
    for (const text of texts) {
      const { overflowX, overflowY, textOverflow, whiteSpace } = style(text)
      const isWide = text.scrollWidth > text.clientWidth + 1 && text.clientWidth > 0 && /hidden|clip/.test(overflowX)
      const isTold = textOverflow === 'ellipsis' && text.closest('[title], [aria-label], option') !== null
      if (isWide && !isTold)
        faults.push(`cut at its side${textOverflow === 'ellipsis' ? ', without a tip' : ''}: ${words(text)}`)
      const isClamped = style(text).webkitLineClamp !== 'none'
      const isTall =
        text.scrollHeight > text.clientHeight + 3 && /hidden|clip/.test(overflowY) && whiteSpace !== 'nowrap'
      if (isTall && !isClamped && text.clientHeight > 0) faults.push(`cut below: ${words(text)}`)
    }

    const controls = [
      ...document.querySelectorAll('button, a[href], input, select, textarea, [role=slider], [role=gridcell]'),
    ].filter((one) => isSeen(one) && !one.closest('[data-virtual]'))
    const boxes = new Map(controls.map((one) => [one, one.getBoundingClientRect()]))
    for (const [control, box] of boxes) {
      if (box.left < -1) faults.push(`left of the window: ${words(control)}`)
      let isScrolled = false
      for (let at = control.parentElement; at && at !== document.body; at = at.parentElement) {
        const { overflowX, overflowY } = style(at)
        const around = at.getBoundingClientRect()
        if (/auto|scroll/.test(`${overflowX} ${overflowY}`)) isScrolled = true
        if (isScrolled) break
        const isOut =
          (/hidden|clip/.test(overflowX) && (box.left < around.left - 2 || box.right > around.right + 2)) ||
          (/hidden|clip/.test(overflowY) && (box.top < around.top - 2 || box.bottom > around.bottom + 2))
        if (isOut) faults.push(`partly hidden by <${at.localName} class="${at.className}">: ${words(control)}`)
        if (isOut) break
      }
      if (!isScrolled && (box.bottom > innerHeight + 1 || box.right > innerWidth + 1)) {
        faults.push(`beyond the window: ${words(control)}`)
      }
    }
    const list = [...boxes]
    for (const [i, [one, a]] of list.entries()) {
      for (const [other, b] of list.slice(i + 1)) {
        if (one.contains(other) || other.contains(one)) continue
        const width = Math.min(a.right, b.right) - Math.max(a.left, b.left)
        const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
        if (width <= 3 || height <= 3) continue
        // Only what both show: something that is scrolled out of sight, or lies on a layer of its own, covers nothing.
        const x = Math.max(a.left, b.left) + width / 2
        const y = Math.max(a.top, b.top) + height / 2
        const top = document.elementFromPoint(x, y)
        const layer = (element: Element): Element | null =>
          element.closest('[role=alert], [role=dialog], [data-portal], label, .mantine-Input-wrapper, [role=group]')
        if (
          !top ||
          layer(one) !== layer(other) ||
          (layer(one) && /label|Input/.test(`${layer(one)?.localName} ${layer(one)?.className}`))
        )
          continue
        if (one.contains(top) || other.contains(top))
          faults.push(`one upon the other: ${words(one)} and ${words(other)}`)
      }
    }
    return [...new Set(faults)]
  })
}
