// Starts the built app in a real window for a test, with settings of its own, and stands in for file dialogs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { _electron, test as base, type ElectronApplication, type Page } from '@playwright/test'
import { needsOwnDisplay, openDisplay } from '../scripts/display.ts'
import { electronLaunchOptions } from '../scripts/launch.ts'
import { projectRoot } from '../scripts/runProgram.ts'
import { runtimeEnvironment, setUp } from '../scripts/setup.ts'

export interface Studio {
  readonly app: ElectronApplication
  readonly page: Page
}

export interface LaunchOptions {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Name of the folder with its settings: two apps with folders of their own run side by side. */
  readonly userData?: string
}

interface Fixtures {
  /** A temporary folder that is removed after the test. */
  readonly folder: string
  /** Starts the app; all starts of a test share their settings unless they name others. */
  readonly launch: (options?: LaunchOptions) => Promise<Studio>
  /** The app, started. */
  readonly studio: Studio
}

interface WorkerFixtures {
  /** A screen for each of the processes that run tests side by side: windows on one would take the focus from each other. */
  readonly display: undefined
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  display: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs from this pattern
    async ({}, use) => {
      const display = needsOwnDisplay() ? await openDisplay() : null
      if (display) process.env.DISPLAY = display.name
      await use(undefined)
      display?.close()
    },
    { scope: 'worker', auto: true },
  ],
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs from this pattern
  folder: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'fisao-e2e-'))
    await use(folder)
    rmSync(folder, { recursive: true, force: true })
  },
  launch: async ({ folder }, use) => {
    const started: ElectronApplication[] = []
    await use(async ({ args = [], env = {}, userData = 'user data' } = {}) => {
      const options = await electronLaunchOptions({ userDataDir: join(folder, userData), args, env })
      // The page follows the app's own setting, as on a person's computer.
      const app = await _electron.launch({ ...options, colorScheme: null })
      started.push(app)
      const page = await app.firstWindow()
      await page.getByRole('heading', { level: 1 }).waitFor()
      return { app, page }
    })
    for (const app of started) await app.close().catch(() => undefined)
  },
  studio: async ({ launch }, use) => use(await launch()),
})

export { expect } from '@playwright/test'

/** Whether tests run that take a minute and more each, and that unit tests or shorter ones stand for otherwise. */
export const isThorough = process.env.FISAO_THOROUGH === 'yes'
export const why = 'minutes; FISAO_THOROUGH=yes runs it'

/** Of a test that measures time: nothing else runs beside it in `npm test`. */
export const alone = { tag: '@alone' }

/** Answers the next file dialogs with this path, as a person would. */
export async function answerDialogs({ app }: Studio, path: string): Promise<void> {
  await app.evaluate(({ dialog }, chosen) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath: chosen })
    dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [chosen] })
  }, path)
}

/** Makes a workspace through the window. */
export async function createWorkspace(studio: Studio, path: string): Promise<void> {
  await answerDialogs(studio, path)
  await studio.page.getByRole('button', { name: 'New workspace' }).click()
  await studio.page.getByRole('heading', { name: 'Images', exact: true }).waitFor()
}

/** The process of the app whose name has this end, once there is one: `engine`, `library`, `GPU`, `Tab`. */
export async function processOf(app: ElectronApplication, name: string): Promise<number> {
  const find = (): Promise<number | undefined> =>
    app.evaluate(
      ({ app: electron }, wanted) =>
        electron.getAppMetrics().find((one) => `${one.type} ${one.name ?? ''}`.trim().endsWith(wanted))?.pid,
      name,
    )
  for (;;) {
    const pid = await find()
    if (pid !== undefined) return pid
    await delay(5)
  }
}

/** Workspace files that scripts made, by their words. */
const made = new Map<string, Buffer>()

/**
 * Has a script of {@link onRuntime} make the workspace at `path`, which is among its words. One that was made with the same
 * words before is copied: the script takes longer than the start of the app.
 */
export async function makeWorkspace(path: string, script: string, ...words: readonly string[]): Promise<void> {
  const key = JSON.stringify([script, ...words.map((word) => (word === path ? null : word))])
  const known = made.get(key)
  if (known) {
    writeFileSync(path, known, { mode: 0o600 })
    return
  }
  await onRuntime(script, ...words)
  if (existsSync(`${path}-wal`)) throw new Error(`${script} left a log beside ${path}, which a copy would lack`)
  made.set(key, readFileSync(path))
}

/** How long a script may take to end once it has done all that it does. */
const longestEndMs = 5000

/** Runs a TypeScript file on the app's own runtime, where its SQLite binding loads; returns what it printed. */
export async function onRuntime(script: string, ...args: readonly string[]): Promise<string> {
  const runtime = await setUp()
  const folder = mkdtempSync(join(tmpdir(), 'fisao-script-'))
  const exitFile = join(folder, 'exit code')
  const env = { ...runtimeEnvironment(runtime), ELECTRON_RUN_AS_NODE: '1', FISAO_EXIT_FILE: exitFile }
  const imports = ['node_modules/tsx/dist/esm/index.mjs', 'e2e/markExit.ts'].flatMap((file) => [
    '--import',
    pathToFileURL(join(projectRoot, file)).href,
  ])
  const child = spawn(runtime.electronPath, [...imports, join(projectRoot, script), ...args], { env })
  let output = ''
  let errors = ''
  child.stdout.on('data', (text: Buffer) => (output += text))
  child.stderr.on('data', (text: Buffer) => (errors += text))
  const ended = once(child, 'close')
  const looking = setInterval(() => {
    if (!existsSync(exitFile)) return
    clearInterval(looking)
    setTimeout(() => child.kill('SIGKILL'), longestEndMs).unref()
  }, 200)
  try {
    await ended
    const code = existsSync(exitFile) ? readFileSync(exitFile, 'utf8') : 'none'
    if (code !== '0') throw new Error(`${script} ${args.join(' ')} ended with the code ${code}\n${errors}`)
    return output
  } finally {
    clearInterval(looking)
    rmSync(folder, { recursive: true, force: true })
  }
}
