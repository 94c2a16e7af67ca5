// How a spec looks at a page: a picture in the test's results, and axe, which may find nothing serious.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, type Page, test } from '@playwright/test'
import type { Studio } from './studio.ts'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Takes a picture of this name and holds the page to axe. */
export async function look(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: test.info().outputPath(`${name}.png`) })
  await page.evaluate(axeSource)
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') }
    const { violations } = await axe.run()
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
  })
  expect.soft(found, name).toEqual([])
}

/** Makes the window so wide, as a person who drags its edge. */
export async function widen({ app }: Studio, width: number): Promise<void> {
  await app.evaluate(({ BrowserWindow }, w) => BrowserWindow.getAllWindows()[0]?.setSize(w, 860), width)
}

/** Chooses a theme by the switch below the pages. */
export async function choose({ page }: Studio, appearance: 'Light' | 'Dark'): Promise<void> {
  await page.getByTitle(appearance, { exact: true }).click()
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', appearance.toLowerCase())
}
