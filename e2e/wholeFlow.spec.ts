// The whole of it, as a person has it: a new profile, a folder of their own pictures and a model by its folders, a run that
// is checked, paused, left and gone on with, and all that is then done with it. Counts the clicks to the first image before
// and after, those that open a file dialog included; what the person does beyond the shortest way there is no part of it.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from '@playwright/test'
import { projectRoot } from '../scripts/runProgram.ts'
import { presetConfig } from '../src/shared/runConfig.ts'
import { Hand } from './hand.ts'
import { answerDialogs, expect, type Studio, test } from './studio.ts'

const images = 24
const mostClicks = 12
const samples = join(projectRoot, 'resources/samples')
const demoModel = join(projectRoot, 'resources/demo-model')

/** What shortens the run to seconds and has it change what the model says all the same. */
const shortRun: readonly (readonly [setting: string, value: number])[] = [
  ['Responses a step', 8],
  ['Responses for calibration', 64],
  ['Steps a round', 4],
  ['Value updates before the first step', 5],
  ['Learning rate of the adapter', 0.004],
  ['Steps between looks at the validation images', 2],
]

test('from a new profile to an aligned model, and all that is done with one', async ({ launch, folder }) => {
  // A minute and a half where nothing else runs; the limit is for machines that are shared.
  test.setTimeout(800_000)
  const own = ownPictures(folder)
  const hand = new Hand(await launch())

  await test.step('a workspace with own pictures', async () => {
    await hand.choose(hand.button('New workspace'), join(folder, 'Zoo.fisao'))
    await hand.choose(hand.button('Add a folder…'), own.folder)
    await expect(hand.page.getByRole('status', { name: 'Number of images' })).toHaveText(`${images} images`)
  })
  await test.step('a model by its folders', async () => {
    await hand.click(hand.button('Runs'))
    await hand.click(hand.button('New run'))
    await hand.choose(hand.button('Choose the folder of the model'), demoModel)
    await hand.choose(hand.button('Choose the folder of its encoder'), join(demoModel, 'encoder'))
    await hand.click(hand.button('Check and add'))
    await expect(hand.page.getByText('Encoder verified')).toBeVisible({ timeout: 60_000 })
  })
  await shorten(hand.page)
  await hand.click(stepOf(hand.page, 'Check'))
  await test.step('the check measures it, and says time, memory, disk and verifier', () => measure(hand.page))
  await hand.click(hand.button('Start'))
  await pause(hand.page)
  const clicksBefore = hand.clicks
  await hand.studio.app.close()

  const again = new Hand(await launch())
  const { studio, page } = again
  await resume(page)
  await test.step('a word of a sample leads to both responses', () => inspect(again))
  const clicks = clicksBefore + again.clicks
  console.log(`first use: ${clicks} clicks, those that open a file dialog included`)
  expect(clicks).toBeLessThanOrEqual(mostClicks)
  await test.step('its evidence in the picture', () => seeEvidence(page))
  await test.step('the hallucinated among the library', () => filter(page))
  await test.step('judged by an own COCO file', () => evaluate(studio, own))
  await test.step('ten pairs voted on blindly', () => vote(page))
  await test.step('two checkpoints asked about an image', () => tryBoth(page))
  await test.step('exported, whole and as an adapter', () => exportAll(studio, folder))
  await test.step('its report as a page and as PDF', () => report(studio, folder))
})

interface OwnPictures {
  readonly folder: string
  /** Their annotations, as COCO has them. */
  readonly annotations: string
}

function ownPictures(parent: string): OwnPictures {
  interface Coco {
    readonly images: readonly { readonly id: number; readonly file_name: string }[]
    readonly annotations: readonly { readonly image_id: number }[]
  }
  const folder = join(parent, 'Photographs of the zoo')
  mkdirSync(folder)
  const nameOf = new Map<string, string>()
  for (const [i, name] of readdirSync(join(samples, 'images')).sort().slice(0, images).entries()) {
    nameOf.set(name, `IMG_${2041 + i}.jpg`)
    copyFileSync(join(samples, 'images', name), join(folder, `IMG_${2041 + i}.jpg`))
  }
  const coco = JSON.parse(readFileSync(join(samples, 'annotations.json'), 'utf8')) as Coco
  // Half of them: a person has seldom annotated all.
  const kept = coco.images.flatMap((image) => {
    const name = nameOf.get(image.file_name)
    return name ? [{ ...image, file_name: name }] : []
  })
  const judged = kept.slice(0, images / 2)
  const ids = new Set(judged.map(({ id }) => id))
  const annotations = join(parent, 'instances.json')
  const own = { ...coco, images: judged, annotations: coco.annotations.filter(({ image_id }) => ids.has(image_id)) }
  writeFileSync(annotations, JSON.stringify(own))
  return { folder, annotations }
}

/** A step of the new run by its name. */
function stepOf(page: Page, name: string): Locator {
  return page.getByRole('main').getByRole('button', { name })
}

