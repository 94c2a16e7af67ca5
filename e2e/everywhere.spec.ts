// What is at hand on every page: tour, palette, keys and terms, settings, and what is under way.
import { join } from 'node:path'
import { look, lookAtAll } from './looks.ts'
import { expect, makeWorkspace, test } from './studio.ts'

test('the tour is shown once, and can be asked for again', async ({ launch }) => {
  const first = await launch()
  const tour = first.page.getByRole('region', { name: 'Tour' })
  await expect(tour).toContainText('1 of 4')
  await look(first.page, 'tour')
  await tour.getByRole('button', { name: 'Go ahead' }).click()
  await expect(tour).toContainText('2 of 4')
  await tour.getByRole('button', { name: 'Skip' }).click()
  await expect(tour).toBeHidden()
  await first.page.reload()
  await first.page.getByRole('heading', { level: 1 }).waitFor()
  await expect(tour).toBeHidden()
  await first.page.keyboard.press('Control+k')
  await first.page.getByPlaceholder('Find a page, a run or an action').fill('around')
  await first.page.keyboard.press('Enter')
  await expect(tour).toContainText('1 of 4')
})

test('anything is found by its name, keys and terms are listed', async ({ launch, folder }) => {
  const path = join(folder, 'aligned.fisao')
  await makeWorkspace(path, 'e2e/runsFile.ts', path)
  const { page } = await launch({ args: [path] })
  await expect(page.getByRole('gridcell').first()).toBeVisible()
  const palette = page.getByPlaceholder('Find a page, a run or an action')

  await test.step('the palette leads to runs and pages', async () => {
    await page.keyboard.press('Control+k')
    await expect(palette).toBeFocused()
    await look(page, 'palette')
    await palette.fill('street')
    await page.keyboard.press('Enter')
    await expect(palette).toBeHidden()
    await expect(page.getByRole('article', { name: /^Street scenes/ })).toBeVisible()
    await page.keyboard.press('Control+k')
    await palette.fill('no such thing')
    await expect(page.getByText('Nothing has this in its name.')).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(palette).toBeHidden()
  })

  await test.step('? lists keys and terms, but not while text is typed', async () => {
    await page.keyboard.press('?')
    const help = page.getByRole('dialog', { name: 'Help' })
    await expect(help.getByText('Find a page, a run or an action')).toBeVisible()
    await look(page, 'keys')
    await help.getByRole('tab', { name: 'Terms' }).click()
    await expect(help.getByText('s = ⟨f_img(image), f_txt(word)⟩')).toBeVisible()
    await look(page, 'terms')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Images', exact: true }).click()
    await page.getByRole('searchbox', { name: 'Search images' }).pressSequentially('a?')
    await expect(page.getByRole('searchbox', { name: 'Search images' })).toHaveValue('a?')
    await expect(help).toBeHidden()
  })
})

test('settings are kept, and say what happens', async ({ studio }) => {
  const { page } = studio
  await page.getByRole('button', { name: 'Settings' }).click()
  await expect(page.getByText(/^Nothing is sent/)).toBeVisible()
  await page.getByRole('textbox', { name: 'Threads' }).fill('2')
  await page.getByRole('textbox', { name: 'Threads' }).press('Enter')
  await expect(page.getByText(/are kept only to be faster/)).toBeVisible()
  await page.getByRole('button', { name: 'Empty the cache' }).click()
  await expect(page.getByText(/freed\.$/)).toBeVisible()
  await lookAtAll(studio, 'settings')
  await page.getByRole('button', { name: 'Home' }).click()
  await page.getByRole('button', { name: 'Settings' }).click()
  await expect(page.getByRole('textbox', { name: 'Threads' })).toHaveValue('2')
})

test('the tray shows what is under way, and the load', async ({ studio: { page } }) => {
  await page.getByRole('button', { name: 'Home' }).click()
  await page.getByRole('button', { name: 'Measure again' }).click()
  await page.getByRole('button', { name: 'under way' }).click()
  const tray = page.getByRole('dialog', { name: 'Activities' })
  await expect(tray.getByText('Processor', { exact: true })).toBeVisible()
  await look(page, 'tray')
  await page.keyboard.press('Escape')
  await expect(tray).toBeHidden()
})
