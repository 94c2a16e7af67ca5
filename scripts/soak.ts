// `npm run soak -- 30`: short runs of the demo model back to back for so many minutes in the real app, and what its
// processes hold after each: memory, file descriptors, files in the temporary folder. Flat is right (docs/reliability.md).
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { _electron, type ElectronApplication } from '@playwright/test'
import { build } from './build.ts'
import { withDisplay } from './display.ts'
import { electronLaunchOptions } from './launch.ts'
import { runEntry } from './runProgram.ts'
import { runtimeEnvironment, setUp } from './setup.ts'

const minutes = Number(process.argv[2] ?? 30)

/** Small steps, so that many runs come to their end: a run takes a quarter of a minute on two cores. */
const changes = {
  rollout: { responsesPerStep: 16, batchSize: 16, mostImages: 48 },
  calibration: { responses: 96, goOnRefused: true },
  optimiser: { stepsPerRound: 3, minibatchSize: 8, microBatchSize: 8, valueWarmupSteps: 10 },
  evaluation: { everySteps: 1, images: 12 },
}

/** What the app holds at one moment. */
interface Sample {
  readonly minute: number
  readonly runs: number
  /** Resident memory by process, megabytes. */
  readonly memoryMb: Readonly<Record<string, number>>
  /** Open file descriptors by process. */
  readonly descriptors: Readonly<Record<string, number>>
  /** Files and folders in the temporary folder of the app's own. */
  readonly temporaryFiles: number
  /** What the page's scripts hold after a collection of garbage, megabytes. */
  readonly pageHeapMb: number
}

await runEntry(async () => {
  const env = runtimeEnvironment(await setUp())
  await build(env)
  const folder = mkdtempSync(join(tmpdir(), 'fisao-soak-'))
  const temporary = join(folder, 'tmp')
  mkdirSync(temporary)
  try {
    const samples = await withDisplay(env, async ({ DISPLAY }) => {
      const display = DISPLAY === undefined ? {} : { DISPLAY }
      const options = await electronLaunchOptions({
        userDataDir: join(folder, 'user data'),
        env: { ...display, TMPDIR: temporary },
      })
      const app = await _electron.launch(options)
      try {
        return await soak(app, temporary)
      } finally {
        await app.close()
      }
    })
    report(samples)
    return 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

async function soak(app: ElectronApplication, temporary: string): Promise<Sample[]> {
  const page = await app.firstWindow()
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.getByRole('button', { name: 'Open the demo' }).click()
  await page.getByRole('status', { name: 'Number of images' }).filter({ hasText: '200 images' }).waitFor()
  const modelId = await page.evaluate(async () => {
    const answer = await window.studio.request('models.addDemo', {})
    if (!answer.ok) throw new Error(answer.error.message)
    return answer.value.modelId
  })
  await page.getByRole('button', { name: 'Runs' }).click()
  const debug = await page.context().newCDPSession(page)
  const startMs = performance.now()
  const samples: Sample[] = []
  for (let runs = 0; performance.now() - startMs < minutes * 60_000; ) {
    const runId = await page.evaluate(
      async ([model, number, wanted]) => {
        const request = { modelId: model, name: `Soak ${number}`, preset: 'quick-look', changes: wanted, seed: number }
        const answer = await window.studio.request('runs.create', request as never)
        if (!answer.ok) throw new Error(answer.error.message)
        return answer.value.runId
      },
      [modelId, runs + 1, changes] as const,
    )
    for (;;) {
      const state = await page.evaluate(async (id) => {
        const answer = await window.studio.request('runs.get', { runId: id })
        return answer.ok ? answer.value.run.state : answer.error.message
      }, runId)
      if (state === 'complete') break
      if (state !== 'queued' && state !== 'running') throw new Error(`run ${runId}: ${state}`)
      await delay(250)
    }
    runs++
    await debug.send('HeapProfiler.collectGarbage')
    const { usedSize } = await debug.send('Runtime.getHeapUsage')
    const held = await heldBy(app, temporary)
    const minute = (performance.now() - startMs) / 60_000
    const sample: Sample = { minute, runs, ...held, pageHeapMb: Math.round(usedSize / 1e5) / 10 }
    if (sample.minute >= samples.length) {
      samples.push(sample)
      process.stdout.write(`${line(sample)}\n`)
    }
  }
  return samples
}

async function heldBy(
  app: ElectronApplication,
  temporary: string,
): Promise<Pick<Sample, 'memoryMb' | 'descriptors' | 'temporaryFiles'>> {
  const metrics = await app.evaluate(({ app: electron }) =>
    electron.getAppMetrics().map(({ pid, type, name }) => ({ pid, name: name?.replace('FiSAO Studio ', '') ?? type })),
  )
  const memoryMb: Record<string, number> = {}
  const descriptors: Record<string, number> = {}
  for (const { pid, name } of metrics) {
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    memoryMb[name] = Math.round(Number(resident) / 1024)
    descriptors[name] = readdirSync(`/proc/${pid}/fd`).length
  }
  const temporaryFiles = readdirSync(temporary, { recursive: true }).length
  return { memoryMb, descriptors, temporaryFiles }
}

function line({ minute, runs, memoryMb, descriptors, temporaryFiles, pageHeapMb }: Sample): string {
  const list = (values: Readonly<Record<string, number>>) =>
    Object.entries(values)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')
  return `${minute.toFixed(1).padStart(5)} min, ${runs} runs | MB: ${list(memoryMb)} | descriptors: ${list(descriptors)} | temporary files: ${temporaryFiles} | page: ${pageHeapMb} MB`
}

/** Means over the second fifth and the last fifth of the time: the first one warms up. */
function report(samples: readonly Sample[]): void {
  const part = (from: number, to: number): readonly Sample[] =>
    samples.slice(Math.floor(samples.length * from), Math.ceil(samples.length * to))
  const mean = (part: readonly Sample[], value: (sample: Sample) => number): string =>
    (part.reduce((sum, sample) => sum + value(sample), 0) / part.length).toFixed(1)
  const [early, late] = [part(0.2, 0.4), part(0.8, 1)]
  for (const name of Object.keys(samples.at(-1)?.memoryMb ?? {})) {
    const of = (key: 'memoryMb' | 'descriptors') => (sample: Sample) => sample[key][name] ?? 0
    process.stdout.write(
      `${name}: ${mean(early, of('memoryMb'))} -> ${mean(late, of('memoryMb'))} MB, ` +
        `${mean(early, of('descriptors'))} -> ${mean(late, of('descriptors'))} descriptors\n`,
    )
  }
  process.stdout.write(
    `page: ${mean(early, (one) => one.pageHeapMb)} -> ${mean(late, (one) => one.pageHeapMb)} MB after garbage collection\n`,
  )
  process.stdout.write(
    `temporary files: ${mean(early, (one) => one.temporaryFiles)} -> ${mean(late, (one) => one.temporaryFiles)}; ` +
      `${samples.at(-1)?.runs ?? 0} runs in ${minutes} minutes\n`,
  )
}
