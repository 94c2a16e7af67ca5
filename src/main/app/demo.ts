// The demo run without a person: makes the demo workspace, imports the samples, probes the devices, saves a
// screenshot and a summary. What a person does with the mouse, through the same parts of the app.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { BrowserWindow } from 'electron'
import { toErrorRecord } from '../../shared/errors.ts'
import type { HardwareReport } from '../../shared/hardware.ts'
import { logger } from '../log.ts'
import { refusedAddresses } from '../security.ts'
import type { Studio } from './studio.ts'

/** What a demo run writes to `summary.json`. Durations in seconds since the process started or for the step. */
interface DemoSummary {
  version: string
  windowShownAfterS: number
  import: { images: number; skipped: number; durationS: number; imagesPerS: number }
  hardware: HardwareReport
  refusedAddresses: readonly string[]
}

/**
 * Runs the demo and writes `summary.json`, `screenshot.png` and the workspace `Demo.fisao` to `folder`.
 * @returns the exit code of the app
 */
export async function runDemo(studio: Studio, window: BrowserWindow, folder: string): Promise<number> {
  try {
    mkdirSync(folder, { recursive: true })
    const summary = await runSteps(studio, window, folder)
    writeFileSync(join(folder, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
    process.stdout.write(reportLines(summary, folder))
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

async function runSteps(studio: Studio, window: BrowserWindow, folder: string): Promise<DemoSummary> {
  await waitUntil('the window', () => window.isVisible(), 60_000)
  const windowShownAfterS = process.uptime()
  for (const old of ['Demo.fisao', 'Demo.fisao-wal', 'Demo.fisao-shm', 'Demo backups']) {
    rmSync(join(folder, old), { recursive: true, force: true })
  }
  const startMs = performance.now()
  await studio.openDemo(join(folder, 'Demo.fisao'))
  await waitUntil('the import of the sample images', () => studio.images.imports().every(({ live }) => live === null))
  const durationS = (performance.now() - startMs) / 1000
  await waitUntil('the device probe', () => studio.engine.hardware.hardware !== null)
  await saveScreenshot(window, join(folder, 'screenshot.png'))

  const { workspace, hardware, version } = studio.state()
  const images = workspace?.imageCount ?? 0
  const skipped = studio.images.imports().reduce((sum, record) => sum + record.skipped, 0)
  return {
    version,
    windowShownAfterS,
    import: { images, skipped, durationS, imagesPerS: images / durationS },
    hardware: hardware as HardwareReport,
    refusedAddresses,
  }
}

/** Shows the images and waits until the page has painted them. */
async function saveScreenshot(window: BrowserWindow, file: string): Promise<void> {
  window.webContents.send('menu.command', { command: 'showImages' })
  const painted = `new Promise((resolve) => {
    const check = () => {
      const pictures = [...document.querySelectorAll('[role="grid"] img')]
      const ready = pictures.length > 0 && pictures.every((picture) => picture.complete)
      if (ready) requestAnimationFrame(() => requestAnimationFrame(resolve))
      else setTimeout(check, 50)
    }
    check()
  })`
  await Promise.race([window.webContents.executeJavaScript(painted), delay(15_000)])
  writeFileSync(file, (await window.webContents.capturePage()).toPNG())
}

async function waitUntil(what: string, isDone: () => boolean, timeoutMs = 180_000): Promise<void> {
  const endMs = performance.now() + timeoutMs
  while (!isDone()) {
    if (performance.now() > endMs) throw new Error(`${what} took longer than ${timeoutMs / 1000} s.`)
    await delay(50)
  }
}

function reportLines({ windowShownAfterS, import: imported, hardware }: DemoSummary, folder: string): string {
  const devices = hardware.devices
    .filter(({ state }) => state !== 'not-offered')
    .map(
      ({ device, gemmGflops, reason }) =>
        `  ${device.padEnd(8)}${(gemmGflops?.toPrecision(3) ?? '–').padStart(9)}   ${reason}`,
    )
  return [
    `window shown after      ${windowShownAfterS.toFixed(1)} s`,
    `sample images imported  ${imported.images} in ${imported.durationS.toFixed(1)} s (${imported.skipped} skipped)`,
    `device chosen           ${hardware.chosen}: ${hardware.reason}`,
    '',
    '  device    GFLOP/s   finding',
    ...devices,
    '',
    `written to ${folder}: summary.json, screenshot.png, Demo.fisao`,
    '',
  ].join('\n')
}
