// The Runs screen in the real window: what runs show, the wizard, refusals and errors. A whole run: wholeFlow.spec.ts.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from '@playwright/test'
import { projectRoot } from '../scripts/runProgram.ts'
import { look, paint, schemes, widen } from './looks.ts'
import { answerDialogs, createWorkspace, expect, makeWorkspace, type Studio, test } from './studio.ts'

async function openRuns(launch: (options: { args: string[] }) => Promise<Studio>, folder: string): Promise<Page> {
  const path = join(folder, 'aligned.fisao')
  await makeWorkspace(path, 'e2e/runsFile.ts', path)
  const { page } = await launch({ args: [path] })
  await page.getByRole('button', { name: 'Runs' }).click()
  await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor()
  return page
}

function runItem(page: Page, name: string): Locator {
  return page.getByRole('navigation', { name: 'Runs' }).getByRole('button', { name })
}

test('a run shows its result, its verifier, its looks with the best one, its curves and its settings', async ({
  launch,
  folder,
}) => {
  const page = await openRuns(launch, folder)
  await runItem(page, 'Quick look').click()
  const run = page.getByRole('article', { name: 'Quick look' })
  const result = run.getByRole('region', { name: 'Result' })
  await expect(result).toContainText('It ended by itself at step 24 of 64')
  await expect(result).toContainText(/Step 20 against the model as it came/)
  await expect(result).toContainText(/-7\.0 points-9\.4 to -4\.6 \(95 % interval\)/)
  await expect(run.getByRole('region', { name: 'Can the verifier tell?' })).toContainText('0.97')
  const looks = run.getByRole('table', { name: 'Looks at the validation images' })
  await expect(looks.getByRole('row')).toHaveCount(8)
  await expect(looks.getByRole('row', { name: /best/ })).toContainText('20')
  await expect(run.getByRole('img', { name: /^Hallucinated words.*at step 24/ })).toBeVisible()
  await expect(run.getByRole('img', { name: /^Reward/ })).toBeVisible()
  await run.getByText('Settings of this run').click()
  await expect(run.getByText('Steps a round')).toBeVisible()
})

test('a run shows what lies beyond its placebo, and makes one where there is none', async ({ launch, folder }) => {
  const page = await openRuns(launch, folder)
  await runItem(page, 'Quick look').click()
  const beyond = page.getByRole('region', { name: 'Beyond the placebo' })
  await expect(beyond).toContainText('Not known yet.')
  await page.screenshot({ path: test.info().outputPath('no placebo.png') })
  await page.getByRole('button', { name: 'Street scenes Complete' }).click()
  await expect(beyond).toContainText('The placebo paid with')
  const rows = beyond.getByRole('row')
  await expect(rows).toHaveCount(4)
  await expect(rows.nth(1)).toContainText(/Hallucinated words/)
  await expect(page.getByText('dashed: placebo')).toHaveCount(4)
  for (const scheme of schemes) {
    await paint(page, scheme)
    await page.screenshot({ path: test.info().outputPath(`beyond placebo ${scheme}.png`) })
  }
  await beyond.getByRole('button', { name: 'Placebo' }).click()
  await expect(page.getByRole('article', { name: 'Street scenes, placebo' })).toContainText('This is a placebo')
  await page.screenshot({ path: test.info().outputPath('a placebo.png') })
  await page.getByRole('button', { name: 'Show the run' }).click()
  await runItem(page, 'Quick look').click()
  await beyond.getByRole('button', { name: 'Run its placebo' }).click()
  await expect(page.getByRole('article', { name: 'Quick look, placebo' })).toBeVisible()
})

test('a run that went on without some images says which, and why', async ({ launch, folder }) => {
  const page = await openRuns(launch, folder)
  await runItem(page, 'Paper').click()
  const left = page.getByRole('article', { name: 'Paper' }).getByRole('region', { name: 'Images that were left out' })
  await expect(left).toContainText('3 images could not be read and were left out.')
  await left.getByText('Which images, and why').click()
  await expect(left.getByRole('listitem')).toHaveCount(3)
  await expect(left.getByRole('listitem').filter({ hasText: 'no longer where it was' })).toContainText(
    'Left out 2 times, last at step 8.',
  )
  await expect(left).toContainText('It is no longer the file that was added.')
  for (const scheme of schemes) {
    await paint(page, scheme)
    await left.scrollIntoViewIfNeeded()
    await page.screenshot({ path: test.info().outputPath(`left out ${scheme}.png`) })
  }
  await runItem(page, 'Quick look').click()
  await expect(page.getByRole('region', { name: 'Images that were left out' })).toBeHidden()
})

