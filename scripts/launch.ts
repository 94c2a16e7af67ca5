// Launches the built app: `npm start`, `npm run demo`, and the options with which end-to-end tests start it.
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from './build.ts'
import { withDisplay } from './display.ts'
import { projectRoot, runEntry, runProgram } from './runProgram.ts'
import { runtimeEnvironment, setUp } from './setup.ts'

const demoTimeoutMs = 30 * 60 * 1000

/** What Playwright's `_electron.launch` takes. */
export interface ElectronLaunchOptions {
  readonly executablePath: string
  readonly args: string[]
  readonly env: Record<string, string>
}

/**
 * How an end-to-end test starts the built app. The display is in `process.env` by then (see e2e/studio.ts).
 * @param userDataDir where this instance keeps settings and logs; one folder each, or a second one will not start
 */
export async function electronLaunchOptions({
  userDataDir,
  args = [],
  env = {},
}: {
  readonly userDataDir: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}): Promise<ElectronLaunchOptions> {
  const runtime = await setUp()
  const all = Object.entries({ ...runtimeEnvironment(runtime), ...env })
  return {
    executablePath: runtime.electronPath,
    args: electronArguments([`--user-data-dir=${userDataDir}`, ...args]),
    env: Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined)),
  }
}

/**
 * Arguments for the Electron executable. Root has no user namespaces to build Chromium's sandbox from,
 * so there, and only there, it is switched off.
 */
export function electronArguments(args: readonly string[]): string[] {
  return [projectRoot, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), ...args]
}

/** The demo's flags, and what each takes. */
const demoFlags: Readonly<Record<string, RegExp>> = {
  out: /^.+$/s,
  model: /^.+$/s,
  seed: /^\d{1,9}$/,
  preset: /^(quick-look|paper|thorough)$/,
  reward: /^(token|sentence|dpo|none)$/,
  calibration: /^(free|annotated)$/,
  images: /^[1-9]\d{0,6}$/,
  steps: /^[1-9]\d{0,5}$/,
  'held-out': /^[1-9]\d{0,3}$/,
  device: /^(cpu|webgpu|cuda|dml|coreml)$/,
}
/** Scenes that the model is judged on; none of them is in the workspace. */
const heldOutScenes = 500

/**
 * The demo's flags as Chromium reads them: a value stands behind `=`, and a folder is named in full because
 * the app may run in another one. Without `--out` the results go to `demo-output` in the project. Flags of Chromium,
 * which have another name, pass as they are.
 * @throws Error naming the flag and what it takes
 */
export function demoArguments(args: readonly string[], workingFolder: string): string[] {
  const rest: string[] = []
  let out = resolve(projectRoot, 'demo-output')
  for (let i = 0; i < args.length; i++) {
    const [flag = '', inline] = (args[i] ?? '').split(/=(.*)/s, 2)
    const takes = demoFlags[flag.replace(/^--/, '')]
    // Flags without a value (--resume, --force, --placebo) and those of Chromium pass as they are.
    if (!takes) {
      rest.push(args[i] ?? '')
      continue
    }
    const value = inline ?? args[++i] ?? ''
    if (!takes.test(value)) throw new Error(`${flag} ${flagNeeds(flag, takes)}`)
    if (flag === '--out') out = resolve(workingFolder, value)
    else if (flag === '--model') rest.push(`${flag}=${resolve(workingFolder, value)}`)
    else rest.push(`${flag}=${value}`)
  }
  return [...rest, `--out=${out}`]
}

function flagNeeds(flag: string, takes: RegExp): string {
  if (flag === '--out' || flag === '--model') return `needs a folder: ${flag}=folder`
  const words = /^\^\(([\w|-]+)\)\$$/.exec(takes.source)?.[1]
  return words ? `is one of ${words.split('|').join(', ')}` : 'needs a whole number'
}

/** The demo's flags with the folder of held-out scenes in place of their number; drawn once, kept in the cache. */
async function withHeldOutScenes(args: readonly string[]): Promise<string[]> {
  const given = args.find((arg) => arg.startsWith('--held-out='))
  const count = Number(given?.split('=')[1] ?? heldOutScenes)
  const { sceneFolder } = await import('../tools/scenes/sceneFolder.ts')
  const { splits } = await import('../tools/demo-model/world.ts')
  const { images } = await sceneFolder(splits.test.seed, count)
  return [...args.filter((arg) => arg !== given), `--held-out=${dirname(images)}`]
}

/**
 * Sets up, builds when needed, runs the app to its end and passes signals on.
 * @returns its exit code
 */
export async function launch(args: readonly string[], timeoutMs?: number): Promise<number> {
  const runtime = await setUp()
  const env = runtimeEnvironment(runtime)
  await build(env)
  return await withDisplay(env, (displayEnv) =>
    runProgram(runtime.electronPath, electronArguments(args), {
      env: displayEnv,
      keepsErrorLine: (line) => !isChromiumNoise(line),
      ...(timeoutMs && { timeoutMs }),
    }),
  )
}

/** Chromium's complaints about a machine without a session bus or GPU, which tell a person nothing. */
export function isChromiumNoise(line: string): boolean {
  return /^\[\d+:[\d/.]+:ERROR:(bus|object_proxy|viz_main_impl|command_buffer_proxy|gpu_|gl_|angle_|zygote)/.test(line)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const args = process.argv.slice(2)
  await runEntry(() =>
    args.includes('--demo')
      ? // npm runs scripts in the project's folder and keeps the caller's here.
        withHeldOutScenes(demoArguments(args, process.env.INIT_CWD ?? process.cwd())).then((all) =>
          launch(all, demoTimeoutMs),
        )
      : launch(args),
  )
}
