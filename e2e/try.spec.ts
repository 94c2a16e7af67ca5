// Try it in the real window: an image found by name, two policies beside each other, a refusal that says what to do; and
// with the demo model a question asked, cancelled, asked again drawn at random, and shown again by a click.
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../scripts/runProgram.ts'
import { lookInBoth, widen } from './looks.ts'
import { createWorkspace, expect, makeWorkspace, test } from './studio.ts'

test('an image is found by name, and two policies stand beside each other', async ({ launch, folder }) => {
  test.setTimeout(300_000)
  const path = join(folder, 'described.fisao')
  await makeWorkspace(path, 'e2e/inspectorFile.ts', path)
  const studio = await launch({ args: [path] })
  const { page } = studio
  await page.getByRole('button', { name: 'Try it' }).click()
  await expect(page.getByRole('status').filter({ hasText: '12 images' })).toBeVisible()
  await lookInBoth({ page }, 'choose')
  await page.getByRole('searchbox', { name: 'Search by name' }).fill('no such name')
  await expect(page.getByText('No image has “no such name” in its name.')).toBeVisible()
  await page.getByRole('searchbox', { name: 'Search by name' }).fill('0001')
  await page.getByRole('button', { name: 'scene-0001.jpg' }).click()

  // What they said to the usual question is there already.
  await expect(page.getByText('3 words kept, 3 gone, 3 new')).toBeVisible()
  await expect(page.getByRole('button', { name: 'zebra, grounded, new' })).toBeVisible()
  await expect(page.getByText('Nothing yet since the workspace was opened.')).toHaveCount(0)
  await lookInBoth({ page }, 'both')
  await widen(studio, 760)
  await lookInBoth({ page }, 'both 760')
  await widen(studio, 1280)

  await test.step('a number that is emptied is asked for', async () => {
    await page.getByText('Drawn at random').click()
    await page.getByRole('textbox', { name: 'Temperature' }).fill('')
    await expect(page.getByText('0.05 to 2')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Ask both' })).toBeDisabled()
    await lookInBoth({ page }, 'emptied number')
    await page.getByText('Likeliest words').click()
  })

  await test.step('a checkpoint that cannot be read says so at its place', async () => {
    await page.getByRole('textbox', { name: 'Question' }).fill('What stands below the traffic light?')
    await page.keyboard.press('Enter')
    const alert = page.getByRole('article').getByRole('alert')
    await expect(alert).toHaveCount(2, { timeout: 60_000 })
    await expect(alert.first()).toContainText('Choose another checkpoint of this run')
    await lookInBoth({ page }, 'failed')
  })

  await test.step('from the inspector, and another image', async () => {
    await page.getByRole('switch', { name: 'Compare two' }).click()
    await expect(page.getByRole('article')).toHaveCount(1)
    await page.getByRole('button', { name: 'Images', exact: false }).first().click()
    await page.getByRole('gridcell').nth(1).dblclick()
    await expect(page.getByRole('heading', { level: 1 })).toContainText('scene-')
    const name = await page.getByRole('heading', { level: 1 }).textContent()
    await page.getByRole('button', { name: 'Try it' }).last().click()
    await expect(page.getByRole('region', { name: new RegExp(`^${name}`) })).toBeVisible()
    await page.getByRole('button', { name: 'Another image…' }).click()
    await lookInBoth({ page }, 'picker')
    await page.getByRole('dialog').getByRole('button', { name: 'scene-0002.jpg' }).click()
    await expect(page.getByRole('dialog')).toBeHidden()
    await expect(page.getByRole('region', { name: /^scene-0002.jpg/ })).toBeVisible()
  })
})

test('the demo model answers as it goes, is cancelled, and what was asked is shown again', async ({
  studio,
  folder,
}) => {
  test.setTimeout(400_000)
  const { page } = studio
  const samples = join(projectRoot, 'resources/samples/images')
  const pictures = join(folder, 'pictures')
  mkdirSync(pictures)
  for (const name of readdirSync(samples).slice(0, 2)) copyFileSync(join(samples, name), join(pictures, name))
  await createWorkspace(studio, join(folder, 'work.fisao'))
  await page.getByRole('button', { name: 'Try it' }).click()
  await expect(page.getByRole('heading', { name: 'Add images first' })).toBeVisible()
  await lookInBoth({ page }, 'empty')
  await page.evaluate(async (path) => {
    await window.studio.request('images.importFolder', { folder: path })
    await window.studio.request('models.addDemo', {})
  }, pictures)
  await page.getByRole('button', { name: 'Images', exact: true }).click()
  await expect(page.getByRole('gridcell')).toHaveCount(2)
  await page.getByRole('button', { name: 'Try it' }).click()
  await page.getByRole('button', { name: 'scene-0001.jpg' }).click()
  const question = page.getByRole('textbox', { name: 'Question' })
  const said = page.getByRole('group', { name: /^Response of .*by itself$/ })
  const history = page.getByRole('region', { name: 'Asked about this image' })

  await question.fill('Describe this image.')
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await page.getByRole('button', { name: 'Cancel' }).first().click()
  await expect(page.getByRole('button', { name: 'Ask again' }).or(said).first()).toBeVisible({ timeout: 60_000 })
  await lookInBoth({ page }, 'cancelled')

  await page.getByText('Drawn at random').click()
  await page.getByRole('textbox', { name: 'Seed' }).fill('7')
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await expect(
    page
      .getByRole('group', { name: /on its way$/ })
      .or(said)
      .first(),
  ).toBeVisible({ timeout: 120_000 })
  await page.screenshot({ path: test.info().outputPath('on its way.png') })
  await expect(said).toBeVisible({ timeout: 120_000 })
  const drawn = await said.textContent()
  await expect(history).toContainText('temperature 0.8, top-p 0.95, seed 7')

  await question.fill('What is in this image?')
  await page.getByText('Likeliest words').click()
  await page.keyboard.press('Tab')
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await expect(history.getByRole('button', { name: /What is in this image/ })).toBeVisible({ timeout: 120_000 })
  await lookInBoth({ page }, 'asked')
  await history.getByRole('button', { name: /seed 7/ }).click()
  await expect(said).toHaveText(drawn ?? '')
  await expect(page.getByRole('textbox', { name: 'Seed' })).toHaveValue('7')
})
