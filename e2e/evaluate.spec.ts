// Evaluate in the real window: figures with intervals and the images behind them, blind votes by mouse and keys.
// With the demo model and a person's own COCO file: wholeFlow.spec.ts.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { lookAtAll } from './looks.ts'
import { answerDialogs, expect, onRuntime, test } from './studio.ts'

const showEvaluate = (page: Page): Promise<void> => page.getByRole('button', { name: 'Evaluate' }).click()

test('figures lead to the images behind them, and responses are voted on blindly', async ({ launch, folder }) => {
  test.setTimeout(400_000)
  const path = join(folder, 'evaluated.fisao')
  await onRuntime('e2e/evaluationFile.ts', path)
  const studio = await launch({ args: [path] })
  const { page } = studio
  await showEvaluate(page)

  await test.step('figures with intervals and differences, recall and length among them', async () => {
    const table = page.getByRole('table', { name: 'Figures' })
    const row = (title: string) => table.getByRole('row').filter({ has: page.getByText(title, { exact: true }) })
    await expect(row('CHAIR-i')).toContainText('50.0% (44.0% to 56.0%)')
    await expect(row('CHAIR-i')).toContainText('−35.7 points (−41.7 to −29.7)better')
    await expect(row('Recall')).toContainText('+27.3 points')
    await expect(row('Length')).toContainText('no clear change')
    await expect(page.getByText('“scene-0999.jpg”')).toBeVisible()
    await lookAtAll(studio, 'figures')
    await page.getByRole('combobox', { name: 'Differences to' }).click()
    await page.getByRole('option', { name: /step 20/ }).click()
    await expect(row('CHAIR-i')).toContainText('+35.7 points (+29.7 to +41.7)worse')
  })

  await test.step('an object word leads to its images', async () => {
    await page.getByRole('combobox', { name: 'Order of the objects' }).click()
    await page.getByRole('option', { name: 'Name' }).click()
    await page.getByRole('table', { name: 'By object' }).scrollIntoViewIfNeeded()
    await lookAtAll(studio, 'objects')
    await page.getByRole('button', { name: 'bench, 6 hallucinated, model 1' }).click()
    const title = page.getByRole('heading', { name: /“bench” hallucinated · 6 images/ })
    await expect(title).toBeFocused()
    await expect(page.getByRole('article', { name: /^scene-/ })).toHaveCount(6)
    await expect(page.getByRole('button', { name: 'bench, hallucinated' }).first()).toBeVisible()
    await lookAtAll(studio, 'images')
    await page.getByRole('button', { name: 'All figures' }).click()
  })

  await test.step('a table is saved', async () => {
    const file = join(folder, 'figures.csv')
    await answerDialogs(studio, file)
    await page.getByRole('button', { name: 'Figures as CSV…' }).click()
    await expect(page.getByText(`Saved as ${file}`)).toBeVisible()
    expect(readFileSync(file, 'utf8')).toContain('chairI')
  })

  await test.step('one that was cancelled or failed says so', async () => {
    const list = page.getByRole('navigation', { name: 'Evaluations' })
    await list.getByRole('button', { name: /^Annotations of another folder/ }).click()
    await expect(page.getByRole('alert')).toContainText('Choose the folder that the names in the file begin from.')
    await lookAtAll(studio, 'failed')
    await list.getByRole('button', { name: /^A first try/ }).click()
    await page.getByRole('button', { name: 'Delete…' }).click()
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await expect(list.getByRole('button', { name: /^A first try/ })).toHaveCount(0)
  })

  await test.step('a new one says what is missing', async () => {
    await page.getByRole('button', { name: 'New evaluation' }).click()
    const dialog = page.getByRole('dialog', { name: 'New evaluation' })
    await expect(dialog.getByRole('group', { name: 'Model 2' })).toBeVisible()
    await dialog.getByRole('radio', { name: 'CHAIR' }).check()
    await expect(dialog.getByText('Choose the files that it needs.')).toBeVisible()
    await expect(dialog.getByRole('button', { name: 'Start' })).toBeDisabled()
    await lookAtAll(studio, 'new evaluation')
    await page.keyboard.press('Escape')
  })

  await test.step('votes by keys and mouse, taken back and counted', async () => {
    await page.getByRole('tab', { name: 'Blind votes' }).click()
    await expect(page.getByText(/^11 images have a response of both/)).toBeVisible()
    const stand = page.getByRole('status').filter({ hasText: /votes? cast/ })
    await expect(stand).toHaveText('0 votes cast, 11 pairs left.')
    const vote = page.getByRole('region', { name: 'Vote' })
    /** A key for a pair that is not there yet is no vote. */
    const press = async (key: string): Promise<void> => {
      await expect(vote).toHaveAttribute('aria-busy', 'false')
      await page.keyboard.press(key)
    }
    await expect(vote).not.toContainText('Zoo and street')
    await lookAtAll(studio, 'a vote')
    await page.getByRole('button', { name: 'Left is better' }).click()
    await expect(stand).toHaveText('1 vote cast, 10 pairs left.')
    await press('ArrowRight')
    await expect(stand).toHaveText('2 votes cast, 9 pairs left.')
    await press('ArrowDown')
    await expect(stand).toHaveText('3 votes cast, 8 pairs left.')
    await press('u')
    await expect(stand).toHaveText('2 votes cast, 9 pairs left.')
    await press('ArrowLeft')
    await expect(stand).toHaveText('3 votes cast, 8 pairs left.')
    await press('ArrowDown')
    await expect(stand).toHaveText('4 votes cast, 7 pairs left.')
    await page.getByRole('button', { name: 'Show the counts' }).click()
    const counts = page.getByRole('region', { name: 'Counts' })
    await expect(counts).toContainText('Sign test on 3 votes without ties')
    await expect(counts).toContainText('No difference1')
    await lookAtAll(studio, 'counts')
  })
})