async function shorten(page: Page): Promise<void> {
  await stepOf(page, 'Images').click()
  await page.getByRole('textbox', { name: 'Validation images', exact: true }).fill('8')
  await stepOf(page, 'Preset').click()
  await page.getByText('Expert settings').click()
  for (const [name, value] of shortRun) await page.getByRole('textbox', { name, exact: true }).fill(String(value))
}

async function measure(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Measure it first' }).click()
  await expect(page.getByRole('button', { name: 'Cancel the check' })).toBeVisible()
  const findings = page.getByRole('list', { name: 'Findings' })
  await expect(findings).toContainText('It takes about', { timeout: 120_000 })
  await expect(findings).not.toContainText('Not known')
  await expect(findings.getByRole('listitem')).toHaveCount(7)
}

const pages = (page: Page): Locator => page.getByRole('navigation', { name: 'Pages' })
const theRun = (page: Page): Locator => page.getByRole('article', { name: 'Quick look' })
const looks = (page: Page): Locator =>
  theRun(page).getByRole('table', { name: 'Looks at the validation images' }).getByRole('row')

/** Waits for the first look, then pauses. */
async function pause(page: Page): Promise<void> {
  const run = theRun(page)
  const goOn = run.getByRole('button', { name: 'Go on knowingly' })
  const button = run.getByRole('button', { name: 'Pause' })
  await expect(goOn.or(looks(page).nth(1))).toBeVisible({ timeout: 200_000 })
  // Sixty-four responses may be too few to trust a verifier by, which those of the preset are not.
  if (await goOn.isVisible()) await goOn.click()
  await expect(looks(page).nth(1)).toBeVisible({ timeout: 200_000 })
  await button.click()
  await expect(run.getByRole('button', { name: 'Resume' })).toBeVisible({ timeout: 100_000 })
  await page.screenshot({ path: test.info().outputPath('paused.png') })
}

/** Opens the workspace of before, where the run still waits, and sees it to its end. */
async function resume(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Zoo/ }).click()
  await page.getByRole('button', { name: 'Runs' }).click()
  const run = theRun(page)
  await run.getByRole('button', { name: 'Resume' }).click()
  await expect(run.getByRole('region', { name: 'Result' })).toBeVisible({ timeout: 300_000 })
  await expect(looks(page)).toHaveCount(4)
  await page.screenshot({ path: test.info().outputPath('aligned.png') })
}

/** One image with both responses beside each other. */
async function inspect(hand: Hand): Promise<void> {
  const { page } = hand
  const section = page.getByRole('region', { name: 'Checkpoints' })
  await hand.click(section.getByRole('radio').last())
  await hand.click(section.getByRole('article').first().getByRole('button').first())
  const both = hand.button('Describe with both')
  const compared = page.getByText(/words? kept, \d+ gone, \d+ new/)
  await expect(both.or(compared)).toBeVisible({ timeout: 60_000 })
  // An image that the run looked at was described on the way.
  if (await both.isVisible()) await hand.click(both)
  await expect(compared).toBeVisible({ timeout: 120_000 })
  await expect(page.getByRole('heading', { level: 1 })).toContainText('IMG_')
}

async function seeEvidence(page: Page): Promise<void> {
  await page
    .getByRole('article', { name: /^Second model/ })
    .getByRole('button', { name: /, (grounded|hallucinated|neutral)/ })
    .first()
    .click()
  await expect(page.getByRole('region', { name: /^The word/ })).toContainText('Log-probability')
  await expect(page.getByText(/cosine with the word, \d+ × \d+ patches/)).toBeVisible({ timeout: 60_000 })
  await expect(page.locator('canvas')).toBeVisible()
  await page.screenshot({ path: test.info().outputPath('evidence.png') })
}

async function filter(page: Page): Promise<void> {
  await pages(page).getByRole('button', { name: 'Images', exact: true }).click()
  await page.getByRole('combobox', { name: 'Responses of' }).click()
  await page.getByRole('option', { name: /as it came/ }).click()
  await page
    .getByRole('region', { name: 'Filters' })
    .getByRole('button', { name: /^Verdict/ })
    .click()
  await page.getByRole('radio', { name: 'Hallucinated words' }).click()
  await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText(/^\d images? found$/)
  await expect(page.getByRole('gridcell').first()).toHaveAccessibleName(/\d hallucinated words?/)
}

async function evaluate(studio: Studio, { folder, annotations }: OwnPictures): Promise<void> {
  const { page } = studio
  await pages(page).getByRole('button', { name: 'Evaluate' }).click()
  await page.getByRole('button', { name: 'New evaluation' }).click()
  const dialog = page.getByRole('dialog', { name: 'New evaluation' })
  await dialog.getByRole('radio', { name: 'CHAIR' }).check()
  for (const [name, path] of [
    ['Annotations', annotations],
    ['Folder of the images', folder],
  ] as const) {
    await answerDialogs(studio, path)
    await dialog.getByRole('button', { name: `Choose: ${name}` }).click()
    await expect(dialog.getByRole('textbox', { name })).toHaveValue(path)
  }
  await dialog.getByRole('button', { name: 'Start' }).click()
  const details = page.getByRole('article', { name: 'CHAIR' })
  await expect(details.getByRole('button', { name: 'Cancel' })).toBeVisible()
  await expect(details.getByRole('table', { name: 'Figures' })).toBeVisible({ timeout: 200_000 })
  for (const title of ['CHAIR-i', 'CHAIR-s', 'Recall', 'Length']) {
    await expect(details.getByRole('rowheader').filter({ hasText: title }).first()).toBeVisible()
  }
  await details.getByRole('button', { name: 'See the images and words' }).click()
  await expect(page.getByRole('article', { name: /^IMG_/ })).toHaveCount(images / 2)
}

