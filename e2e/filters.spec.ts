// The Images page as a person uses it: filters and orders by what models said, choosing by mouse and keys, tags, removal
// and its undo, a folder that moved, files that are dropped, and what each says when there is nothing to show.
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from '@playwright/test'
import { makePictures } from '../src/main/library/testing/pictures.ts'
import { lookInBoth, widen } from './looks.ts'
import { answerDialogs, createWorkspace, expect, makeWorkspace, type Studio, test } from './studio.ts'

/** Drags files over the window and lets them go, as a file manager does. */
async function dropOnWindow(studio: Studio, files: string[]): Promise<void> {
  const session = await studio.page.context().newCDPSession(studio.page)
  const data = { items: [], files, dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: 100, y: 300, data })
    if (type !== 'dragOver') continue
    await expect(studio.page.getByText('Drop folders or pictures to add them')).toBeVisible()
    await lookInBoth(studio, 'held over the window')
  }
  await expect(studio.page.getByText('Drop folders or pictures to add them')).toBeHidden()
}

const count = (page: Page): Locator => page.getByRole('status', { name: 'Number of images' })
const tiles = (page: Page): Locator => page.getByRole('gridcell')
const chosen = (page: Page): Locator => page.locator('[role=gridcell][aria-selected=true]')
const filter = (page: Page, name: RegExp): Locator =>
  page.getByRole('region', { name: 'Filters' }).getByRole('button', { name })

test('images are found by what a checkpoint said of them, and stay found', async ({ launch, folder }) => {
  const path = join(folder, 'described.fisao')
  await makeWorkspace(path, 'e2e/inspectorFile.ts', path)
  const studio = await launch({ args: [path] })
  const { page } = studio

  await test.step('each image bears what its response came to', async () => {
    await expect(page.getByRole('combobox', { name: 'Responses of' })).toHaveValue('Zoo and street, step 20')
    await expect(tiles(page)).toHaveCount(12)
    await expect(tiles(page).first()).toHaveAccessibleName(/1 hallucinated word, lowest score 0.02/)
    await expect(tiles(page).last()).not.toHaveAccessibleName(/hallucinated/)
    await lookInBoth(studio, 'marks')
  })

  await test.step('verdicts', async () => {
    await filter(page, /^Verdict/).click()
    await page.getByRole('radio', { name: 'Not described yet' }).click()
    await expect(count(page)).toHaveText('1 image found')
    await page.getByRole('button', { name: 'Clear the filter Verdict' }).click()
    await expect(count(page)).toHaveText('12 images')
  })

  await test.step('a word with its verdict, by keys alone', async () => {
    await filter(page, /^Word/).focus()
    await page.keyboard.press('Enter')
    await expect(page.getByRole('combobox', { name: 'Images whose response names' })).toBeFocused()
    await page.keyboard.type('ben')
    await expect(page.getByRole('option', { name: 'bench' })).toContainText('11')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await expect(count(page)).toHaveText('11 images found')
    await expect(filter(page, /^Word: bench, hallucinated/)).toBeVisible()
    await lookInBoth(studio, 'a word')
  })

  await test.step('another checkpoint, a score, and nothing left', async () => {
    await page.getByRole('combobox', { name: 'Responses of' }).click()
    await page.getByRole('option', { name: /as it came/ }).click()
    await expect(tiles(page).first()).toHaveAccessibleName(/4 hallucinated words, lowest score 0.02/)
    await filter(page, /^Lowest score/).click()
    await page.getByRole('textbox', { name: 'From' }).fill('0.1')
    await lookInBoth(studio, 'a score')
    await page.getByRole('button', { name: 'Show these' }).click()
    await expect(page.getByRole('heading', { name: 'No images match' })).toBeVisible()
    await expect(page.getByText('No image fits all of these filters at once.')).toBeVisible()
    await lookInBoth(studio, 'nothing found')
    await page.getByRole('button', { name: 'Show all images' }).click()
    await expect(count(page)).toHaveText('12 images')
  })

  await test.step('orders by response', async () => {
    await page.getByRole('combobox', { name: 'Order' }).click()
    await page.getByRole('option', { name: /^Lowest score first/ }).click()
    await expect(count(page)).toHaveText('11 images')
    await page.getByRole('combobox', { name: 'Responses of' }).click()
    await page.getByRole('option', { name: /^Without responses/ }).click()
    await expect(count(page)).toHaveText('12 images')
    await page.getByRole('combobox', { name: 'Order' }).click()
    await expect(page.getByRole('option', { name: /^Lowest score first/ })).toContainText('Needs responses')
    await page.keyboard.press('Escape')
    await expect(page.getByText('Choose whose responses are meant')).toBeVisible()
    await page.getByRole('combobox', { name: 'Responses of' }).click()
    await page.getByRole('option', { name: /step 20/ }).click()
  })

  await test.step('the inspector goes on in the order that was filtered, and the way back leads there', async () => {
    await filter(page, /^Verdict/).click()
    await page.getByRole('radio', { name: 'Hallucinated words' }).click()
    await expect(count(page)).toHaveText('11 images found')
    await tiles(page).first().dblclick()
    await expect(page.getByText('1 of 11')).toBeVisible()
    await page.keyboard.press('PageDown')
    await expect(page.getByText('2 of 11')).toBeVisible()
    await page.getByRole('button', { name: 'Back' }).click()
    await expect(count(page)).toHaveText('11 images found')
    await expect(tiles(page).nth(1)).toBeFocused()
    await page.getByRole('button', { name: 'Runs' }).click()
    await page.getByRole('button', { name: 'Images', exact: true }).click()
    await expect(filter(page, /^Verdict: Hallucinated words/)).toBeVisible()
    await widen(studio, 760)
    await lookInBoth(studio, 'filtered 760')
  })
})

