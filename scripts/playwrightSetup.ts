// Before the end-to-end tests, however they were started: the runtime, a current build and strace. Their displays are
// opened by e2e/studio.ts.
import { build } from './build.ts'
import { ensureSystemLibraries } from './setup/systemLibraries.ts'
import { printSetUp, runtimeEnvironment, setUp } from './setup.ts'

export default async function prepare(): Promise<void> {
  await build(runtimeEnvironment(await setUp()))
  if (process.platform === 'linux') {
    await ensureSystemLibraries({ missing: () => [], display: false, compiler: false, tracer: true }, printSetUp)
  }
}
