// More than three hundred hostile strings as names, tags, captions and errors, on every page at once: nothing runs, no
// element comes of them, nothing is asked of the network and no page grows wider than its window. Reports of them:
// report.spec.ts.
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { hostileStrings } from '../src/shared/testing/hostileStrings.ts'
import { overhang } from './looks.ts'
import { expect, onRuntime, test } from './studio.ts'

/** A file system takes all but slash and nul. */
const workspaceName = `<img src=x onerror=hostile(1)>"'&\u202E{{7*7}}`
/** Elements that a page of ours never has. */
const foreign =
  'script:not(head script), iframe, object, embed, base, meta:not(head meta), link:not(head link), form[action], marquee'

/** Lays the traps: what is called, what the content security policy refuses, what opens. */
async function layTraps(page: Page, noises: string[]): Promise<void> {
  page.on('dialog', (dialog) => {
    noises.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', (message) => {
    // The originals are not there, which the app's own protocol says with 404.
    const isMissingImage = message.location().url.startsWith('studio-image:')
    if (message.type() === 'error' && !isMissingImage) noises.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => noises.push(`error: ${error.message}`))
  page.on('framenavigated', (frame) => noises.push(`navigation: ${frame.url()}`))
  await page.evaluate(() => {
    const shared = window as unknown as { ran: string[]; hostile: (what: unknown) => void }
    shared.ran = []
    shared.hostile = (what) => shared.ran.push(`hostile(${what})`)
    window.alert = (what) => void shared.ran.push(`alert(${what})`)
    document.addEventListener('securitypolicyviolation', ({ blockedURI }) => shared.ran.push(`refused: ${blockedURI}`))
  })
}

/** What there is of hostile elements, attributes and calls now; also a page that is wider than its window. */
async function faultsOn(page: Page, name: string): Promise<string[]> {
  const found = await page.evaluate((selector) => {
    const areas = [...document.querySelectorAll('#main, #main article, #main nav, [role=dialog]')].filter(
      (area) => getComputedStyle(area).overflowX !== 'visible' && area.scrollWidth > area.clientWidth + 1,
    )
    const attributes = [...document.querySelectorAll('body *')].flatMap((element) =>
      element.getAttributeNames().filter((attribute) => /^on|^srcdoc$|^formaction$/.test(attribute)),
    )
    return [
      ...(window as unknown as { ran: string[] }).ran,
      ...[...document.querySelectorAll(selector)].map(({ outerHTML }) => `element: ${outerHTML.slice(0, 80)}`),
      ...attributes.map((attribute) => `attribute: ${attribute}`),
      ...areas.map((area) => `<${area.localName}> scrolls sideways by ${area.scrollWidth - area.clientWidth} px`),
    ]
  }, foreign)
  const wide = await overhang(page)
  return [...found, ...(wide > 0 ? [`the window scrolls sideways by ${wide} px`] : [])].map(
    (fault) => `${name}: ${fault}`,
  )
}

test('no page runs, draws or yields to a hostile name or text', async ({ launch, folder }) => {
  test.setTimeout(600_000)
  const path = join(folder, `${workspaceName}.fisao`)
  await onRuntime('e2e/hostileFile.ts', path)
  const { page } = await launch({ args: [path] })
  const noises: string[] = []
  const faults: string[] = []
  const note = async (name: string): Promise<void> => {
    faults.push(...(await faultsOn(page, name)))
    await page.screenshot({ path: test.info().outputPath(`${name}.png`) })
  }
  const goTo = (name: string): Promise<void> =>
    page.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name }).click()
  await layTraps(page, noises)
  const cells = page.getByRole('gridcell')
  await cells.first().waitFor()
  await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText(`${hostileStrings.length} images`)

  await test.step('the grid to its end, its filters', async () => {
    await note('images')
    await cells.first().focus()
    await page.keyboard.press('End')
    await expect(page.locator('[role=gridcell]:focus')).toHaveAttribute('data-index', `${hostileStrings.length - 1}`)
    await note('images, end')
    const filters = page.getByRole('region', { name: 'Filters' })
    await filters.getByRole('button', { name: /^Tag/ }).click()
    await page.getByRole('combobox', { name: 'Images with the tag' }).click()
    await note('tags')
    await page.keyboard.press('Escape')
    await filters.getByRole('button', { name: /^Word/ }).click()
    await expect(page.getByRole('option').first()).toBeVisible()
    await note('words')
    await page.keyboard.press('Escape')
  })

  await test.step('what was said of images, in the inspector', async () => {
    await page
      .getByRole('region', { name: 'Filters' })
      .getByRole('button', { name: /^Verdict/ })
      .click()
    await page.getByRole('radio', { name: 'Hallucinated words' }).click()
    const described = Math.ceil(hostileStrings.length / 10)
    await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText(`${described} images found`)
    await cells.first().dblclick()
    for (let i = 1; i <= described; i++) {
      await expect(page.getByText(`${i} of ${described}`, { exact: true })).toBeVisible()
      await expect(page.getByText(/words? kept, \d+ gone, \d+ new/)).toBeVisible()
      faults.push(...(await faultsOn(page, `image ${i}`)))
      await page.keyboard.press('PageDown')
    }
    await note('inspector')
    await page.getByRole('main').getByRole('button', { name: 'Try it' }).click()
    await page.getByRole('button', { name: 'Another image…' }).waitFor()
    await note('try it')
    await page.getByRole('button', { name: 'Another image…' }).click()
    await page.getByRole('dialog').waitFor()
    await note('try it, choose')
    await page.keyboard.press('Escape')
  })

  await test.step('runs, models, evaluations', async () => {
    await goTo('Runs')
    const runs = page.getByRole('navigation', { name: 'Runs' }).getByRole('button')
    for (const index of [0, 1, 2, -1]) {
      await runs.nth(index).click()
      await page.getByRole('article').first().waitFor()
      await note(`run ${index}`)
    }
    await page.getByRole('button', { name: 'New run' }).click()
    await note('new run')
    await goTo('Models')
    await page.getByRole('article').first().waitFor()
    await note('models')
    await goTo('Evaluate')
    await page.getByRole('navigation', { name: 'Evaluations' }).waitFor()
    await note('evaluate')
    await page.getByRole('tab', { name: 'Blind votes' }).click()
    await note('votes')
  })

  await test.step('what is at hand everywhere', async () => {
    await goTo('Home')
    await note('home')
    await page.keyboard.press('Control+k')
    await page.keyboard.type('<')
    await note('palette')
  })
  expect(faults).toEqual([])
  expect(noises).toEqual([])
})
