// Before the end-to-end tests, however they were started: the runtime, a current build, strace and a display.
import { build } from './build.ts'
import { needsOwnDisplay, openDisplay } from './display.ts'
import { ensureSystemLibraries } from './setup/systemLibraries.ts'
import { printSetUp, runtimeEnvironment, setUp } from './setup.ts'

/** @returns what Playwright calls after the last test */
export default async function prepare(): Promise<() => void> {
  await build(runtimeEnvironment(await setUp()))
  if (process.platform === 'linux') {
    await ensureSystemLibraries({ missing: () => [], display: false, compiler: false, tracer: true }, printSetUp)
  }
  if (!needsOwnDisplay()) return () => undefined
  const display = await openDisplay()
  process.env.DISPLAY = display.name
  return display.close
}
