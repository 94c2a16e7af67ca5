// How a spec looks at a page: a picture in the test's results, and axe, which may find nothing serious.
import { expect, type Page, test } from '@playwright/test'
import { seriousViolations } from './axe.ts'
import { layoutFaults } from './layout.ts'
import { isThorough, type Studio } from './studio.ts'

export const schemes = ['light', 'dark'] as const
export type Scheme = (typeof schemes)[number]
/** Widths of the window in pixels: as it opens, and as narrow as it gets. */
export const widths = [1280, 760] as const

/** Takes a picture of this name and holds the page to axe. */
export async function look(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: test.info().outputPath(`${name}.png`) })
  expect.soft(await seriousViolations(page), name).toEqual([])
}

/** The same in light and in dark. */
export async function lookInBoth({ page }: { readonly page: Page }, name: string): Promise<void> {
  for (const scheme of schemes) {
    await paint(page, scheme)
    await look(page, `${name} ${scheme}`)
  }
}

/** How a page is looked at where not everything is: narrow in light, wide in dark. What axe finds hangs on one of both. */
const isLookedAt = (scheme: Scheme, width: number): boolean => isThorough || (scheme === 'light') === (width === 760)

/** The same in both themes and at both widths, at none of which anything may be cut or scroll sideways. */
export async function lookAtAll(studio: Studio, name: string): Promise<void> {
  for (const scheme of schemes) {
    await paint(studio.page, scheme)
    for (const width of widths.toReversed()) {
      await widen(studio, width)
      if (isLookedAt(scheme, width)) await look(studio.page, `${name} ${scheme} ${width}`)
      expect.soft(await layoutFaults(studio.page), `${name} ${scheme} ${width}`).toEqual([])
    }
  }
}

/** CSS pixels by which the page is wider than the window. */
export function overhang(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
}

/** Makes the window so wide, as a person who drags its edge. */
export async function widen({ app }: Studio, width: number): Promise<void> {
  await app.evaluate(({ BrowserWindow }, w) => BrowserWindow.getAllWindows()[0]?.setSize(w, 860), width)
}

/** Sets the theme without a click, wherever the person is. */
export async function paint(page: Page, scheme: Scheme): Promise<void> {
  await page.evaluate((chosen) => window.studio.request('app.setAppearance', { appearance: chosen }), scheme)
  await expect(page.locator(`html[data-mantine-color-scheme=${scheme}]`)).toBeAttached()
}

/** Chooses a theme by the switch below the pages. */
export async function choose({ page }: Studio, appearance: 'Light' | 'Dark'): Promise<void> {
  await page.getByTitle(appearance, { exact: true }).click()
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', appearance.toLowerCase())
}
