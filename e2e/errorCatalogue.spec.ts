// What a person reads when something fails: every error that the source can say, shown by the window's own notices; and
// those that are easily brought about, brought about in the product and held to the same sentences.
import { cpSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator } from '@playwright/test'
import { projectRoot } from '../scripts/runProgram.ts'
import type { ErrorRecord } from '../src/shared/errors.ts'
import { codesNamed, type ErrorSite, errorSites, placeholder } from './errorSites.ts'
import { overhang, widen } from './looks.ts'
import { answerDialogs, expect, isThorough, onRuntime, test, why } from './studio.ts'

const sites = errorSites()
/** As many as the window shows at once. */
const atOnce = 4

test('every error has a sentence and a remedy that a person can read', () => {
  expect(new Set(sites.map(({ code }) => code)).size).toBeGreaterThan(180)
  const listed = new Set(sites.map(({ code }) => code))
  expect([...codesNamed()].filter((code) => !listed.has(code))).toEqual([])
  // The command without a window speaks of its options; it has tests of its own.
  const shown = sites.filter(({ file }) => !file.startsWith('src/main/headless/'))
  const faults = shown.flatMap((site) => faultsOf(site).map((fault) => `${site.code} (${site.file}): ${fault}`))
  expect(faults).toEqual([])
})

