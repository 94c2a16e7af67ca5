// Reports of runs through the channel, as a page asks for them: the web page and the PDF that a person gets, and that no
// text in them runs, reaches out or breaks the layout.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ElectronApplication } from '@playwright/test'
import { runReportHtml } from '../src/main/app/report/runReport.ts'
import type { fillReportWorkspace, ReportRuns } from '../src/main/app/report/testing/reportWorkspace.ts'
import { sampleReport } from '../src/main/app/report/testing/runReportSample.ts'
import { presetConfig } from '../src/shared/runConfig.ts'
import { hostileStrings } from '../src/shared/testing/hostileStrings.ts'
import { answerDialogs, expect, isThorough, onRuntime, type Studio, test } from './studio.ts'

async function openReports(
  launch: (options: { args: string[] }) => Promise<Studio>,
  folder: string,
): Promise<{ studio: Studio; runs: ReturnType<typeof fillReportWorkspace> }> {
  const path = join(folder, 'reports.fisao')
  const runs: ReportRuns = JSON.parse(await onRuntime('e2e/reportFile.ts', path))
  const studio = await launch({ args: [path] })
  // The window is there before its workspace is.
  await studio.page.getByRole('heading', { name: 'Images', exact: true }).waitFor()
  return { studio, runs }
}

type Format = 'html' | 'pdf'

async function saveReport(studio: Studio, runId: number, step: number | null, format: Format, path: string) {
  await answerDialogs(studio, path)
  return await studio.page.evaluate(
    ([id, at, kind]) => window.studio.request('runs.report', { runId: id as never, step: at, format: kind }),
    [runId, step, format] as const,
  )
}

/** What became of pages that were opened in a window that may run whatever they hold. */
interface Opened {
  readonly url: string
  /** Console messages, dialogs, calls of the traps, navigations and requests. */
  readonly noises: string[]
  /** Tags of its elements, counted. */
  readonly tags: Record<string, number>
  /** Attributes that could run something. */
  readonly handlers: number
  readonly contentWidth: number
}

/** Opens pages one after the other, `width` pixels wide, with scripts allowed and traps laid. */
async function openAll(app: ElectronApplication, urls: readonly string[], width: number): Promise<Opened[]> {
  return await app.evaluate(
    async ({ BrowserWindow, session }, { pages, width }) => {
      const own = session.fromPartition('trap')
      const asked: string[] = []
      own.webRequest.onBeforeRequest(({ url }, decide) => {
        asked.push(url)
        decide({ cancel: !url.startsWith('file:') && !url.startsWith('data:') })
      })
      const window = new BrowserWindow({
        ...{ show: false, width, height: 900, useContentSize: true },
        webPreferences: { session: own, sandbox: true, contextIsolation: true, disableDialogs: false },
      })
      const found: Opened[] = []
      let noises: string[] = []
      window.webContents.on('console-message', ({ message }) => noises.push(`console: ${message}`))
      window.webContents.on('will-navigate', ({ url }) => noises.push(`navigation: ${url}`))
      window.webContents.on('did-create-window', () => noises.push('a window'))
      try {
        for (const url of pages) {
          noises = []
          asked.length = 0
          await window.loadURL(url)
          const seen = await window.webContents.executeJavaScript(`new Promise((resolve) => setTimeout(() => {
            const all = [...document.querySelectorAll('*')]
            const tags = {}
            for (const { localName } of all) tags[localName] = (tags[localName] ?? 0) + 1
            const risky = (name) => /^on|^srcdoc$|^formaction$/.test(name)
            resolve({
              tags,
              handlers: all.flatMap((one) => one.getAttributeNames()).filter(risky).length,
              contentWidth: document.documentElement.scrollWidth,
              ran: typeof hostile,
            })
          }, 0))`)
          const { ran, ...rest } = seen as Opened & { ran: string }
          const foreign = asked.filter((one) => one !== url && !one.startsWith('data:image/'))
          const all = [...noises, ...foreign.map((one) => `request: ${one}`), ...(ran === 'undefined' ? [] : [ran])]
          found.push({ ...rest, url, noises: all })
        }
      } finally {
        window.destroy()
      }
      return found
    },
    { pages: urls, width },
  )
}

test('the report of a run is a page of its own: what it says, and that it fits', async ({ launch, folder }) => {
  const { studio, runs } = await openReports(launch, folder)
  const html = join(folder, 'report.html')
  expect(await saveReport(studio, runs.aligned, null, 'html', html)).toEqual({ ok: true, value: { path: html } })
  const page = readFileSync(html, 'utf8')
  expect(page).toContain('The effect goes beyond the placebo.')
  expect(readdirSync(folder).filter((name) => name.includes('unfinished'))).toEqual([])
  for (const width of [1280, 760]) {
    const [opened] = await openAll(studio.app, [pathToFileURL(html).href], width)
    expect(opened?.noises).toEqual([])
    expect(opened?.contentWidth).toBeLessThanOrEqual(width)
  }
  await test.step('no file chosen, a folder that is gone, a step that is none', async () => {
    await studio.app.evaluate(({ dialog }) => {
      dialog.showSaveDialog = () => Promise.resolve({ canceled: true, filePath: '' })
    })
    const ask = (step: number | null) =>
      studio.page.evaluate(
        ([id, at]) => window.studio.request('runs.report', { runId: id as never, step: at, format: 'html' }),
        [runs.aligned, step] as const,
      )
    expect(await ask(null)).toEqual({ ok: true, value: null })
    expect(await ask(99)).toMatchObject({ ok: false, error: { code: 'run.no-checkpoint' } })
    const gone = await saveReport(studio, runs.aligned, null, 'html', join(folder, 'gone', 'report.html'))
    expect(gone).toMatchObject({ ok: false, error: { code: 'app.report-not-written', found: 'ENOENT' } })
  })
})

