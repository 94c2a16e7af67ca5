// The cache outside the checkout that holds the Electron runtime and compiled bindings: each entry is
// built in a temporary folder and renamed into place, so that it is there whole or not at all.
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimes,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const completeMark = '.complete'
const lockBeatMs = 3000
const lockStaleMs = 20_000
const leftoverMs = 3600 * 1000

/** The product's cache folder of this user. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  if (env.FISAO_CACHE_DIR) return env.FISAO_CACHE_DIR
  if (platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'fisao-studio', 'cache')
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'fisao-studio')
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'fisao-studio')
}

/**
 * The folder of a cache entry; `build` fills a new folder when the entry is not there or was left half done.
 * Of two set-ups at once, one builds and the other waits for it.
 * @param file that the entry is for: without it, the entry counts as half done (someone cleaned up)
 */
export async function cached(
  name: string,
  file: string,
  build: (folder: string) => Promise<void>,
  root = cacheRoot(),
): Promise<string> {
  const folder = join(root, name)
  const isComplete = () => existsSync(join(folder, completeMark)) && existsSync(join(folder, file))
  if (isComplete()) return folder
  const fill = async () => {
    if (isComplete()) return
    removeLeftovers(root)
    const temporary = mkdtempSync(join(root, `${name}.partial-`))
    try {
      await build(temporary)
      writeFileSync(join(temporary, completeMark), '')
      if (!isComplete()) rmSync(folder, { recursive: true, force: true })
      renameSync(temporary, folder)
    } catch (error) {
      // Whoever took a lock over that still had an owner may have been first; its entry serves as well.
      if (!isComplete()) throw error
    } finally {
      rmSync(temporary, { recursive: true, force: true })
    }
  }
  await withLock(name, fill, root)
  return folder
}

/**
 * Runs `use` while no other process runs one of the same name. A lock is a file that its owner touches, so
 * that one left by a process that was killed is taken over after 20 s, whatever machine or container it ran in.
 */
export async function withLock<T>(name: string, use: () => Promise<T>, root = cacheRoot()): Promise<T> {
  mkdirSync(root, { recursive: true })
  const file = join(root, `${name}.lock`)
  while (!take(file)) await delay(200)
  const beat = setInterval(() => utimes(file, new Date(), new Date(), () => undefined), lockBeatMs)
  try {
    return await use()
  } finally {
    clearInterval(beat)
    rmSync(file, { force: true })
  }
}

function take(file: string): boolean {
  try {
    closeSync(openSync(file, 'wx'))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const touchedMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs
  if (touchedMs !== undefined && Date.now() - touchedMs > lockStaleMs) rmSync(file, { force: true })
  return false
}

/** Removes what killed set-ups left behind: partial folders that nobody has filled for an hour, longer than any build takes. */
function removeLeftovers(root: string): void {
  for (const name of readdirSync(root).filter((entry) => entry.includes('.partial-'))) {
    const folder = join(root, name)
    const changedMs = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (Date.now() - changedMs > leftoverMs) rmSync(folder, { recursive: true, force: true })
  }
}
