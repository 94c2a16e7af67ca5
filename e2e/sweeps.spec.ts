// Several runs at once, as a person makes them and reads what they came to.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { jobSchema } from '../src/shared/job.ts'
import { layoutFaults } from './layout.ts'
import { look, lookInBoth, paint, widen } from './looks.ts'
import { answerDialogs, createWorkspace, expect, onRuntime, test } from './studio.ts'

test('several runs are made at once and stand side by side, with means over their seeds', async ({
  launch,
  folder,
}) => {
  const path = join(folder, 'sweep.fisao')
  await onRuntime('e2e/sweepsFile.ts', path)
  const studio = await launch({ args: [path] })
  const { page } = studio
  await page.getByRole('button', { name: 'Runs' }).click()
  const list = page.getByRole('navigation', { name: 'Runs' })
  await expect(list.getByRole('button', { name: 'Street scenes' })).toHaveAttribute('aria-current')
  await expect(list.getByRole('button', { name: 'Quick look, seed 2 Complete' })).toBeVisible()
  const table = page.getByRole('table', { name: 'What it came to' })
  const quick = table.getByRole('row', { name: /^Quick look/ })
  await expect(quick).toContainText('3 seeds')
  await expect(quick).toContainText(/17\.2% → 10\.\d%-6\.7 points-9\.5 to -3\.8/)
  await expect(quick).toContainText('2.98 → 2.92')
  await expect(table.getByRole('row', { name: /^Thorough/ })).toContainText('2 of 3 seeds')
  await expect(
    page.getByRole('img', { name: /^Hallucinated words.*Street scenes, Thorough, seed 2: 17/ }),
  ).toBeVisible()
  await lookInBoth(studio, 'a sweep')
  await widen(studio, 760)
  expect(await layoutFaults(page)).toEqual([])
  await widen(studio, 1280)

  await page.getByRole('button', { name: 'New run' }).click()
  await page.getByRole('main').getByRole('button', { name: 'Check' }).click()
  await page.getByText('Several at once').click()
  const sum = page.getByRole('status', { name: 'Runs of the sweep' })
  await page.getByRole('textbox', { name: 'Seeds' }).fill('4-')
  await expect(sum).toContainText('Seeds are whole numbers')
  await expect(page.getByRole('button', { name: 'Add to the queue' })).toBeDisabled()
  await page.getByRole('textbox', { name: 'Seeds' }).fill('4-5')
  await page.getByRole('combobox', { name: 'Vary a setting' }).click()
  await page.getByRole('option', { name: 'Looks and checkpoints: Adapter strength' }).click()
  await page.getByRole('textbox', { name: 'Values' }).fill('0.5 1')
  await expect(sum).toContainText('4 runs.')
  await page.getByRole('checkbox', { name: 'Each with its placebo' }).check()
  await expect(sum).toContainText('4 runs and as many placebos.')
  await paint(page, 'light')
  await look(page, 'several at once')
  await page.getByRole('button', { name: 'Add to the queue' }).click()
  const sweep = page.getByRole('article', { name: 'Quick look' })
  await expect(sweep).toContainText('8 runs')
  await expect(list.getByRole('button', { name: /^Adapter strength 0\.5, seed 5, placebo/ })).toBeAttached()
  await expect(table.getByRole('row', { name: /^Adapter strength 1/ })).toContainText('No run has come to its end yet')
})

test('CHAIR of all runs is put into the queue by one button, and the page says how far it is', async ({
  launch,
  folder,
}) => {
  const path = join(folder, 'sweep.fisao')
  await onRuntime('e2e/sweepsFile.ts', path)
  const studio = await launch({ args: [path] })
  const { page } = studio
  await page.getByRole('button', { name: 'Runs' }).click()
  const button = page.getByRole('button', { name: 'Measure CHAIR…' })
  await button.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Measure CHAIR of this sweep' })
  const sum = dialog.getByRole('status', { name: 'Evaluations' })
  await expect(sum).toContainText('5 evaluations, 11 answers to each image.')
  await expect(dialog).toContainText('1 run left out: not complete.')
  const start = dialog.getByRole('button', { name: 'Add to the queue' })
  await expect(start).toBeDisabled()
  await dialog.getByRole('textbox', { name: 'Annotations' }).fill(join(folder, 'instances.json'))
  await dialog.getByRole('textbox', { name: 'Folder of the images' }).fill(folder)
  await dialog.getByRole('textbox', { name: 'Images', exact: true }).fill('40')
  await expect(sum).toContainText('5 evaluations, at most 440 answers on 40 images.')
  await lookInBoth(studio, 'CHAIR of a sweep')
  await start.click()
  await expect(dialog).toBeHidden()
  await expect(button).toBeFocused()
  // Its models are nowhere, so that each fails once it is its turn.
  const progress = page.getByRole('status', { name: 'Evaluations of the sweep' })
  await look(page, 'CHAIR of a sweep, asked for')
  await expect(progress).toContainText('CHAIR: 5 evaluations failed.')
  await page.getByRole('button', { name: 'Show in Evaluate' }).click()
  const list = page.getByRole('navigation', { name: 'Evaluations' })
  await expect(list.getByRole('button')).toHaveCount(5)
  await expect(list.getByRole('button', { name: /^Street scenes, Thorough, seed 2/ })).toBeVisible()
})

