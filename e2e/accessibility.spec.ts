// axe on every screen and dialog, light and dark: nothing serious or critical may remain.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addBadPictures, makePictures } from '../src/main/library/testing/pictures.ts'
import { layoutFaults } from './layout.ts'
import { choose, look, lookInBoth, widen } from './looks.ts'
import { answerDialogs, createWorkspace, expect, isThorough, makeWorkspace, test, why } from './studio.ts'

test('no serious violation in light and dark', async ({ studio, folder }) => {
  const { page } = studio
  const looks = (name: string): Promise<void> => lookInBoth(studio, name)
  await expect(page.getByRole('status', { name: 'Engine status' })).toContainText('Engine ready')
  await looks('home')
  writeFileSync(join(folder, 'letter.fisao'), 'Dear Sir or Madam, '.repeat(100))
  await answerDialogs(studio, join(folder, 'letter.fisao'))
  await page.getByRole('button', { name: 'Open…' }).click()
  await expect(page.getByRole('alert')).toBeVisible()
  await looks('a file that is no workspace')
  await page.getByRole('button', { name: 'Close this message' }).click()

  const pictures = join(folder, 'a folder with a rather long name, as people have them', 'pictures')
  await makePictures(pictures, 60)
  await addBadPictures(pictures)
  await createWorkspace(studio, join(folder, 'work.fisao'))
  await looks('images empty')
  await answerDialogs(studio, pictures)
  await page.getByRole('button', { name: 'Add a folder…' }).click()
  await expect(page.getByText('61 images were added. Left out: 5 pictures with a problem.')).toBeVisible()
  await expect(page.getByRole('gridcell').first()).toBeVisible()
  await looks('images')
  await page.getByRole('button', { name: 'Show what was left out' }).click()
  await expect(page.getByRole('table', { name: 'Skipped files' }).getByRole('row')).toHaveCount(6)
  await looks('left out')
  await page.keyboard.press('Escape')
  await page.getByRole('gridcell').first().dblclick()
  await expect(page.getByText('No model is here yet')).toBeVisible()
  await looks('large view')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Home' }).click()
  await looks('home with a workspace')
})

for (const appearance of ['Light', 'Dark'] as const) {
  test(`no serious violation on Runs in ${appearance.toLowerCase()}`, async ({ launch, folder }) => {
    test.skip(appearance === 'Dark' && !isThorough, why)
    const path = join(folder, 'aligned.fisao')
    await makeWorkspace(path, 'e2e/runsFile.ts', path)
    const studio = await launch({ args: [path] })
    const { page } = studio
    const looks = (name: string): Promise<void> => look(page, `${name} ${appearance}`)
    await choose(studio, appearance)
    await expect(page.getByRole('status', { name: 'Engine status' })).toContainText('Engine ready')
    await page.getByRole('button', { name: 'Runs' }).click()
    const list = page.getByRole('navigation', { name: 'Runs' })
    await list.getByRole('button', { name: 'With another encoder' }).click()
    await expect(page.getByRole('button', { name: 'Go on knowingly' })).toBeVisible()
    await looks('a refused run')
    await list.getByRole('button', { name: 'Paper' }).click()
    await expect(page.getByRole('img', { name: /^Hallucinated words/ })).toBeVisible()
    await looks('a paused run')
    await list.getByRole('button', { name: 'Quick look' }).click()
    await expect(page.getByRole('region', { name: 'Result' })).toBeVisible()
    await looks('a complete run')
    await page.getByText('Settings of this run').click()
    await page.getByText('Settings of this run').scrollIntoViewIfNeeded()
    await looks('the end of a run')
    await page.getByRole('button', { name: 'Delete…' }).click()
    await expect(page.getByRole('button', { name: 'Keep it' })).toBeFocused()
    await looks('delete a run')
    await page.keyboard.press('Escape')

    await page.getByRole('button', { name: 'Home' }).click()
    await page.getByRole('button', { name: 'Close workspace' }).click()
    await createWorkspace(studio, join(folder, 'work.fisao'))
    await page.getByRole('button', { name: 'Runs' }).click()
    await looks('runs empty')
  })
}

