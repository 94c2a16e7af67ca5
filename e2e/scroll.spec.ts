// Scrolling through a large library, judged by the frames in Chromium's own trace; 100,000 images with FISAO_THOROUGH=yes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { alone, expect, isThorough, onRuntime, type Studio, test } from './studio.ts'

/** A trace event as Chromium writes it; times in microseconds. */
interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly ts: number
  readonly dur?: number
  readonly args: {
    readonly chrome_frame_reporter?: {
      readonly state: string
      readonly frame_sequence: number
      readonly affects_smoothness: boolean
    }
  }
}

/** 60 frames a second, with a little for the rounding of timestamps. */
const longestFrameMs = 16.7
const mostPasses = 4
const images = isThorough ? 100_000 : 20_000
const count = `${images.toLocaleString('en')} images`

type ScrollFigures = ReturnType<typeof figuresOf>

/** What one scroll took: between frames, on the main thread, and in drawing. */
function figuresOf(events: TraceEvent[]) {
  const intervals = frameIntervals(events)
  const at = (values: readonly number[]) => ({
    p50: percentile(values, 0.5),
    p95: percentile(values, 0.95),
    worst: percentile(values, 1),
  })
  return {
    frames: intervals.length,
    frameTimeMs: at(intervals),
    mainThreadMs: at(durationsMs(events, 'ProxyMain::BeginMainFrame')),
    drawMs: at(durationsMs(events, 'Display::DrawAndSwap')),
  }
}

test(`${count} scroll at 60 frames a second`, alone, async ({ launch, folder }) => {
  const path = join(folder, 'large.fisao')
  await onRuntime('e2e/workspaceFile.ts', 'make', path, String(images))

  const studio = await launch({ args: [path] })
  const { page } = studio
  await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText(count)
  await expect(page.getByRole('status', { name: 'Engine status' })).toContainText('Engine ready')
  await expect(page.locator('[role=gridcell] img').first()).toBeVisible()
  await page.waitForTimeout(1000)

  // Other work on the machine can only lengthen frames, so the best of a few passes is what the app itself takes.
  let best: ScrollFigures | null = null
  for (let pass = 1; pass <= mostPasses && !(best && best.frameTimeMs.p95 <= longestFrameMs); pass++) {
    const figures = figuresOf(await traceOf(studio, folder, () => scrollSteadily(page)))
    process.stdout.write(`scrolling ${count}, pass ${pass}: ${JSON.stringify(figures)}\n`)
    expect(figures.frames).toBeGreaterThan(200)
    if (!best || figures.frameTimeMs.p95 < best.frameTimeMs.p95) best = figures
  }
  expect(best?.frameTimeMs.p95).toBeLessThanOrEqual(longestFrameMs)

  await test.step('the far end shows the right images', async () => {
    await page.getByRole('gridcell').first().click()
    await page.keyboard.press('End')
    await expect(page.locator('[role=gridcell]:focus [data-part=name]')).toHaveText('photo-000000.jpg')
  })
})

/** Scrolls on and on for six seconds at the speed of somebody who looks for something: four rows, or 25 images, a second. */
async function scrollSteadily(page: Studio['page']): Promise<void> {
  const box = await page.getByRole('grid', { name: 'Images' }).boundingBox()
  const session = await page.context().newCDPSession(page)
  await session.send('Input.synthesizeScrollGesture', {
    x: (box?.x ?? 0) + 300,
    y: (box?.y ?? 0) + 300,
    yDistance: -4800,
    speed: 800,
    gestureSourceType: 'mouse',
    preventFling: true,
  })
}

async function traceOf({ app }: Studio, folder: string, work: () => Promise<void>): Promise<TraceEvent[]> {
  const file = join(folder, 'trace.json')
  await app.evaluate(({ contentTracing }) =>
    contentTracing.startRecording({
      included_categories: ['cc', 'benchmark', 'viz', 'input'],
      excluded_categories: ['*'],
    }),
  )
  await work()
  await app.evaluate(({ contentTracing }, target) => contentTracing.stopRecording(target), file)
  return JSON.parse(readFileSync(file, 'utf8')).traceEvents
}

/**
 * Milliseconds from one presented frame to the next, by the times at which Chromium began them: 16.67 when none
 * between them was dropped. Frames in which nothing was to change are not counted as dropped.
 */
function frameIntervals(events: readonly TraceEvent[]): number[] {
  const frames = new Map<number, { beginUs: number; isPresented: boolean; isDropped: boolean }>()
  for (const { name, ph, ts, args } of events) {
    const reporter = args.chrome_frame_reporter
    if (name !== 'PipelineReporter' || ph !== 'b' || !reporter) continue
    const known = frames.get(reporter.frame_sequence)
    frames.set(reporter.frame_sequence, {
      beginUs: Math.min(ts, known?.beginUs ?? ts),
      isPresented: reporter.state.startsWith('STATE_PRESENTED') || (known?.isPresented ?? false),
      isDropped: reporter.state === 'STATE_DROPPED' || (known?.isDropped ?? false),
    })
  }
  const intervals: number[] = []
  let previousUs: number | null = null
  for (const [, { beginUs, isPresented, isDropped }] of [...frames].sort(([a], [b]) => a - b)) {
    if (isPresented) {
      if (previousUs !== null) intervals.push((beginUs - previousUs) / 1000)
      previousUs = beginUs
    } else if (!isDropped) previousUs = null
  }
  return intervals
}

function durationsMs(events: readonly TraceEvent[], name: string): number[] {
  return events.filter((event) => event.name === name && event.dur !== undefined).map(({ dur }) => (dur ?? 0) / 1000)
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.round((sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0) * 100) / 100
}
