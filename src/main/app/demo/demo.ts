// The demo run without a person: makes the demo workspace, aligns the demo model on the sample scenes, judges it on
// held-out scenes before and after, and leaves figures, report and screenshot. Through the same parts of the app as a
// person's clicks; demoResult.ts puts the figures together.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { BrowserWindow } from 'electron'
import type { RunId } from '../../../shared/domain.ts'
import { StudioError, toErrorRecord } from '../../../shared/errors.ts'
import type { ChairReport } from '../../../shared/evaluation.ts'
import type { RunDetail } from '../../../shared/runView.ts'
import { logger } from '../../log.ts'
import { refusedAddresses } from '../../security.ts'
import { runReportHtml } from '../report/runReport.ts'
import type { Studio } from '../studio.ts'
import type { DemoOptions } from './demoOptions.ts'
import { type DemoRun, demoReport, demoResult, resultTable } from './demoResult.ts'

/**
 * Runs the demo and writes `result.json`, `report.html`, `summary.json`, `screenshot.png` and the workspace
 * `Demo.fisao` to the folder.
 * @param resources the folder with `samples`
 * @returns the exit code of the app
 */
export async function runDemo(
  studio: Studio,
  window: BrowserWindow,
  resources: string,
  options: DemoOptions,
): Promise<number> {
  const { out } = options
  try {
    mkdirSync(out, { recursive: true })
    const run = await runSteps(studio, window, resources, options)
    const result = demoResult(run, options)
    writeFileSync(join(out, 'result.json'), `${JSON.stringify(result, null, 2)}\n`)
    writeFileSync(join(out, 'report.html'), runReportHtml(demoReport(run, options)))
    print(resultTable(result))
    print(`written to ${out}: result.json, report.html, summary.json, screenshot.png, Demo.fisao`)
    return 0
  } catch (thrown) {
    const { message, remedy } = toErrorRecord(thrown)
    logger.error('the demo failed', thrown)
    process.stderr.write(`The demo failed: ${message} ${remedy}\n`)
    return 1
  } finally {
    await studio.shutDown()
  }
}

