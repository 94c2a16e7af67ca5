// `npm run dev`: the app with hot reload, on the runtime that the set-up chose.
import { spawnSync } from 'node:child_process'
import { packageBin, projectRoot } from './build.ts'
import { withDisplay } from './display.ts'
import { runtimeEnvironment, setUp } from './setup.ts'

const env = runtimeEnvironment(await setUp())
process.exitCode = await withDisplay(env, async (displayEnv) => {
  const sandbox = process.getuid?.() === 0 ? ['--noSandbox'] : []
  const command = [packageBin('electron-vite'), 'dev', '--watch', ...sandbox, ...process.argv.slice(2)]
  return spawnSync(process.execPath, command, { cwd: projectRoot, env: displayEnv, stdio: 'inherit' }).status ?? 1
})