async function vote(page: Page): Promise<void> {
  await page.getByRole('tab', { name: 'Blind votes' }).click()
  for (const label of ['one model', 'the other model']) {
    await page.getByRole('button', { name: new RegExp(`with ${label}$`) }).click()
  }
  await expect(page.getByText(new RegExp(`^${images} images have a response of both`))).toBeVisible({
    timeout: 200_000,
  })
  const ballot = page.getByRole('region', { name: 'Vote' })
  const stand = page.getByRole('status').filter({ hasText: /votes? cast/ })
  for (let votes = 1; votes <= 10; votes++) {
    await expect(ballot).toHaveAttribute('aria-busy', 'false')
    await page.keyboard.press(['ArrowLeft', 'ArrowRight', 'ArrowDown'][votes % 3] as string)
    await expect(stand).toHaveText(new RegExp(`^${votes} votes? cast`))
  }
  await page.getByRole('button', { name: 'Show the counts' }).click()
  await expect(page.getByRole('region', { name: 'Counts' })).toContainText(/Sign test on [67] votes without ties/)
  await page.screenshot({ path: test.info().outputPath('votes.png') })
}

async function tryBoth(page: Page): Promise<void> {
  await pages(page).getByRole('button', { name: 'Try it' }).click()
  await page.getByRole('button', { name: 'IMG_2043.jpg' }).click()
  await page.getByRole('textbox', { name: 'Question' }).fill('What is in this image?')
  await page.getByRole('button', { name: 'Ask both' }).click()
  const history = page.getByRole('region', { name: 'Asked about this image' })
  await expect(history.getByRole('button', { name: /What is in this image/ })).toBeVisible({ timeout: 120_000 })
  await expect(page.getByRole('group', { name: /^Response of / })).toHaveCount(2, { timeout: 120_000 })
  await page.screenshot({ path: test.info().outputPath('asked both.png') })
}

async function exportAll(studio: Studio, folder: string): Promise<void> {
  const { page } = studio
  await pages(page).getByRole('button', { name: 'Runs' }).click()
  await page.getByRole('region', { name: 'Checkpoints' }).getByRole('radio').last().check({ force: true })
  await theRun(page).getByRole('button', { name: 'Export…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Export step 4 of “Quick look”' })
  await dialog.getByLabel('Also the whole model with the adapter merged in').check()
  await dialog.getByRole('slider').press('ArrowLeft')
  await expect(dialog).toContainText('Strength of the adapter: 0.95')
  await answerDialogs(studio, folder)
  await dialog.getByRole('button', { name: 'Choose where to…' }).click()
  await expect(dialog.getByRole('status')).toContainText(folder, { timeout: 60_000 })
  await page.screenshot({ path: test.info().outputPath('exported.png') })
  await dialog.getByRole('button', { name: 'Close', exact: true }).last().click()
  const [written = ''] = readdirSync(folder).filter((name) => name.startsWith('Quick look step'))
  const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, written, name), 'utf8'))
  expect(existsSync(join(folder, written, 'merged/model.safetensors'))).toBe(true)
  expect(existsSync(join(folder, written, 'adapter/adapter_model.safetensors'))).toBe(true)
  expect(read('run.json')).toMatchObject({ strength: 0.95 })
  const { alpha } = presetConfig('quick-look').adapter
  expect((read('adapter/adapter_config.json') as { lora_alpha: number }).lora_alpha).toBeCloseTo(alpha * 0.95)
}

async function report(studio: Studio, folder: string): Promise<void> {
  const { page } = studio
  const section = page.getByRole('region', { name: 'Checkpoints' })
  for (const [item, file, beginning] of [
    [/\(HTML\)/, 'report.html', '<!doctype html>'],
    [/PDF/, 'report.pdf', '%PDF-'],
  ] as const) {
    await answerDialogs(studio, join(folder, file))
    await section.getByRole('button', { name: 'Report…' }).click()
    await page.getByRole('menuitem', { name: item }).click()
    await expect(section.getByText(file)).toBeVisible({ timeout: 60_000 })
    const bytes = readFileSync(join(folder, file), 'latin1')
    expect(bytes.slice(0, beginning.length).toLowerCase()).toBe(beginning.toLowerCase())
    expect(bytes.length).toBeGreaterThan(20_000)
  }
  await page.screenshot({ path: test.info().outputPath('report.png') })
}
