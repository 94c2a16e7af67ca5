// The way through the window: back and forward by buttons, keys and mouse; pages as they were left; dialogs that lose
// nothing and give the focus back.
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { expect, makeWorkspace, type Studio, test } from './studio.ts'

async function openFile(launch: (options: { args: string[] }) => Promise<Studio>, folder: string): Promise<Studio> {
  const path = join(folder, 'aligned.fisao')
  await makeWorkspace(path, 'e2e/runsFile.ts', path)
  return await launch({ args: [path] })
}

function current(page: Page) {
  return page.getByRole('navigation', { name: 'Pages' }).locator('[aria-current=page]')
}

test('back and forward lead along pages and runs, by buttons, keys and mouse', async ({ launch, folder }) => {
  const { page } = await openFile(launch, folder)
  const back = page.getByRole('button', { name: 'Back', exact: true })
  const forward = page.getByRole('button', { name: 'Forward', exact: true })
  await expect(back).toBeDisabled()
  await page.getByRole('button', { name: 'Runs' }).click()
  const list = page.getByRole('navigation', { name: 'Runs' })
  await list.getByRole('button', { name: 'Quick look' }).click()
  await list.getByRole('button', { name: 'Paper' }).click()
  await page.getByRole('button', { name: 'Home' }).click()
  await expect(current(page)).toHaveText('Home')

  await back.click()
  await expect(page.getByRole('article', { name: 'Paper' })).toBeVisible()
  await page.keyboard.press('Alt+ArrowLeft')
  await expect(page.getByRole('article', { name: 'Quick look' })).toBeVisible()
  await forward.click()
  await expect(page.getByRole('article', { name: 'Paper' })).toBeVisible()
  await page.keyboard.press('Alt+ArrowRight')
  await expect(current(page)).toHaveText('Home')
  await expect(forward).toBeDisabled()
  // The side button of a mouse, which Playwright has no name for.
  await page.evaluate(() => window.dispatchEvent(new MouseEvent('mouseup', { button: 3 })))
  await expect(page.getByRole('article', { name: 'Paper' })).toBeVisible()

  await test.step('a dialog keeps the page behind it', async () => {
    await page.getByRole('button', { name: 'Delete…' }).click()
    await page.keyboard.press('Alt+ArrowLeft')
    await expect(page.getByRole('button', { name: 'Keep it' })).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(page.getByRole('article', { name: 'Paper' })).toBeVisible()
  })

  await test.step('a page that is drawn again comes up where it was, with the way back', async () => {
    await page.reload()
    await expect(page.getByRole('article', { name: 'Paper' })).toBeVisible()
    await back.click()
    await expect(page.getByRole('article', { name: 'Quick look' })).toBeVisible()
  })
})

test('pages are found as they were left', async ({ launch, folder }) => {
  const { page } = await openFile(launch, folder)
  const search = page.getByRole('searchbox', { name: 'Search images' })
  const grid = page.getByRole('grid', { name: 'Images' })
  await expect(page.getByRole('gridcell').first()).toBeVisible()
  await grid.evaluate((element) => element.scrollTo({ top: 2000 }))
  await expect.poll(() => grid.evaluate((element) => element.scrollTop)).toBe(2000)
  await page.getByRole('button', { name: 'Runs' }).click()
  await page.getByRole('navigation', { name: 'Runs' }).getByRole('button', { name: 'Paper' }).click()
  await page.getByRole('button', { name: 'Images', exact: true }).click()
  await expect.poll(() => grid.evaluate((element) => element.scrollTop)).toBe(2000)
  await page.getByRole('combobox', { name: 'Order' }).click()
  await page.getByRole('option', { name: 'By name' }).click()
  await search.fill('photo-00001')
  const found = '10 images found'
  await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText(found)

  await page.getByRole('button', { name: 'Runs' }).click()
  await expect(page.getByRole('article', { name: 'Paper' })).toBeVisible()
  await page.getByRole('button', { name: 'Images', exact: true }).click()
  await expect(search).toHaveValue('photo-00001')
  await expect(page.getByRole('combobox', { name: 'Order' })).toHaveValue('By name')
  await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText(found)
})

test('a new run survives that its page is left, until it is discarded; a dialog gives the focus back', async ({
  launch,
  folder,
}) => {
  const { page } = await openFile(launch, folder)
  await page.getByRole('button', { name: 'Runs' }).click()
  const open = page.getByRole('button', { name: 'New run' })
  await open.click()
  const next = page.getByRole('button', { name: 'Next' })
  await next.click()
  await next.click()
  await page.getByRole('radio', { name: 'Thorough' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('Kept')
  await page.getByRole('button', { name: 'Runs' }).click()
  await open.click()
  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('Kept')
  await expect(page.getByRole('radio', { name: 'Thorough' })).toBeChecked()
  await page.getByRole('button', { name: 'Discard' }).click()
  await page.getByRole('button', { name: 'Discard it' }).click()
  await open.click()
  await next.click()
  await next.click()
  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('Quick look 2')
  await page.getByRole('button', { name: 'Runs' }).click()

  await page.getByRole('navigation', { name: 'Runs' }).getByRole('button', { name: 'Paper' }).click()
  const remove = page.getByRole('button', { name: 'Delete…' })
  await remove.click()
  await page.getByRole('button', { name: 'Keep it' }).click()
  await expect(remove).toBeFocused()
})
