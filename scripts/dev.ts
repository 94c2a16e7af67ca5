// `npm run dev`: the app with hot reload, on the runtime that the set-up chose.
import { packageBin } from './build.ts'
import { withDisplay } from './display.ts'
import { runEntry, runProgram } from './runProgram.ts'
import { runtimeEnvironment, setUp } from './setup.ts'

await runEntry(async () => {
  const sandbox = process.getuid?.() === 0 ? ['--noSandbox'] : []
  const command = [packageBin('electron-vite'), 'dev', '--watch', ...sandbox, ...process.argv.slice(2)]
  return await withDisplay(runtimeEnvironment(await setUp()), (env) => runProgram(process.execPath, command, { env }))
})
