// Every screen and state of the window, wide, narrow and with text at 200 %: nothing scrolls sideways, and
// docs/screens has a picture of each in light and dark. FISAO_SCREENS=measure looks, FISAO_SCREENS=write makes those anew (`missing`: those that are not
// there), FISAO_SCREENS=compare holds the window to them: fonts are drawn differently elsewhere, so only the machine that
// made them can.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { projectRoot } from '../scripts/runProgram.ts'
import { routeSchema } from '../src/renderer/src/route.ts'
import { layoutFaults } from './layout.ts'
import { paint, schemes, widen, widths } from './looks.ts'
import { type Opening, openings, type Screen, screens } from './screens.ts'
import { createWorkspace, expect, makeWorkspace, type Studio, test } from './studio.ts'

const folderOfPictures = join(projectRoot, 'docs/screens')
const task = process.env.FISAO_SCREENS ?? 'none'
/** Share of pixels that may differ clearly: times, and what the machine measured of itself, are never the same. */
const mostDiffering = 0.02

const pictureOf = ({ name }: Screen, scheme: string, width: number): string =>
  `${name.replaceAll(/[^a-z0-9]+/g, '-')}-${scheme}-${width}.webp`
const picturesOf = (screen: Screen): string[] =>
  schemes.flatMap((scheme) => widths.map((width) => pictureOf(screen, scheme, width)))
const allPictures = screens.flatMap(picturesOf)

test('every page is in the table, and every screen has its pictures', () => {
  const known = routeSchema.options.map(({ shape }) => shape.page.value)
  expect([...new Set(screens.map(({ page }) => page))].sort()).toEqual([...known].sort())
  expect(
    readdirSync(folderOfPictures)
      .filter((name) => name.endsWith('.webp'))
      .sort(),
  ).toEqual([...allPictures].sort())
})

for (const opening of openings) {
  test(`the screens with ${opening} open`, async ({ launch, folder }) => {
    // Minutes: axe and the width of each page are held by the other specs in every run of the tests.
    test.skip(task === 'none', 'FISAO_SCREENS says what is done with the screens')
    test.setTimeout(600_000)
    const studio = await open(opening, launch, folder)
    const faults: string[] = []
    for (const screen of screens.filter((one) => one.opening === opening)) {
      if (task === 'missing' && picturesOf(screen).every((name) => existsSync(join(folderOfPictures, name)))) continue
      await tidy(studio)
      await screen.show(studio)
      if (task === 'measure') faults.push(...(await measure(studio, screen)))
      else faults.push(...(await takePictures(studio, screen)))
    }
    expect(faults).toEqual([])
    if (opening === 'nothing' && task === 'measure') await expectFaultsFound(studio)
  })
}

/** A measure that finds nothing may be blind: a fault that is made here is found. */
async function expectFaultsFound({ page }: Studio): Promise<void> {
  await page.evaluate(() => {
    const wide = '<div style="flex: none; height: 60px; width: 2000px"></div>'
    document.getElementById('main')?.insertAdjacentHTML('beforeend', wide)
  })
  expect((await layoutFaults(page)).join()).toContain('main scrolls sideways')
}

type Launch = (options?: { args: string[] }) => Promise<Studio>

async function open(opening: Opening, launch: Launch, folder: string): Promise<Studio> {
  if (opening === 'nothing') return await launch()
  const path = join(folder, `${opening}.fisao`)
  const file = { evaluated: 'e2e/evaluationFile.ts', runs: 'e2e/runsFile.ts', sweeps: 'e2e/sweepsFile.ts', empty: '' }[
    opening
  ]
  if (file !== '') await makeWorkspace(path, file, path)
  const studio = await launch(file === '' ? undefined : { args: [path] })
  await studio.page.getByRole('region', { name: 'Tour' }).getByRole('button', { name: 'Skip' }).click()
  if (file === '') await createWorkspace(studio, path)
  else await studio.page.getByRole('gridcell').first().waitFor()
  return studio
}

/** What the screen before may have left: a dialog, notices. */
async function tidy({ page }: Studio): Promise<void> {
  if (await page.getByRole('dialog').isVisible()) await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await page.evaluate(() => {
    for (const button of document.querySelectorAll<HTMLElement>('[role=alert] [aria-label="Close this message"]'))
      button.click()
  })
}

async function measure(studio: Studio, { name }: Screen): Promise<string[]> {
  const zoom = (factor: number): Promise<void> =>
    studio.app.evaluate(
      ({ BrowserWindow }, by) => BrowserWindow.getAllWindows()[0]?.webContents.setZoomFactor(by),
      factor,
    )
  const faults: string[] = []
  for (const width of widths) {
    await widen(studio, width)
    await settle(studio)
    faults.push(...(await layoutFaults(studio.page)).map((fault) => `${name}, ${width} wide: ${fault}`))
  }
  await widen(studio, 1280)
  await zoom(2)
  await settle(studio)
  faults.push(...(await layoutFaults(studio.page)).map((fault) => `${name}, text at 200 %: ${fault}`))
  await zoom(1)
  await settle(studio)
  return faults
}

/** Two frames after a change of its size the page is laid out again. */
async function settle({ page }: Studio): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve), 120)))
}

async function takePictures(studio: Studio, screen: Screen): Promise<string[]> {
  mkdirSync(folderOfPictures, { recursive: true })
  const faults: string[] = []
  for (const scheme of schemes) {
    await paint(studio.page, scheme)
    for (const width of widths) {
      await widen(studio, width)
      await settle(studio)
      const name = pictureOf(screen, scheme, width)
      const png = await studio.page.screenshot()
      if (task === 'write' || task === 'missing')
        writeFileSync(join(folderOfPictures, name), await sharp(png).webp({ quality: 70 }).toBuffer())
      else faults.push(...(await differences(name, png)))
    }
  }
  await widen(studio, 1280)
  return faults
}

/** Compares with the picture that is kept; one that differs is put beside the test's results. */
async function differences(name: string, png: Buffer): Promise<string[]> {
  const [now, kept] = await Promise.all(
    [png, join(folderOfPictures, name)].map((input) =>
      sharp(input).removeAlpha().raw().toBuffer({ resolveWithObject: true }),
    ),
  )
  if (!now || !kept || now.info.width !== kept.info.width || now.info.height !== kept.info.height) {
    return [`${name}: another size`]
  }
  let differing = 0
  for (let i = 0; i < now.data.length; i += 3) {
    const most = Math.max(...[0, 1, 2].map((c) => Math.abs((now.data[i + c] as number) - (kept.data[i + c] as number))))
    if (most > 48) differing++
  }
  const share = (3 * differing) / now.data.length
  if (share <= mostDiffering) return []
  writeFileSync(test.info().outputPath(name.replace('.webp', '.png')), png)
  return [`${name}: ${(100 * share).toFixed(1)} % of it differ`]
}

test.beforeAll(() => {
  if (task !== 'write') return
  for (const name of readdirSync(folderOfPictures, { withFileTypes: true })) {
    if (name.name.endsWith('.webp') && !allPictures.includes(name.name)) rmSync(join(folderOfPictures, name.name))
  }
})