for (const appearance of ['Light', 'Dark'] as const) {
  test(`no serious violation on New run in ${appearance.toLowerCase()}`, async ({ launch, folder }) => {
    test.skip(appearance === 'Dark' && !isThorough, why)
    test.setTimeout(240_000)
    const path = join(folder, 'aligned.fisao')
    await makeWorkspace(path, 'e2e/runsFile.ts', path)
    const studio = await launch({ args: [path] })
    const { page } = studio
    const looks = (name: string): Promise<void> => look(page, `${name} ${appearance}`)
    await choose(studio, appearance)
    await page.getByRole('button', { name: 'Runs' }).click()
    await page.getByRole('button', { name: 'New run' }).click()
    await page.getByRole('button', { name: 'Add a model' }).click()
    await looks('new run, model')
    const next = page.getByRole('button', { name: 'Next' })
    await next.click()
    await expect(page.getByText('240 images are no longer where they were')).toBeVisible()
    await looks('new run, images')
    await next.click()
    await looks('new run, preset')
    await page.getByText('Expert settings').click()
    await page.getByRole('textbox', { name: 'Question about each image' }).fill('')
    await looks('new run, expert settings')
    await next.click()
    await expect(page.getByText('Not ready to start')).toBeVisible()
    await looks('new run, not ready')
    await page.getByRole('button', { name: 'Change it' }).click()
    await page.getByRole('button', { name: 'Take the preset as it is' }).click()
    await next.click()
    await expect(page.getByRole('list', { name: 'Findings' })).toBeVisible()
    await looks('new run, check')
    await widen(studio, 760)
    await looks('new run, check, narrow')
    await page.getByRole('button', { name: 'Previous' }).click()
    await looks('new run, preset, narrow')
  })
}

for (const appearance of ['Light', 'Dark'] as const) {
  test(`no serious violation in the inspector in ${appearance.toLowerCase()}`, async ({ launch, folder }) => {
    // Its own spec looks at it in both themes.
    test.skip(!isThorough, why)
    const path = join(folder, 'described.fisao')
    await makeWorkspace(path, 'e2e/inspectorFile.ts', path)
    const studio = await launch({ args: [path] })
    const { app, page } = studio
    const looks = (name: string): Promise<void> => look(page, `${name} ${appearance}`)
    await choose(studio, appearance)
    await expect(page.getByRole('status', { name: 'Engine status' })).toContainText('Engine ready')
    await page.getByRole('gridcell').first().dblclick()
    await expect(page.getByText('3 words kept, 3 gone, 3 new')).toBeVisible()
    await looks('two responses')
    await page.getByRole('button', { name: 'giraffe, hallucinated, gone' }).click()
    await expect(page.getByRole('region', { name: 'The word giraffe' })).toBeVisible()
    await looks('a word')
    await page.getByRole('switch', { name: 'Cover a region' }).click()
    await page.getByRole('region', { name: /Enter covers the middle/ }).focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('Shift+ArrowRight')
    await expect(page.getByRole('img', { name: 'Covered region' })).toBeVisible()
    await widen(studio, 760)
    await looks('a covered region, narrow')
    await page.keyboard.press('Escape')
    await page.getByRole('gridcell').last().dblclick()
    await expect(page.getByRole('button', { name: 'Describe with both' })).toBeVisible()
    await looks('not described, narrow')
    await widen(studio, 1280)
    await looks('not described')
    await page.keyboard.press('PageUp')
    await expect(page.getByText('3 words kept, 3 gone, 3 new')).toBeVisible()
    await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.setZoomFactor(2))
    await looks('text at 200 per cent, a part')
    // Playwright shows a part of a zoomed page only.
    const whole = await app.evaluate(async ({ BrowserWindow }) =>
      (await BrowserWindow.getAllWindows()[0]?.webContents.capturePage())?.toPNG().toString('base64'),
    )
    writeFileSync(test.info().outputPath(`text at 200 per cent ${appearance}.png`), Buffer.from(whole ?? '', 'base64'))
    expect(await layoutFaults(page)).toEqual([])
  })
}
