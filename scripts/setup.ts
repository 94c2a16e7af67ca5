// Sets this machine up for development: the Electron runtime, a SQLite binding that loads on it, and the
// system libraries both need. Every entry command calls it; once done, it costs a few milliseconds.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
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

/** Sets up what is missing and says so line by line. */
export async function setUp(
  print = (line: string): void => void process.stderr.write(`[setup] ${line}\n`),
): Promise<Runtime> {
  const electron = await chooseElectron()
  const onLinux = process.platform === 'linux'
  const needsDisplay = onLinux && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY
  const missing = (): string[] => (onLinux ? missingLibraries(electron.electronPath) : [])
  await ensureSystemLibraries({ missing, display: needsDisplay, compiler: false }, print)
  const versions = await runtimeVersions(electron.electronPath)
  const needsCompiler = onLinux && versions.napiVersion < shippedNapiVersion
  await ensureSystemLibraries({ missing: () => [], display: false, compiler: needsCompiler }, print)
  return { ...electron, ...versions, sqliteBinding: await sqliteBinding(versions.napiVersion, print) }
}

/** Environment with which a process of the app, or Node on the app's runtime, finds what was set up. */
export function runtimeEnvironment(runtime: Runtime, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return {
    ...env,
    ELECTRON_OVERRIDE_DIST_PATH: runtime.distPath,
    ...(runtime.sqliteBinding && { FISAO_SQLITE_BINDING: runtime.sqliteBinding }),
  }
}

/** Asks the executable once and remembers the answer beside the cache. */
async function runtimeVersions(electronPath: string): Promise<RuntimeVersions> {
  const file = join(cacheRoot(), 'runtime-versions.json')
  const known: Record<string, RuntimeVersions> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const remembered = known[electronPath]
  if (remembered) return remembered
  const ask =
    'JSON.stringify({electronVersion:process.versions.electron,nodeVersion:process.versions.node,napiVersion:Number(process.versions.napi)})'
  const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' }
  const versions: RuntimeVersions = JSON.parse(await runCommand(electronPath, ['-p', ask], { env }))
  mkdirSync(cacheRoot(), { recursive: true })
  const temporary = `${file}.${process.pid}`
  writeFileSync(temporary, JSON.stringify({ ...known, [electronPath]: versions }, null, 2))
  renameSync(temporary, file)
  return versions
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const startMs = performance.now()
  const runtime = await setUp()
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  process.stdout.write(
    `Electron ${runtime.electronVersion} (Node ${runtime.nodeVersion}, Node-API ${runtime.napiVersion}) from ${runtime.source}: ` +
      `${runtime.distPath}\nSQLite binding: ${runtime.sqliteBinding ?? 'as shipped'}\nset up in ${seconds} s\n`,
  )
}
