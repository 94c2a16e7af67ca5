// One way through the window by keys alone: a workspace is opened from the welcome screen, an image is looked at, a word
// chosen, a new run begun. The mouse is not touched.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from '@playwright/test'
import { expect, makeWorkspace, test } from './studio.ts'

/** More presses than any page has places to stop at. */
const mostPresses = 60

/** Goes on with Tab until this is in focus, and sees that the focus can be seen. */
async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  for (let presses = 0; presses < mostPresses; presses++) {
    await page.keyboard.press(key)
    if (!(await target.evaluate((element) => element === document.activeElement))) continue
    await expect(target).toBeInViewport()
    const ring = await target.evaluate((element) => {
      const { outlineStyle, outlineWidth, boxShadow, borderColor } = getComputedStyle(element)
      return outlineStyle !== 'none' && outlineWidth !== '0px'
        ? 'outline'
        : boxShadow !== 'none'
          ? 'shadow'
          : borderColor
    })
    expect(ring).not.toBe('')
    return
  }
  throw new Error(`${target} is not reached by ${mostPresses} presses of ${key}`)
}

test('from the welcome screen to a word and a new run, by keys alone', async ({ launch, folder }) => {
  test.setTimeout(300_000)
  const path = join(folder, 'described.fisao')
  await makeWorkspace(path, 'e2e/inspectorFile.ts', path)
  mkdirSync(join(folder, 'user data'))
  const recentWorkspaces = [{ path, name: 'described', openedAtMs: 1, imageCount: 12 }]
  writeFileSync(join(folder, 'user data', 'settings.json'), JSON.stringify({ recentWorkspaces }))
  const { page } = await launch()
  const button = (name: string | RegExp): Locator => page.getByRole('button', { name })

  await test.step('a workspace from the welcome screen', async () => {
    await tabTo(page, page.getByRole('link', { name: 'Skip to the page' }))
    await page.keyboard.press('Enter')
    await tabTo(page, button(/^described/))
    await page.keyboard.press('Enter')
    await expect(page.getByRole('heading', { name: 'Images', exact: true })).toBeVisible()
  })

  await test.step('an image of the grid', async () => {
    await tabTo(page, page.getByRole('gridcell').first())
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('Enter')
    await expect(page.getByRole('heading', { name: 'scene-0001.jpg' })).toBeVisible()
  })

  await test.step('a word, and why it counts as it does', async () => {
    const first = page.getByRole('article', { name: /^First model/ })
    await tabTo(page, first.getByRole('button', { name: 'umbrella, grounded' }))
    await page.keyboard.press('ArrowRight')
    await expect(first.getByRole('button', { name: 'giraffe, hallucinated, gone' })).toBeFocused()
    const panel = page.getByRole('region', { name: 'The word giraffe' })
    await expect(panel.getByRole('img', { name: /^Score 0.094, hallucinated; baselines/ })).toBeVisible()
    // Its evidence asks the encoder, which this workspace has not: the picture says so in place of a map.
    await expect(page.getByText(/^There is no map: /)).toBeVisible()
    await page.keyboard.press('PageDown')
    await expect(page.getByText('2 of 12')).toBeVisible()
  })

  await test.step('back to the same place in the grid', async () => {
    await page.keyboard.press('Alt+ArrowLeft')
    await expect(page.getByRole('gridcell').nth(1)).toBeFocused()
  })

  await test.step('a new run', async () => {
    await page.keyboard.press('Control+k')
    await page.keyboard.type('runs')
    await page.keyboard.press('Enter')
    await expect(page.getByRole('heading', { name: 'Runs', exact: true })).toBeVisible()
    await tabTo(page, button('New run'))
    await page.keyboard.press('Enter')
    await expect(page.getByRole('heading', { name: 'New run', level: 1 })).toBeVisible()
    await tabTo(page, button('Next'))
    await page.keyboard.press('Enter')
    await expect(page.getByRole('region', { name: 'Which images?' })).toBeVisible()
  })
})
