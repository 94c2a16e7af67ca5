// `npm run bench:start`: time from starting the built app to a window that answers, ten times.
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { _electron } from '@playwright/test'
import { build } from './build.ts'
import { withDisplay } from './display.ts'
import { electronLaunchOptions } from './launch.ts'
import { runtimeEnvironment, setUp } from './setup.ts'

const runs = 10
const runtime = await setUp()
const env = runtimeEnvironment(runtime)
await build(env)
await withDisplay(env, async (displayEnv) => {
  const times: number[] = []
  for (let run = 0; run < runs; run++) times.push(await timeStart(displayEnv))
  times.sort((a, b) => a - b)
  const median = ((times[runs / 2 - 1] ?? 0) + (times[runs / 2] ?? 0)) / 2
  process.stdout.write(
    `cold start to an interactive window: median ${median.toFixed(0)} ms, ` +
      `${times[0]?.toFixed(0)} to ${times.at(-1)?.toFixed(0)} ms (n = ${runs}, fresh settings each time; ` +
      `Electron ${runtime.electronVersion}, ${cpus()[0]?.model.trim()}, ${cpus().length} cores)\n`,
  )
})

/** Milliseconds until the New workspace button of a fresh profile can be clicked. */
async function timeStart(displayEnv: NodeJS.ProcessEnv): Promise<number> {
  const profile = mkdtempSync(join(tmpdir(), 'fisao-start-'))
  try {
    const display = displayEnv.DISPLAY === undefined ? {} : { DISPLAY: displayEnv.DISPLAY }
    const options = await electronLaunchOptions({ userDataDir: profile, env: display })
    const startMs = performance.now()
    const app = await _electron.launch(options)
    const page = await app.firstWindow()
    await page.getByRole('button', { name: 'New workspace' }).click({ trial: true })
    const durationMs = performance.now() - startMs
    await app.close()
    return durationMs
  } finally {
    rmSync(profile, { recursive: true, force: true })
  }
}