test('checkpoints on a time line: pinned, their words before and after, their report; the run renamed', async ({
  launch,
  folder,
}) => {
  const path = join(folder, 'aligned.fisao')
  await makeWorkspace(path, 'e2e/runsFile.ts', path)
  const studio = await launch({ args: [path] })
  const { page } = studio
  await page.getByRole('button', { name: 'Runs' }).click()
  await runItem(page, 'Quick look').click()
  const section = page.getByRole('region', { name: 'Checkpoints' })
  const chosen = section.getByRole('status', { name: 'Chosen checkpoint' })
  await expect(chosen).toHaveText('Step 20, best')
  const line = section.getByRole('group', { name: 'Time line of the checkpoints' })
  // 0, the looks with their words, the three newest with weights.
  await expect(line.getByRole('radio')).toHaveCount(9)
  await expect(section.getByRole('listitem').filter({ has: page.getByRole('article') })).toHaveCount(3)
  const sample = section.getByRole('article').first()
  await expect(sample.getByRole('button', { name: 'bench, hallucinated, gone' })).toBeVisible()
  await expect(sample.getByRole('button', { name: 'umbrella, grounded, new' })).toBeVisible()

  await test.step('looks, light and dark, wide and narrow', async () => {
    for (const [scheme, width] of [
      ['light', 1280],
      ['dark', 1280],
      ['dark', 760],
      ['light', 760],
    ] as const) {
      await paint(page, scheme)
      await widen(studio, width)
      await section.scrollIntoViewIfNeeded()
      await page.screenshot({ path: test.info().outputPath(`checkpoints ${scheme} ${width}.png`) })
    }
    await widen(studio, 1280)
  })

  await test.step('a report of it is written, and shown', async () => {
    await answerDialogs(studio, join(folder, 'report.html'))
    await section.getByRole('button', { name: 'Report…' }).click()
    await page.getByRole('menuitem', { name: 'As a page (HTML)…' }).click()
    await expect(section.getByText('Report written')).toBeVisible()
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('Quick look')
    await expect(section.getByRole('button', { name: 'Show it' })).toBeVisible()
  })

  await test.step('another one by keys: its weights are gone, its words are not', async () => {
    await line.getByRole('radio', { name: 'Step 20, best' }).press('ArrowLeft')
    await expect(chosen).toHaveText('Step 16')
    await expect(section.getByText('Its weights were dropped to save space;')).toBeVisible()
    await expect(section.getByRole('button', { name: 'Export…' })).toBeHidden()
    await expect(sample).toContainText('umbrella')
    await line.getByRole('radio', { name: 'Step 23' }).check({ force: true })
    await section.getByRole('button', { name: 'Pin', exact: true }).click()
    await expect(chosen).toHaveText('Step 23, pinned')
    await expect(section.getByText('This checkpoint has described no image yet.')).toBeVisible()
    await section.getByRole('button', { name: 'Unpin' }).click()
    await expect(chosen).toHaveText('Step 23')
    await section.getByRole('button', { name: 'Use this checkpoint' }).click()
    await expect(chosen).toHaveText('Step 23, in use')
    await expect(section.getByText('In use: the inspector, Try it and Evaluate propose it')).toBeVisible()
    for (const appearance of ['Light', 'Dark'] as const) {
      await page.getByTitle(appearance, { exact: true }).click()
      await section.scrollIntoViewIfNeeded()
      await look(page, `a checkpoint in use ${appearance}`)
    }
    await section.getByRole('button', { name: 'Use the best one again' }).click()
    await expect(chosen).toHaveText('Step 23, pinned')
    await section.getByRole('button', { name: 'Unpin' }).click()
    await expect(chosen).toHaveText('Step 23')
  })

  await test.step('a checkpoint that cannot be read says so where it was asked', async () => {
    await section.getByRole('button', { name: 'Describe the whole library' }).click()
    await expect(section.getByRole('alert')).toContainText('The checkpoint of step 23 cannot be read', {
      timeout: 30_000,
    })
  })

  await test.step('another run beside the curves', async () => {
    await page.getByRole('combobox', { name: 'Draw beside' }).click()
    await page.getByRole('option', { name: 'Beside: Paper' }).click()
    await expect(page.getByText('dashed: Paper')).toHaveCount(4)
  })

  await test.step('a new name', async () => {
    await page.getByRole('button', { name: 'Rename the run' }).click()
    await page.getByRole('textbox', { name: 'Name of the run' }).fill('Before lunch')
    await page.keyboard.press('Enter')
    await expect(page.getByRole('article', { name: 'Before lunch' })).toBeVisible()
    await expect(runItem(page, 'Before lunch')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Rename the run' })).toBeFocused()
  })

  await test.step('a word leads to the image in the inspector, with both', async () => {
    await line.getByRole('radio', { name: 'Step 24' }).check({ force: true })
    await sample.getByRole('button', { name: 'umbrella, grounded, new' }).click()
    await expect(page.getByText('2 words kept, 1 gone, 1 new')).toBeVisible()
  })
})

test('an export whose model is gone says so in its dialog', async ({ launch, folder }) => {
  const path = join(folder, 'aligned.fisao')
  await makeWorkspace(path, 'e2e/runsFile.ts', path)
  const studio = await launch({ args: [path] })
  const { page } = studio
  await page.getByRole('button', { name: 'Runs' }).click()
  await runItem(page, 'Quick look').click()
  await page.getByRole('button', { name: 'Export…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Export step 20 of “Quick look”' })
  await answerDialogs(studio, folder)
  await dialog.getByRole('button', { name: 'Choose where to…' }).click()
  await expect(dialog.getByRole('alert')).toContainText('/models/llava-tiny', { timeout: 30_000 })
  await page.screenshot({ path: test.info().outputPath('export refused.png') })
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await expect(dialog).toBeHidden()
})

test('a refused verifier says why, and a person may go on knowingly', async ({ launch, folder }) => {
  const page = await openRuns(launch, folder)
  await runItem(page, 'With another encoder').click()
  const alert = page.getByRole('article').getByRole('alert')
  await expect(alert).toContainText('Its scores of a word hardly depend on the image.')
  await expect(alert).toContainText('Needed: AUROC of own over other images of at least 0.65. Found: 0.503.')
  await alert.getByRole('button', { name: 'Go on knowingly' }).click()
  // Its folder is not there, which is the next thing to be said.
  await expect(alert.getByRole('button', { name: 'Go on knowingly' })).toBeHidden()
  await expect(alert).toContainText('/models/llava-tiny', { timeout: 30_000 })
})

test('a new run, step by step: what is wrong is said by name; a run that cannot open its model fails with a remedy', async ({
  launch,
  folder,
}) => {
  const page = await openRuns(launch, folder)
  await page.getByRole('button', { name: 'New run' }).click()
  await expect(page.getByRole('heading', { name: 'New run', level: 1 })).toBeVisible()
  const next = page.getByRole('button', { name: 'Next' })
  await expect(page.getByRole('radio', { name: 'llava-tiny' })).toBeChecked()
  await next.click()
  await expect(page.getByRole('status', { name: 'Images of the run' })).toHaveText(
    '160 of 240 images to learn from, 80 others to look at.',
  )
  await expect(page.getByText('240 images are no longer where they were')).toBeVisible()
  await page.getByRole('textbox', { name: 'Images of the workspace that are used' }).fill('120')
  await expect(page.getByText('80 of 240 images to learn from, 40 others to look at. 120 are left out')).toBeVisible()
  await next.click()
  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('Quick look 2')
  await page.getByRole('radio', { name: 'Thorough' }).click()
  await expect(page.getByText('64 steps, 9,216 responses in all.')).toBeVisible()
  await page.getByText('Expert settings').click()
  // Key by key, as a person does: an emptied field stays empty, and 0.0 is on its way to a number.
  const rate = page.getByRole('textbox', { name: 'Learning rate of the adapter' })
  await rate.click()
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.press('Delete')
  await expect(rate).toHaveValue('')
  await expect(page.getByText('Enter a number, above 0', { exact: false })).toBeVisible()
  await page.keyboard.type('0.0005')
  await expect(rate).toHaveValue('0.0005')
  await page.getByRole('searchbox', { name: 'Search settings' }).fill('steps round')
  await expect(rate).toBeHidden()
  await page.getByRole('textbox', { name: 'Steps a round' }).fill('3')
  await page.getByRole('searchbox', { name: 'Search settings' }).fill('')
  await expect(page.getByText('3 changes to the preset')).toBeVisible()
  await expect(page.getByText('6 steps, 1,792 responses in all.')).toBeVisible()

  await test.step('a choice brings what belongs to it, and a missing file is said by name', async () => {
    await expect(page.getByRole('textbox', { name: 'File of annotations' })).toBeHidden()
    await page.getByRole('combobox', { name: 'Baselines without or with annotations' }).click()
    await page.getByRole('option', { name: 'With a file of annotations' }).click()
    await expect(page.getByRole('textbox', { name: 'File of annotations' })).toBeVisible()
    await page.getByRole('textbox', { name: 'Question about each image' }).fill('')
    await next.click()
    await expect(page.getByRole('button', { name: 'Start' })).toBeDisabled()
    await expect(page.getByText('Question about each image. It must not be empty.')).toBeVisible()
    await expect(page.getByText('File of annotations. Choose a file of COCO annotations')).toBeVisible()
    await page.screenshot({ path: test.info().outputPath('not ready.png') })
    await page.getByRole('button', { name: 'Change it' }).first().click()
    await expect(page.getByRole('textbox', { name: 'Question about each image' })).toBeFocused()
    await page.keyboard.type('What is here?')
    await page.getByRole('combobox', { name: 'Baselines without or with annotations' }).click()
    await page.getByRole('option', { name: 'Without annotations' }).click()
  })

  await page.getByRole('textbox', { name: 'Name' }).fill('My own')
  await test.step('the draft is there when the page is shown again', async () => {
    await page.getByRole('button', { name: 'Home' }).click()
    await page.getByRole('button', { name: 'Back', exact: true }).click()
    await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('My own')
  })
  await next.click()
  const findings = page.getByRole('list', { name: 'Findings' })
  await expect(findings.getByRole('listitem').filter({ hasText: 'Refused' })).toContainText(
    'The folder /models/llava-tiny is no longer there.',
  )
  await expect(findings).toContainText('80 images to learn from, 40 others to look at.')
  await expect(page.getByRole('alert')).toContainText('You can start it all the same')
  await expect(page.getByRole('button', { name: 'Measure it first' })).toBeHidden()
  await page.screenshot({ path: test.info().outputPath('refused.png') })
  await page.getByRole('button', { name: 'Start' }).click()
  const run = page.getByRole('article', { name: 'My own' })
  await expect(run.getByRole('alert')).toBeVisible({ timeout: 30_000 })
  await expect(runItem(page, 'My own')).toContainText('Step 0 of 6')

  await test.step('deleting asks first', async () => {
    await run.getByRole('button', { name: 'Delete…' }).click()
    await page.getByRole('button', { name: 'Keep it' }).click()
    await expect(run).toBeVisible()
    await run.getByRole('button', { name: 'Delete…' }).click()
    await page.getByRole('button', { name: 'Delete the run' }).click()
    await expect(runItem(page, 'My own')).toBeHidden()
  })
})

test('an empty screen teaches, and a folder that is no model is refused where it was chosen', async ({
  studio,
  folder,
}) => {
  const { page } = studio
  await createWorkspace(studio, join(folder, 'work.fisao'))
  await page.getByRole('button', { name: 'Runs' }).click()
  await expect(page.getByRole('heading', { name: 'Align a model with its own eyes' })).toBeVisible()
  await page.getByRole('button', { name: 'Add images first' }).click()
  await answerDialogs(studio, join(projectRoot, 'resources/samples/images'))
  await page.getByRole('button', { name: 'Add a folder…' }).click()
  await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText('200 images', { timeout: 60_000 })
  await page.getByRole('button', { name: 'Runs' }).click()
  await page.getByRole('button', { name: 'New run' }).click()
  await answerDialogs(studio, folder)
  await page.getByRole('button', { name: 'Choose the folder of the model' }).click()
  await page.getByRole('button', { name: 'Choose the folder of its encoder' }).click()
  await page.getByRole('button', { name: 'Check and add' }).click()
  await expect(page.getByRole('main').getByRole('alert')).toContainText('config.json', { timeout: 30_000 })
  await expect(page.getByRole('button', { name: 'Next' })).toBeDisabled()
})

test('the demo opens from Home and offers its model', async ({ studio }) => {
  const { page } = studio
  await page.getByRole('button', { name: 'Open the demo' }).click()
  await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText('200 images', { timeout: 60_000 })
  await page.getByRole('button', { name: 'Runs' }).click()
  await page.getByRole('button', { name: 'New run' }).click()
  await page.getByRole('button', { name: 'Use the demo model' }).click()
  await expect(page.getByText('Encoder verified')).toBeVisible({ timeout: 60_000 })
})
