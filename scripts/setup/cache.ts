// The cache outside the checkout that holds the Electron runtime and compiled bindings: each entry is
// built in a temporary folder and renamed into place, so that it is there whole or not at all.
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const completeMark = '.complete'

/** The product's cache folder of this user. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  if (env.FISAO_CACHE_DIR) return env.FISAO_CACHE_DIR
  if (platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'fisao-studio', 'cache')
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'fisao-studio')
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'fisao-studio')
}

/**
 * The folder of a cache entry; `build` fills a new folder when the entry is not there or was left half done.
 * Two set-ups at once may both build; the first to finish wins and both use its folder.
 */
export async function cached(
  name: string,
  build: (folder: string) => Promise<void>,
  root = cacheRoot(),
): Promise<string> {
  const folder = join(root, name)
  const isComplete = () => existsSync(join(folder, completeMark))
  if (isComplete()) return folder
  mkdirSync(root, { recursive: true })
  const temporary = mkdtempSync(join(root, `${name}.partial-`))
  try {
    await build(temporary)
    writeFileSync(join(temporary, completeMark), '')
    if (existsSync(folder) && !isComplete()) rmSync(folder, { recursive: true, force: true })
    try {
      renameSync(temporary, folder)
    } catch (error) {
      if (!isComplete()) throw error
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
  return folder
}
