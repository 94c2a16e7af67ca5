// What is wrong with how the page is laid out: a window, a page, a part of it or a dialog that scrolls sideways.
import type { Page } from '@playwright/test'

/** Faults of the page as it is shown, each as a sentence. */
export function layoutFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const root = document.documentElement
    const beyond = root.scrollWidth - innerWidth
    const areas = [
      ...document.querySelectorAll('#main, #main article, #main nav, nav[aria-label="Pages"], [role=dialog]'),
    ].filter((area) => getComputedStyle(area).overflowX !== 'visible' && area.scrollWidth > area.clientWidth + 1)
    return [
      ...(beyond > 0 ? [`the window scrolls sideways by ${beyond} px`] : []),
      ...areas.map((area) => `${area.localName} scrolls sideways by ${area.scrollWidth - area.clientWidth} px`),
    ]
  })
}