/** What no sentence for a person holds: names of the language, of its exceptions, of our own files. */
const leaks = [
  /\b(undefined|null|NaN|\[object|Symbol\()/,
  /\b\w*(Error|Exception)\b/,
  /\b(at|in) \S+:\d+:\d+/,
  /node_modules|\bsrc\//,
  /\.tsx?\b/,
  /\$\{/,
]

function faultsOf({ message, remedy }: ErrorSite): string[] {
  return [
    ...[message, remedy].flatMap((text) =>
      leaks.filter((leak) => leak.test(text)).map((leak) => `${leak} in “${text}”`),
    ),
    // One that is found elsewhere is looked at there.
    ...[message, remedy]
      .filter((text) => text !== placeholder && text.trim().length < 9)
      .map((text) => `“${text}” says too little`),
    ...[message, remedy].filter((text) => !/^["“‹\p{Lu}\d]/u.test(text)).map((text) => `“${text}” begins small`),
    ...[message, remedy]
      .filter((text) => !/[.!?]["”)]?$/.test(text) && !text.endsWith(placeholder))
      .map((text) => `“${text}” has no end`),
  ]
}

test('each code is shown as a notice with its sentence, its remedy and its place', async ({ studio }) => {
  test.skip(!isThorough, why)
  test.setTimeout(240_000)
  const { app, page } = studio
  await widen(studio, 760)
  await app.evaluate(({ ipcMain }) => {
    const shared = globalThis as unknown as { told: unknown[] }
    shared.told = []
    // In the place of what main would have to tell: the way from there to the person is the product's own.
    ipcMain.removeHandler('app.notices')
    ipcMain.handle('app.notices', () => ({ ok: true, value: shared.told.splice(0) }))
  })
  const where = `/home/person/Photographs ${'of a very long summer '.repeat(9)}/${'x'.repeat(90)}.safetensors`
  const records = [...new Map(sites.map((site) => [site.code, site])).values()].map(
    ({ code, message, remedy }): ErrorRecord => ({
      ...{ code: code as ErrorRecord['code'], message: withValues(message), remedy: withValues(remedy) },
      // With their file these two open a dialog, which workspace.spec.ts and ownership.spec.ts hold.
      ...(!['workspace.damaged', 'workspace.in-use'].includes(code) && { where }),
    }),
  )
  const faults: string[] = []
  for (let i = 0; i < records.length; i += atOnce) {
    const some = records.slice(i, i + atOnce)
    await app.evaluate(({ BrowserWindow }, told) => {
      ;(globalThis as unknown as { told: unknown[] }).told.push(...told.map((error) => ({ about: 'error', error })))
      BrowserWindow.getAllWindows()[0]?.webContents.send('app.noticed', {})
    }, some)
    await expect(page.getByRole('alert')).toHaveCount(some.length)
    const shown = await page.getByRole('alert').evaluateAll(async (alerts) => {
      // They slide in.
      const slides = alerts.flatMap((alert) => alert.getAnimations())
      await Promise.all(slides.map(({ finished }) => finished.catch(() => undefined)))
      return alerts.map((alert) => {
        const { left, right, top, bottom } = alert.getBoundingClientRect()
        // Where it is may be shortened: the whole of it stands in its tip.
        const isCut = [alert, ...alert.querySelectorAll('*:not(svg, svg *, .notice-where)')].some(
          (one) =>
            getComputedStyle(one).overflow !== 'visible' &&
            (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1),
        )
        const isInside = left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight
        return { text: alert.textContent ?? '', isInside, isCut }
      })
    })
    for (const { code, message, remedy, where: place } of some) {
      const notice = shown.find(({ text }) => text.includes(message) && text.includes(remedy))
      if (!notice) faults.push(`${code}: “${message} ${remedy}” is not on the page`)
      else if (place && !notice.text.includes(place)) faults.push(`${code}: it does not say where`)
      if (notice && (!notice.isInside || notice.isCut)) faults.push(`${code}: it is cut`)
    }
    if (i === 0) await page.screenshot({ path: test.info().outputPath('notices.png') })
    await page.evaluate(() => {
      for (const button of document.querySelectorAll<HTMLElement>('[aria-label="Close this message"]')) button.click()
    })
    await expect(page.getByRole('alert')).toHaveCount(0)
  }
  expect(faults).toEqual([])
  expect(await overhang(page)).toBeLessThanOrEqual(0)
})

function withValues(text: string): string {
  return text.replaceAll(placeholder, 'model.language_model.layers.31')
}

/** Whether a text is one that the source says under this code, whatever its values are. */
function isSaid(text: string, code: string): boolean {
  const pattern = (one: string): string =>
    one
      .split(placeholder)
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('[^]*')
  return sites.some(
    (site) => site.code === code && new RegExp(`${pattern(site.message)}[^]*${pattern(site.remedy)}`).test(text),
  )
}

test('what is easily brought about says what the source says', async ({ launch, folder }) => {
  test.setTimeout(300_000)
  const path = join(folder, 'evaluated.fisao')
  await onRuntime('e2e/evaluationFile.ts', path)
  const studio = await launch({ args: [path] })
  const { page } = studio
  await page.getByRole('gridcell').first().waitFor()
  const notice = page.locator('[role=alert]:has([aria-label="Close this message"])')
  const expectSaid = async (at: Locator, code: string): Promise<void> => {
    await expect.poll(async () => isSaid((await at.textContent()) ?? '', code), { message: code }).toBe(true)
    expect(await at.textContent()).not.toMatch(/\bat \S+:\d+|node_modules|undefined/)
  }
  const close = async (): Promise<void> => {
    await notice.getByRole('button', { name: 'Close this message' }).click()
    await expect(notice).toHaveCount(0)
  }
  const nowhere = join(folder, 'nowhere', 'file')

  await test.step('files that are written', async () => {
    await page.getByRole('button', { name: 'Evaluate' }).click()
    await answerDialogs(studio, nowhere)
    await page.getByRole('button', { name: 'Figures as CSV…' }).click()
    await expectSaid(notice, 'app.not-written')
    await close()
    await page.getByRole('button', { name: 'Runs' }).click()
    const section = page.getByRole('region', { name: 'Checkpoints' })
    await section.getByRole('button', { name: 'Report…' }).click()
    await page.getByRole('menuitem', { name: 'As PDF…' }).click()
    await expectSaid(section.getByRole('alert'), 'app.report-not-written')
    await page.getByRole('button', { name: 'Images' }).click()
    await page.getByRole('gridcell').first().dblclick()
    await page.getByRole('button', { name: 'Save as a picture…' }).click()
    await expectSaid(notice, 'app.picture-not-written')
    await close()
  })

  await test.step('folders of models', async () => {
    await page.getByRole('button', { name: 'Models' }).click()
    await page.getByRole('button', { name: 'Add a model' }).click()
    const dialog = page.getByRole('dialog', { name: 'Add a model' })
    const demo = join(projectRoot, 'resources/demo-model')
    const encoder = join(demo, 'encoder')
    for (const [code, model, companion] of [
      ['model.missing-file', folder, encoder],
      ['model.is-encoder', encoder, encoder],
      ['model.not-encoder', demo, demo],
      ['model.swapped', encoder, demo],
      ['model.bad-config', spoilt(folder, 'config', (at) => writeFileSync(join(at, 'config.json'), '[1]')), encoder],
      ['weights.none', spoilt(folder, 'none', (at) => rmSync(join(at, 'model.safetensors'))), encoder],
      ['weights.pickle', spoilt(folder, 'pickle', pickled), encoder],
      [
        'weights.truncated',
        spoilt(folder, 'cut', (at) => truncateSync(join(at, 'model.safetensors'), 90_000)),
        encoder,
      ],
      ['model.bad-path', 'relative/model', encoder],
    ] as const) {
      await dialog.getByRole('textbox', { name: 'Folder of the model' }).fill(model)
      await dialog.getByRole('textbox', { name: 'Folder of its encoder' }).fill(companion)
      await dialog.getByRole('button', { name: 'Check and add' }).click()
      await expectSaid(dialog.getByRole('alert'), code)
    }
    await page.keyboard.press('Escape')
  })

  await test.step('pictures', async () => {
    await page.getByRole('button', { name: 'Images' }).click()
    await answerDialogs(studio, nowhere)
    await page.getByRole('button', { name: 'Add a folder…' }).click()
    await expectSaid(notice, 'image.folder-missing')
    await close()
  })

  await test.step('workspaces', async () => {
    await page.getByRole('button', { name: 'Home' }).click()
    writeFileSync(join(folder, 'letter.fisao'), 'Dear Sir or Madam, '.repeat(100))
    for (const [code, button, chosen] of [
      ['workspace.missing', 'Open…', join(folder, 'gone.fisao')],
      ['workspace.is-folder', 'Open…', folder],
      ['workspace.foreign', 'Open…', join(folder, 'letter.fisao')],
      ['workspace.no-folder', 'New workspace', join(folder, 'nowhere', 'new.fisao')],
      ['workspace.name-too-long', 'New workspace', join(folder, `${'x'.repeat(300)}.fisao`)],
    ] as const) {
      await answerDialogs(studio, chosen)
      await page.getByRole('button', { name: button }).click()
      await expectSaid(notice, code)
      await close()
    }
  })
})

/** A copy of the demo model, spoilt. */
function spoilt(folder: string, name: string, spoil: (at: string) => void): string {
  const at = join(folder, `model ${name}`)
  mkdirSync(at)
  cpSync(join(projectRoot, 'resources/demo-model'), at, { recursive: true, filter: (one) => !one.endsWith('/encoder') })
  spoil(at)
  return at
}

function pickled(at: string): void {
  rmSync(join(at, 'model.safetensors'))
  writeFileSync(join(at, 'pytorch_model.bin'), 'x')
}
