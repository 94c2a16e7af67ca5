// Every measure of the Evaluate page, carried out on a real run of the demo model and small files of a person's own, with
// what the activity tray says meanwhile; and images described from the votes.
import { join } from 'node:path'
import type { Locator, Page } from '@playwright/test'
import { writeBenchmarks } from './benchmarkFiles.ts'
import { look, lookAtAll } from './looks.ts'
import { answerDialogs, expect, isThorough, makeWorkspace, type Studio, test, why } from './studio.ts'

/** Opens the form, has it filled in, starts and waits for its figures. */
async function evaluate(page: Page, name: string, fill: (dialog: Locator) => Promise<void>): Promise<Locator> {
  await page.getByRole('button', { name: 'New evaluation' }).click()
  const dialog = page.getByRole('dialog', { name: 'New evaluation' })
  await fill(dialog)
  await dialog.getByRole('button', { name: 'Start' }).click()
  const table = page.getByRole('article', { name }).getByRole('table', { name: 'Figures' })
  await expect(table).toBeVisible({ timeout: 120_000 })
  return table
}

async function choose(studio: Studio, dialog: Locator, label: string, path: string): Promise<void> {
  await answerDialogs(studio, path)
  await dialog.getByRole('button', { name: `Choose: ${label}` }).click()
  await expect(dialog.getByRole('textbox', { name: label })).toHaveValue(path)
}

const row = (table: Locator, title: string): Locator =>
  table.getByRole('row').filter({ has: table.page().getByText(title, { exact: true }) })

test('each measure is carried out on files of a person’s own', async ({ launch, folder }) => {
  test.skip(!isThorough, why)
  test.setTimeout(600_000)
  const path = join(folder, 'measured.fisao')
  await makeWorkspace(path, 'e2e/runFile.ts', 'begin', path)
  const files = writeBenchmarks(folder)
  const studio = await launch({ args: [path] })
  const { page } = studio
  const runs = (): Promise<unknown> => page.evaluate(() => window.studio.request('runs.list', {}))
  await expect.poll(runs, { timeout: 180_000 }).toMatchObject({ value: [{ state: 'complete' }] })
  // It would lie over the form's buttons.
  await page.getByRole('button', { name: 'Close this message' }).click()

  await test.step('estimates without annotations, on what the grid shows', async () => {
    await page.getByRole('searchbox', { name: 'Search images' }).fill('scene-000')
    await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText('9 images found')
    await page.getByRole('button', { name: 'Evaluate' }).click()
    const table = await evaluate(page, 'Estimates without annotations', async (dialog) => {
      await dialog.getByRole('combobox', { name: 'Which images' }).click()
      await page.getByRole('option', { name: 'What the grid shows: 9 images' }).click()
      await look(page, 'what the grid shows')
    })
    await expect(row(table, 'Length')).toBeVisible()
    await page.getByRole('button', { name: 'See the images and words' }).click()
    await expect(page.getByRole('article', { name: /^scene-000/ })).toHaveCount(9)
    await page.getByRole('button', { name: 'All figures' }).click()
  })

  await test.step('POPE, from a file of questions', async () => {
    const table = await evaluate(page, 'POPE', async (dialog) => {
      await dialog.getByRole('radio', { name: 'POPE' }).check()
      await choose(studio, dialog, 'File of questions', files.popeQuestions)
      await choose(studio, dialog, 'Folder of the images', files.images)
    })
    await expect(row(table, 'Accuracy')).toBeVisible()
    await look(page, 'POPE')
  })

  await test.step('MME, from its folder', async () => {
    const table = await evaluate(page, 'MME', async (dialog) => {
      await dialog.getByRole('radio', { name: 'MME' }).check()
      await choose(studio, dialog, 'Folder of MME', files.mmeFolder)
    })
    await expect(row(table, 'Perception')).toBeVisible()
    await page.getByText('By subtask').click()
    await expect(page.getByText('Accuracy+', { exact: true }).first()).toBeVisible()
    await look(page, 'MME')
  })

  await test.step('AMBER, which is an activity with its progress meanwhile', async () => {
    const table = await evaluate(page, 'AMBER', async (dialog) => {
      await dialog.getByRole('radio', { name: 'AMBER' }).check()
      await choose(studio, dialog, 'Folder “data” of AMBER', files.amberData)
      await choose(studio, dialog, 'File of queries', files.amberQueries)
      await choose(studio, dialog, 'Folder of the images', files.images)
    })
    for (const title of ['AMBER score', 'Cover', 'Hal', 'Cog']) await expect(row(table, title).first()).toBeVisible()
    await look(page, 'AMBER')
  })

  await test.step('images that have no response are described from the votes', async () => {
    await page.getByRole('tab', { name: 'Blind votes' }).click()
    const responses = page.getByRole('region', { name: 'Responses' })
    await expect(responses).toContainText('8 images have a response of both')
    await responses.getByRole('button', { name: /^Describe 16 images with one model/ }).click()
    await responses.getByRole('button', { name: /^Describe 16 images with the other model/ }).click()
    await page.getByRole('button', { name: /under way/ }).click()
    const tray = page.getByRole('list', { name: 'Under way' })
    await expect(tray.getByText(/^Description/).first()).toBeVisible()
    await lookAtAll(studio, 'the tray')
    await page.keyboard.press('Escape')
    await expect(responses).toContainText('24 images have a response of both', { timeout: 120_000 })
    await expect(responses.getByRole('button', { name: /^Describe/ })).toHaveCount(0)
  })
})