async function runSteps(
  studio: Studio,
  window: BrowserWindow,
  resources: string,
  options: DemoOptions,
): Promise<DemoRun> {
  const startMs = performance.now()
  await waitUntil('the window', () => window.isVisible(), 60_000)
  const windowShownAfterS = process.uptime()
  await openWorkspace(studio, options)
  const importS = (performance.now() - startMs) / 1000
  await waitUntil('the device probe', () => studio.engine.hardware.hardware !== null)
  const summary = summaryOf(studio, windowShownAfterS, importS)
  writeFileSync(join(options.out, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
  print(
    `${summary.import.images} sample scenes imported in ${importS.toFixed(1)} s; device: ${summary.hardware?.reason}`,
  )

  const { runId, resumedFrom } = await startRun(studio, resources, options)
  if (options.placebo) studio.runs.createPlacebo(runId)
  const detail = await finishRun(studio, runId)
  const { counterpart } = detail
  if (options.placebo && counterpart) {
    print('now its placebo: the same run, each image judged by another one')
    await finishRun(studio, counterpart.run.runId)
  }
  const chair = await judge(studio, resources, detail, options)
  await saveScreenshot(window, join(options.out, 'screenshot.png'))
  const { workspace, version } = studio.state()
  return {
    ...{ detail, chair, resumedFrom, version, images: workspace?.imageCount ?? 0 },
    device: options.device ?? studio.engine.hardware.hardware?.chosen ?? 'cpu',
    series: studio.runs.metrics(runId, detail.metricNames),
    durationS: (performance.now() - startMs) / 1000,
  }
}

async function openWorkspace(studio: Studio, { out, resume }: DemoOptions): Promise<void> {
  const names = ['Demo.fisao', 'Demo.fisao-wal', 'Demo.fisao-shm', 'Demo backups']
  if (!resume) for (const old of names) rmSync(join(out, old), { recursive: true, force: true })
  await studio.openDemo(join(out, 'Demo.fisao'))
  await waitUntil('the import of the sample images', () => studio.images.imports().every(({ live }) => live === null))
}

function summaryOf(studio: Studio, windowShownAfterS: number, durationS: number) {
  const { workspace, hardware, version } = studio.state()
  const images = workspace?.imageCount ?? 0
  const skipped = studio.images.imports().reduce((sum, record) => sum + record.skipped, 0)
  return {
    version,
    windowShownAfterS,
    import: { images, skipped, durationS, imagesPerS: images / durationS },
    hardware,
    refusedAddresses,
  }
}

/** Queues the run, or finds the one that an earlier demo did not finish. */
async function startRun(
  studio: Studio,
  resources: string,
  options: DemoOptions,
): Promise<{ runId: RunId; resumedFrom: number | null }> {
  const open = options.resume ? studio.runs.list().find(({ state }) => state !== 'complete') : undefined
  if (open) {
    if (open.state !== 'running' && open.state !== 'queued') studio.runs.resume(open.runId, { goOnRefused: false })
    print(`going on with the run after step ${open.checkpointStep ?? 0}`)
    return { runId: open.runId, resumedFrom: open.checkpointStep }
  }
  const { modelId } = options.model
    ? (await studio.models.add(options.model, join(options.model, 'encoder'))).model
    : await studio.models.addDemo()
  const annotationFile = options.calibration === 'annotated' ? join(resources, 'samples/annotations.json') : null
  const { runId } = studio.runs.create({
    ...{ modelId, name: 'Demo', preset: options.preset, seed: options.seed },
    changes: {
      reward: { method: options.reward },
      calibration: { method: options.calibration, annotationFile, ...(options.force && { goOnRefused: true }) },
      ...(options.images !== null && { rollout: { mostImages: options.images } }),
      ...(options.steps !== null && { optimiser: { stepsPerRound: options.steps } }),
    },
  })
  return { runId, resumedFrom: null }
}

/** Waits for the end of the run and says how far it is. @throws StudioError that ended it */
async function finishRun(studio: Studio, runId: RunId): Promise<RunDetail> {
  let said = ''
  for (;;) {
    const { run } = studio.runs.get(runId)
    if (run.state === 'complete') return studio.runs.get(runId)
    if (run.error) throw new StudioError(run.error)
    const progress = run.live?.progress
    const line = progress ? `step ${progress.step} of ${progress.totalSteps}` : ''
    if (progress && line !== said && (progress.step % 4 === 0 || progress.step === progress.totalSteps)) {
      const left = progress.remainingMs === null ? '' : `, about ${Math.ceil(progress.remainingMs / 1000)} s left`
      print(`${line}${left}`)
      said = line
    }
    await delay(100)
  }
}

/** CHAIR before and after, on scenes that the run has not seen. */
async function judge(studio: Studio, resources: string, detail: RunDetail, options: DemoOptions): Promise<ChairReport> {
  const workspace = studio.workspaces.require()
  const folder = options.heldOut ?? join(resources, 'samples')
  print('judging the model as it came and as aligned')
  return await studio.engine.client.request('evaluateChair', {
    ...{ workspace: workspace.path, runId: detail.run.runId, beforeStep: 0, afterStep: detail.bestStep ?? 0 },
    withPlacebo: options.placebo,
    ...{ strength: detail.config?.evaluation.strength ?? 1, mostImages: null },
    ...{ imageFolder: join(folder, 'images'), annotationFile: join(folder, 'annotations.json') },
    device: options.device ?? studio.engine.hardware.hardware?.chosen ?? 'cpu',
    threads: studio.everywhere.settings.view().chosen.threads,
    lexicon: join(resources, 'lexicons/scene-objects.json'),
  })
}

/** Shows the run and waits until the page has drawn its charts. */
async function saveScreenshot(window: BrowserWindow, file: string): Promise<void> {
  window.webContents.send('menu.command', { command: 'showRuns' })
  const painted = `new Promise((resolve) => {
    const check = () => {
      const ready = document.querySelectorAll('.recharts-surface').length > 0
      if (ready) setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(resolve)), 1500)
      else setTimeout(check, 50)
    }
    check()
  })`
  await Promise.race([window.webContents.executeJavaScript(painted), delay(15_000)])
  // Wherever the pointer rests, it shall not hold a chart's tooltip open.
  window.webContents.sendInputEvent({ type: 'mouseMove', x: 1, y: 1 })
  await delay(500)
  writeFileSync(file, (await window.webContents.capturePage()).toPNG())
}

async function waitUntil(what: string, isDone: () => boolean, timeoutMs = 180_000): Promise<void> {
  const endMs = performance.now() + timeoutMs
  while (!isDone()) {
    if (performance.now() > endMs) throw new Error(`${what} took longer than ${timeoutMs / 1000} s.`)
    await delay(50)
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
