// Sets this machine up for development: the Electron runtime, a SQLite binding that loads on it, and the
// system libraries both need. Every entry command calls it; once done, it costs a few milliseconds.
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { telemetryOff } from '../src/shared/telemetryOff.ts'
import { needsOwnDisplay } from './display.ts'
import { cacheRoot } from './setup/cache.ts'
import { chooseElectron, type Electron } from './setup/electron.ts'
import { runCommand } from './setup/runCommand.ts'
import { shippedNapiVersion, sqliteBinding } from './setup/sqlite.ts'
import { ensureSystemLibraries, missingLibraries } from './setup/systemLibraries.ts'

/** What the entry commands need to know of the runtime. */
export interface Runtime extends Electron, RuntimeVersions {
  /** A better-sqlite3 compiled for the runtime; null when the shipped one serves. */
  readonly sqliteBinding: string | null
}

interface RuntimeVersions {
  readonly electronVersion: string
  readonly nodeVersion: string
  readonly napiVersion: number
}

/** Says what the set-up is doing. */
export function printSetUp(line: string): void {
  process.stderr.write(`[setup] ${line}\n`)
}

/** Sets up what is missing and says so line by line. */
export async function setUp(print = printSetUp): Promise<Runtime> {
  const electron = await chooseElectron(print)
  const onLinux = process.platform === 'linux'
  const missing = (): string[] => (onLinux ? missingLibraries(electron.electronPath) : [])
  await ensureSystemLibraries({ missing, display: needsOwnDisplay(), compiler: false }, print)
  const versions = await runtimeVersions(electron.electronPath)
  const needsCompiler = onLinux && versions.napiVersion < shippedNapiVersion
  await ensureSystemLibraries({ missing: () => [], display: false, compiler: needsCompiler }, print)
  return { ...electron, ...versions, sqliteBinding: await sqliteBinding({ ...electron, ...versions }, print) }
}

/** Environment with which a process of the app, or Node on the app's runtime, finds what was set up. */
export function runtimeEnvironment(runtime: Runtime, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  // Editors built on Electron leave this one in their terminals; with it the app would start as plain Node.
  const { ELECTRON_RUN_AS_NODE: _, ...inherited } = env
  return {
    ...inherited,
    ...telemetryOff,
    ELECTRON_OVERRIDE_DIST_PATH: runtime.distPath,
    // What electron-vite starts, and the version whose language level it builds for; left to itself it takes
    // the pinned Electron for both.
    ELECTRON_EXEC_PATH: runtime.electronPath,
    ELECTRON_MAJOR_VER: runtime.electronVersion.split('.')[0],
    ...(runtime.sqliteBinding && { FISAO_SQLITE_BINDING: runtime.sqliteBinding }),
  }
}

/** Asks the executable once and remembers the answer in the cache, for as long as it is the same file. */
async function runtimeVersions(electronPath: string): Promise<RuntimeVersions> {
  const file = join(cacheRoot(), 'runtime-versions.json')
  const known: Record<string, RuntimeVersions> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const { size, mtimeMs } = statSync(electronPath)
  const key = `${electronPath} ${size} ${mtimeMs}`
  const remembered = known[key]
  if (remembered) return remembered
  const ask =
    'JSON.stringify({electronVersion:process.versions.electron,nodeVersion:process.versions.node,napiVersion:Number(process.versions.napi)})'
  const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' }
  const versions: RuntimeVersions = JSON.parse(await runCommand(electronPath, ['-p', ask], { env }))
  mkdirSync(cacheRoot(), { recursive: true })
  const temporary = `${file}.${process.pid}`
  writeFileSync(temporary, JSON.stringify({ ...known, [key]: versions }, null, 2))
  renameSync(temporary, file)
  return versions
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = await setUp().then(report, (error: Error) => {
    process.stderr.write(`${error.message}\n`)
    return 1
  })
}

function report(runtime: Runtime): number {
  const { electronVersion, nodeVersion, napiVersion, source, distPath, sqliteBinding: binding } = runtime
  process.stdout.write(
    `Electron ${electronVersion} (Node ${nodeVersion}, Node-API ${napiVersion}) from ${source}: ${distPath}\n` +
      `SQLite binding: ${binding ?? 'as shipped'}\n` +
      // Counted from the start of the process, as a person waits for it.
      `set up in ${(performance.now() / 1000).toFixed(2)} s\n`,
  )
  return 0
}
