// Launches the built app: `npm start`, `npm run demo`, and the options with which end-to-end tests start it.
import { spawn } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { build, projectRoot } from './build.ts'
import { withDisplay } from './display.ts'
import { runtimeEnvironment, setUp } from './setup.ts'

/**
 * Arguments for the Electron executable. Root has no user namespaces to build Chromium's sandbox from,
 * so there, and only there, it is switched off.
 */
export function electronArguments(args: readonly string[]): string[] {
  return [projectRoot, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), ...args]
}

/**
 * Sets up, builds when needed, runs the app to its end and passes signals on.
 * @returns its exit code
 */
export async function launch(args: readonly string[]): Promise<number> {
  const runtime = await setUp()
  const env = runtimeEnvironment(runtime)
  build(env)
  return await withDisplay(env, (displayEnv) => run(runtime.electronPath, electronArguments(args), displayEnv))
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'inherit', 'pipe'] })
    child.stderr.on('data', (text: Buffer) => process.stderr.write(withoutNoise(text.toString())))
    const pass = (signal: NodeJS.Signals) => child.kill(signal)
    process.on('SIGINT', pass).on('SIGTERM', pass)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      process.off('SIGINT', pass).off('SIGTERM', pass)
      resolve(signal ? 1 : (code ?? 1))
    })
  })
}

/** Drops Chromium's complaints about a machine without a session bus or GPU, which tell a person nothing. */
function withoutNoise(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/:ERROR:(bus|object_proxy|viz_main_impl|command_buffer_proxy|gpu_|gl_|angle_|zygote)/.test(line))
    .join('\n')
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = await launch(process.argv.slice(2)).catch((error: Error) => {
    process.stderr.write(`${error.message}\n`)
    return 1
  })
}
