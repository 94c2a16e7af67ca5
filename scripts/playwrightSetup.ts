// Before the end-to-end tests, however they were started: the runtime, a current build and a display.
import { build } from './build.ts'
import { needsOwnDisplay, openDisplay } from './display.ts'
import { runtimeEnvironment, setUp } from './setup.ts'

/** @returns what Playwright calls after the last test */
export default async function prepare(): Promise<() => void> {
  await build(runtimeEnvironment(await setUp()))
  if (!needsOwnDisplay()) return () => undefined
  const display = await openDisplay()
  process.env.DISPLAY = display.name
  return display.close
}