test('the report as PDF has the same words, nothing to run, and leaves no window', async ({ launch, folder }) => {
  const { studio, runs } = await openReports(launch, folder)
  for (const name of ['aligned', 'hostile'] as const) {
    const path = test.info().outputPath(`${name}.pdf`)
    expect(await saveReport(studio, runs[name], null, 'pdf', path)).toEqual({ ok: true, value: { path } })
    const pdf = readFileSync(path).toString('latin1')
    expect(pdf.slice(0, 5)).toBe('%PDF-')
    expect([...pdf.matchAll(/\/Type \/Page\b/g)].length).toBeGreaterThan(3)
    // Links within it are destinations; there is nothing that runs or leads elsewhere.
    expect(pdf).not.toMatch(/\/(JavaScript|JS|Launch|SubmitForm|URI|OpenAction|EmbeddedFile)\b/)
  }
  expect(await studio.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1)
})

test('the report of a hostile run runs nothing and keeps its layout', async ({ launch, folder }) => {
  const { studio, runs } = await openReports(launch, folder)
  const html = test.info().outputPath('hostile.html')
  await saveReport(studio, runs.hostile, null, 'html', html)
  const [opened] = await openAll(studio.app, [pathToFileURL(html).href], 760)
  expect(opened?.noises).toEqual([])
  expect(opened?.handlers).toBe(0)
  expect(Object.keys(opened?.tags ?? {})).not.toContain('script')
  expect(opened?.contentWidth).toBeLessThanOrEqual(760)
})

/** All of them, or every fifth: a page each takes half a minute. */
const strings = hostileStrings.filter((_, i) => isThorough || i % 5 === 0)

test(`each of ${strings.length} hostile strings, in every place of a report, changes no element of it`, async ({
  studio,
  folder,
}) => {
  test.setTimeout(300_000)
  mkdirSync(join(folder, 'pages'))
  const urls = ['plain', ...strings].map((text, i) => {
    const path = join(folder, 'pages', `${i}.html`)
    writeFileSync(path, runReportHtml(reportOfAll(text)))
    return pathToFileURL(path).href
  })
  const [plain, ...pages] = await openAll(studio.app, urls, 760)
  const faults = pages.flatMap((page, i) => {
    const wrong = [
      ...page.noises,
      ...(page.handlers > 0 ? ['a handler'] : []),
      ...(page.contentWidth > 760 ? [`${page.contentWidth} px wide`] : []),
      ...(hasElementsOf(page.tags, plain?.tags ?? {}, strings[i] ?? '') ? [] : ['other elements']),
    ]
    return wrong.length === 0 ? [] : [`${JSON.stringify(strings[i])?.slice(0, 60)}: ${wrong.join(', ')}`]
  })
  expect(pages.length).toBe(strings.length)
  expect(faults).toEqual([])
})

/** The same elements as with a plain text; what is blank may leave some out, such as a question that nobody asked. */
function hasElementsOf(tags: Record<string, number>, plain: Record<string, number>, text: string): boolean {
  if (/\S/.test(text)) return JSON.stringify(tags) === JSON.stringify(plain)
  return Object.entries(tags).every(([name, count]) => count <= (plain[name] ?? 0))
}

/** A report with the text in each place that takes one. */
function reportOfAll(text: string): Parameters<typeof runReportHtml>[0] {
  const word = { start: 0, end: text.length, name: text, score: 0.1, verdict: 'grounded', said: text } as const
  const said = { text, words: [word] }
  const look = { hallucinationRate: 0.1, coverage: 3, meanWords: 9, meanRepeatedMentions: 0, isSound: true }
  const looks = [
    { ...look, step: 0, change: null },
    { ...look, step: 4, change: { difference: -0.1, standardError: 0.01, images: 40 } },
  ]
  const { calibration } = sampleReport
  if (!calibration) throw new Error('the sample report has a calibration')
  return {
    ...sampleReport,
    ...{ title: text, modelName: text, encoderName: text, command: text, device: text, preset: text, outcome: text },
    ...{ calibrationNotes: [text], limits: [text], licences: [text], versions: { [text]: text } },
    steps: { done: 4, best: 4 },
    calibration: { ...calibration, refusals: [{ reason: 'one-sided', expected: text, found: text }] },
    config: presetConfig('quick-look', { rollout: { question: text.slice(0, 300) || 'x' } }),
    curves: { ...sampleReport.curves, [text]: [{ step: 1, value: 1 }] },
    evaluation: null,
    run: {
      ...{ state: 'failed', isPlacebo: true, isOfBest: true, ending: [text], looks },
      counterpart: { run: { runId: 1 as never, name: text, state: 'paused', isPlacebo: false }, looks: [] },
      samples: [{ name: text, image: `${text}`, before: said, after: said }],
      compared: { images: 1, changed: 0, damaged: 0 },
      skipped: { total: 1, images: [{ name: text, path: text, code: text, step: 1, times: 1 }] },
      files: [{ what: text, path: text, hashes: [[text, text]] }],
      ...{ startedAtMs: 1, endedAtMs: 2 },
    },
  }
}