test('images are chosen, tagged, removed and brought back', async ({ launch, folder }) => {
  const path = join(folder, 'described.fisao')
  await makeWorkspace(path, 'e2e/inspectorFile.ts', path)
  const studio = await launch({ args: [path] })
  const { page } = studio
  await expect(tiles(page)).toHaveCount(12)
  await expect(page.getByRole('region', { name: 'Tour' })).toContainText('Your pictures are here.')

  await test.step('by mouse', async () => {
    await tiles(page).nth(1).click()
    await expect(chosen(page)).toHaveCount(1)
    await tiles(page)
      .nth(4)
      .click({ modifiers: ['Shift'] })
    await expect(chosen(page)).toHaveCount(4)
    await tiles(page)
      .nth(2)
      .click({ modifiers: ['ControlOrMeta'] })
    await expect(chosen(page)).toHaveCount(3)
    await expect(page.getByRole('toolbar', { name: 'Chosen images' })).toContainText('3 images chosen')
  })

  await test.step('by keys', async () => {
    await page.keyboard.press('Escape')
    await expect(chosen(page)).toHaveCount(0)
    await page.keyboard.press('Home')
    await page.keyboard.press('Space')
    await page.keyboard.press('Shift+ArrowRight')
    await page.keyboard.press('Shift+ArrowRight')
    await expect(chosen(page)).toHaveCount(3)
    await page.keyboard.press('ControlOrMeta+a')
    await expect(chosen(page)).toHaveCount(12)
    await page.keyboard.press('Space')
    await expect(chosen(page)).toHaveCount(11)
    await lookInBoth(studio, 'chosen')
  })

  await test.step('a tag', async () => {
    await page.keyboard.press('Escape')
    await tiles(page).nth(0).click()
    await tiles(page)
      .nth(1)
      .click({ modifiers: ['ControlOrMeta'] })
    await page.getByRole('button', { name: 'Tag…', exact: true }).click()
    await page.getByRole('combobox', { name: 'Tag', exact: true }).fill('<b>at night</b>')
    await page.getByRole('button', { name: 'Give this tag' }).click()
    await expect(page.getByText('2 images tagged “<b>at night</b>”')).toBeVisible()
    await expect(tiles(page).first()).toHaveAccessibleName(/tagged <b>at night<\/b>/)
    await page.getByRole('button', { name: 'Choose nothing' }).click()
    await filter(page, /^Tag/).click()
    await page.getByRole('combobox', { name: 'Images with the tag' }).click()
    await page.getByRole('option', { name: /at night/ }).click()
    await expect(count(page)).toHaveText('2 images found')
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await page.getByRole('button', { name: 'Undo' }).click()
    await expect(page.getByText('Undone for 2 images.')).toBeVisible()
    await expect(tiles(page).first()).not.toHaveAccessibleName(/tagged/)
  })

  await test.step('removed, and undone', async () => {
    await tiles(page).nth(2).click()
    await page.keyboard.press('Delete')
    await expect(count(page)).toHaveText('11 images')
    await widen(studio, 760)
    await lookInBoth(studio, 'removed 760')
    await page.getByRole('button', { name: 'Undo' }).click()
    await expect(count(page)).toHaveText('12 images')
  })

  await test.step('brought back later', async () => {
    await tiles(page).nth(2).click()
    await page.getByRole('button', { name: 'Remove', exact: true }).click()
    await expect(count(page)).toHaveText('11 images')
    await page.getByRole('button', { name: 'More about images' }).click()
    await page.getByRole('menuitem', { name: 'Removed images…' }).click()
    await lookInBoth(studio, 'removed images')
    await page.getByRole('button', { name: 'Bring back' }).click()
    await expect(page.getByText('Nothing was removed.')).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(count(page)).toHaveText('12 images')
  })

  await test.step('deleted for good', async () => {
    await tiles(page).nth(2).click()
    await page.getByRole('button', { name: 'Remove', exact: true }).click()
    await expect(count(page)).toHaveText('11 images')
    await page.getByRole('button', { name: 'More about images' }).click()
    await page.getByRole('menuitem', { name: 'Removed images…' }).click()
    await page.getByRole('button', { name: 'Delete for good…' }).click()
    const question = page.getByRole('dialog', { name: 'Delete for good?' })
    await expect(question).toContainText(
      /^.*1 image leaves the workspace with its tags.*Your files stay where they are/,
    )
    await lookInBoth(studio, 'delete for good')
    await question.getByRole('button', { name: 'Delete for good' }).click()
    await expect(page.getByText('1 image deleted for good.')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Undo' })).toHaveCount(0)
    await expect(page.getByText('Nothing was removed.')).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(count(page)).toHaveText('11 images')
  })
})

test('an import says what came of it, and a moved folder is found again', async ({ studio, folder }) => {
  const { page } = studio
  await createWorkspace(studio, join(folder, 'work.fisao'))
  await expect(page.getByRole('region', { name: 'Tour' })).toContainText('Bring pictures here.')
  await lookInBoth(studio, 'no images')

  await test.step('nothing that could be added', async () => {
    writeFileSync(join(folder, 'IMG_1.HEIC'), 'x')
    await answerDialogs(studio, join(folder, 'IMG_1.HEIC'))
    await page.getByRole('button', { name: 'Single pictures…' }).click()
    await expect(page.getByText('Nothing was added. Found: 1 HEIC file.')).toBeVisible()
    await page.getByRole('button', { name: 'Show what was left out' }).click()
    const kinds = page.getByRole('table', { name: 'Kinds of files that were not looked into' })
    await expect(kinds.getByRole('row').nth(1)).toContainText('HEIC')
    await lookInBoth(studio, 'left out')
    await page.keyboard.press('Escape')
  })

  const pictures = join(folder, 'pictures')
  await makePictures(pictures, 8)
  await dropOnWindow(studio, [pictures])
  await expect(page.getByText('8 images were added.')).toBeVisible()
  await expect(page.getByText('Once a model has described images')).toBeVisible()

  await test.step('a folder that moved', async () => {
    const moved = join(folder, 'moved')
    renameSync(pictures, moved)
    await page.getByRole('button', { name: 'More about images' }).click()
    await page.getByRole('menuitem', { name: 'Missing files…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Missing files' })
    await expect(dialog.getByText('8 files cannot be found.')).toBeVisible()
    await lookInBoth(studio, 'missing')
    // The pictures lie one folder below.
    await answerDialogs(studio, join(moved, 'set 0'))
    await dialog.getByRole('button', { name: 'Choose its new place…' }).first().click()
    await expect(dialog.getByText('8 images found again.')).toBeVisible()
    await expect(dialog.getByText('All 8 files are in their places.')).toBeVisible()
    await lookInBoth(studio, 'found again')
    await dialog.getByRole('button', { name: 'Done' }).click()
  })
})
