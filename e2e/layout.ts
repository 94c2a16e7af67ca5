// What is wrong with how the page is laid out: a window, a page, a part of it or a dialog that scrolls sideways; what is said
// on a button, a tab or a heading and is cut.
import type { Page } from '@playwright/test'

/** Faults of the page as it is shown, each as a sentence. */
export function layoutFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const root = document.documentElement
    const beyond = root.scrollWidth - innerWidth
    const areas = [
      ...document.querySelectorAll('#main, #main article, #main nav, nav[aria-label="Pages"], [role=dialog]'),
    ].filter((area) => getComputedStyle(area).overflowX !== 'visible' && area.scrollWidth > area.clientWidth + 1)
    const widest = (area: Element): Element | undefined => {
      const right = (element: Element): number => element.getBoundingClientRect().right
      return [...area.querySelectorAll('*')].reduce((far, one) => (right(one) >= right(far) ? one : far))
    }
    // What may be long, as a person's own names, ends in an ellipsis on purpose; a button never does.
    const isCut = (element: Element): boolean => {
      const { overflowX, textOverflow } = getComputedStyle(element)
      const mayBeLong = textOverflow === 'ellipsis' && element.closest('.mantine-Button-root, [role=tab]') === null
      return (
        overflowX === 'hidden' && !mayBeLong && element.clientWidth > 1 && element.scrollWidth > element.clientWidth + 1
      )
    }
    const words = document.querySelectorAll('button *, [role=tab] *, h1, h2, h3')
    const cut = [...words].filter((element) => element.textContent?.trim() && isCut(element))
    return [
      ...cut.map((element) => `“${element.textContent?.trim()}” is cut`),
      ...(beyond > 0 ? [`the window scrolls sideways by ${beyond} px`] : []),
      ...areas.map((area) => {
        const by = area.scrollWidth - area.clientWidth
        return `${area.localName} scrolls sideways by ${by} px, as far as “${widest(area)?.textContent?.trim().slice(0, 60)}”`
      }),
    ]
  })
}
