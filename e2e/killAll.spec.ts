// Every process of the app is killed at random moments of a run, alone and all at once: the app is back within half a
// minute, and the run ends byte for byte where one without a break ends.
// With n = 200: FISAO_KILLS=200 npx playwright test killAll
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { _electron, type ElectronApplication } from '@playwright/test'
import { electronLaunchOptions } from '../scripts/launch.ts'
import { randomNumbers } from './kill.ts'
import type { RunLook } from './runFile.ts'
import { expect, makeWorkspace, onRuntime, test } from './studio.ts'

const kills = Number(process.env.FISAO_KILLS ?? 4)
/** Of four: the catalogue, the engine, the page, then all at once. */
const seed = Number(process.env.FISAO_KILL_SEED ?? 9047)
const longestMs = 30_000

const targets = ['engine', 'main', 'library', 'catalogue', 'renderer', 'GPU', 'all'] as const
type Target = (typeof targets)[number]
/** As many fall into one run at most, and none into a second one that has room in the first. */
const mostInOneRun = 6
/** After more ends of its page in a minute the app asks a person. */
const mostRendererKills = 3

/** What the window says of itself and of the only run. */
interface Answer {
  readonly isReady: boolean
  readonly state: string
  readonly step: number
}

test(`kill -9 of ${kills} processes in the middle of runs`, async ({ folder }) => {
  test.setTimeout(120_000 + kills * 60_000)
  const random = randomNumbers(seed)
  const counts: Record<string, number> = {}
  /** None is killed again before all the others were. */
  const coming: Target[] = []
  let slowestMs = 0

  const start = async (path: string): Promise<ElectronApplication> => {
    const options = await electronLaunchOptions({ userDataDir: join(folder, 'user data'), args: [path] })
    return await _electron.launch(options)
  }
  const begin = async (name: string): Promise<string> => {
    const path = join(folder, `${name}.fisao`)
    await makeWorkspace(path, 'e2e/runFile.ts', 'begin', path)
    return path
  }
  const finish = async (app: ElectronApplication, path: string): Promise<RunLook> => {
    await until(app, ({ state }) => state === 'complete', 120_000)
    await app.close()
    return JSON.parse(await onRuntime('e2e/runFile.ts', 'look', path))
  }

  const startMs = performance.now()
  const wholePath = await begin('whole')
  const whole = await finish(await start(wholePath), wholePath)
  const wholeMs = performance.now() - startMs
  process.stdout.write(`kills by the seed ${seed}; a whole run takes ${(wholeMs / 1000).toFixed(1)} s with its start\n`)

  let round = 0
  for (let killed = 0; killed < kills; round++) {
    const path = await begin(`round ${round}`)
    let app = await start(path)
    let rendererKills = 0
    const inThisRun = kills <= mostInOneRun ? kills : Math.min(kills - killed, 1 + Math.floor(random() * mostInOneRun))
    for (let kill = 0; kill < inThisRun; kill++) {
      // One in three falls into the first second, with the probe of the devices.
      await delay(random() < 1 / 3 ? random() * 1000 : random() * wholeMs * 0.5)
      if (coming.length === 0) coming.push(...targets)
      let [target] = coming.splice(Math.floor(random() * coming.length), 1) as [Target]
      if (target === 'renderer' && ++rendererKills > mostRendererKills) target = 'engine'
      const pids = await processesOf(app)
      const killedAtMs = performance.now()
      const what = `kill ${killed + 1} (${target}) of seed ${seed}`
      if (!end(app, target, pids)) continue
      counts[target] = (counts[target] ?? 0) + 1
      killed++
      if (target === 'main' || target === 'all') {
        await expect(async () => expect(pids.all.filter(isAlive), `left over after ${what}`).toEqual([])).toPass({
          timeout: longestMs,
        })
        app = await start(path)
      }
      await until(app, ({ isReady, state }) => isReady || state === 'complete', longestMs, what)
      slowestMs = Math.max(slowestMs, performance.now() - killedAtMs)
    }
    expect(await finish(app, path), `round ${round} of seed ${seed}`).toEqual(whole)
  }
  process.stdout.write(
    `${kills} kills (${Object.entries(counts)
      .map(([target, count]) => `${target} ${count}`)
      .join(', ')}) in ${round} runs: all end alike; back after ${(slowestMs / 1000).toFixed(1)} s at most\n`,
  )
})

interface Pids {
  readonly byTarget: Partial<Record<Target, number>>
  readonly all: readonly number[]
}

async function processesOf(app: ElectronApplication): Promise<Pids> {
  const metrics = await app.evaluate(({ app: electron }) =>
    electron.getAppMetrics().map(({ pid, type, name }) => ({ pid, type, name: name ?? '' })),
  )
  const find = (matches: (one: (typeof metrics)[number]) => boolean): number | undefined => metrics.find(matches)?.pid
  const found = {
    engine: find(({ name }) => name.endsWith('engine')),
    library: find(({ name }) => name.endsWith('library')),
    catalogue: find(({ name }) => name.endsWith('catalogue')),
    renderer: find(({ type }) => type === 'Tab'),
    GPU: find(({ type }) => type === 'GPU'),
  }
  const byTarget = Object.fromEntries(Object.entries(found).filter(([, pid]) => pid !== undefined))
  return { byTarget, all: metrics.map(({ pid }) => pid) }
}

/** @returns whether there was something to kill */
function end(app: ElectronApplication, target: Target, { byTarget }: Pids): boolean {
  const main = app.process().pid ?? 0
  const pid = target === 'all' ? -main : target === 'main' ? main : byTarget[target]
  if (pid === undefined || pid === 0) return false
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Waits until the window gives an answer that will do; a page that is being drawn again gives none. */
async function until(
  app: ElectronApplication,
  willDo: (answer: Answer) => boolean,
  timeoutMs: number,
  what = 'the run',
): Promise<void> {
  let last: Answer | null = null
  await expect(async () => {
    last = await Promise.race([ask(app), delay(3000).then(() => null)])
    expect(last !== null && willDo(last), `${what}: ${JSON.stringify(last)}`).toBe(true)
  }).toPass({ timeout: timeoutMs, intervals: [100] })
}

async function ask(app: ElectronApplication): Promise<Answer | null> {
  return await app.evaluate(async ({ BrowserWindow }) => {
    const [window] = BrowserWindow.getAllWindows()
    if (!window || window.webContents.isCrashed() || window.webContents.isLoading()) return null
    const script = `(async () => {
      const state = await window.studio.request('app.state', {})
      const runs = await window.studio.request('runs.list', {})
      if (!state.ok || !runs.ok) return null
      const { engine, hardware, workspace } = state.value
      const run = runs.value[0]
      return {
        isReady: engine.state === 'ready' && hardware !== null && workspace !== null && run?.live !== null,
        state: run?.state ?? '',
        step: run?.checkpointStep ?? -1,
      }
    })()`
    return await window.webContents.executeJavaScript(script)
  })
}