test('a sweep is sent to other machines, and its page says how to start it', async ({ launch, folder }) => {
  await onRuntime('e2e/runFile.ts', 'begin', join(folder, 'run.fisao'))
  const studio = await launch({ args: [join(folder, 'run.fisao')] })
  const { page } = studio
  await page.getByRole('button', { name: 'Runs' }).click()
  await page
    .getByRole('button', { name: 'Stop' })
    .or(page.getByRole('button', { name: /Take out/ }))
    .first()
    .click()
  await page.getByRole('button', { name: 'New run' }).click()
  await page.getByRole('main').getByRole('button', { name: 'Preset' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('Seeds')
  await page.getByRole('main').getByRole('button', { name: 'Check' }).click()
  await page.getByText('Several at once').click()
  await page.getByRole('textbox', { name: 'Seeds' }).fill('1-2')
  await answerDialogs(studio, folder)
  await page.getByRole('button', { name: 'Send to the cluster…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Send to the cluster' })
  await expect(dialog.getByRole('textbox', { name: 'Memory, MB' })).toHaveAttribute('placeholder', /^\d{4,}$/)
  await dialog.getByRole('textbox', { name: 'Time limit' }).fill('8 hours')
  await expect(dialog).toContainText('Enter hours, minutes and seconds such as 24:00:00')
  await expect(dialog.getByRole('button', { name: 'Choose its folder…' })).toBeDisabled()
  await dialog.getByRole('textbox', { name: 'Time limit' }).fill('8:00:00')
  await dialog.getByRole('textbox', { name: 'Seconds between copies' }).fill('900')
  await lookInBoth(studio, 'sending a sweep')
  await dialog.getByRole('button', { name: 'Choose its folder…' }).click()
  const sweep = page.getByRole('article', { name: 'Seeds' })
  await expect(sweep).toContainText('0 of 2 cells are here; 2 not at their end.')
  await sweep.getByRole('button', { name: 'Copy' }).click()
  await expect(sweep.getByRole('button', { name: 'Copied' })).toBeVisible()
  await look(page, 'a sweep that was sent')
  const where = join(folder, 'Seeds')
  const copied = await studio.app.evaluate(({ clipboard }) => clipboard.readText())
  expect(copied).toBe(`cd '${where}' && ./submit.sh`)
  // All that the folder needs lies in it, or is named by its hash.
  const job = jobSchema.parse(JSON.parse(readFileSync(join(where, 'jobs/2.json'), 'utf8')))
  expect(job).toMatchObject({
    kind: 'align',
    name: 'Seeds, seed 2',
    seed: 2,
    lexicon: { path: join(where, 'lexicon.json') },
  })
  const script = readFileSync(join(where, 'submit.sh'), 'utf8')
  for (const part of ['--array=1-2 ', '--time=8:00:00 ', '--copy-every 900 ']) expect(script).toContain(part)
})

test('results of other machines come in as runs, those that are there and those that appear later', async ({
  launch,
  folder,
}) => {
  await onRuntime('e2e/sentSweep.ts', 'make', folder)
  const studio = await launch()
  const { page } = studio
  await createWorkspace(studio, join(folder, 'work.fisao'))
  await page.getByRole('button', { name: 'Runs' }).click()
  await answerDialogs(studio, join(folder, 'sweep'))
  await page.getByRole('button', { name: 'Collect results…' }).click()
  const cells = page.getByRole('status', { name: 'Cells of the sweep' })
  await expect(cells).toContainText('1 of 2 cells are here; 1 not at their end.')
  await expect(page.getByRole('table', { name: 'Cell by cell' }).getByRole('row', { name: /^2/ })).toContainText(
    'Not at its end',
  )
  await expect(page.getByText('Not of this sweep, and left alone: notes.')).toBeVisible()
  await look(page, 'a sweep of other machines')
  const row = page.getByRole('table', { name: 'What it came to' }).getByRole('row').nth(1)
  await expect(row).toContainText('1 seed')
  await expect(row).toContainText('one seed, no interval')

  await onRuntime('e2e/sentSweep.ts', 'go-on', folder)
  await expect(cells).toContainText('All 2 cells are here.')
  await expect(row).toContainText('2 seeds')
  await expect(page.getByRole('navigation', { name: 'Runs' }).getByRole('button')).toHaveCount(3)
})
