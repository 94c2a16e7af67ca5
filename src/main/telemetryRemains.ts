// Removes what ONNX Runtime's telemetry wrote before it was switched off. Before it stands index.ts, once the window
// is there; nothing comes after it.
import { lstat, readdir, readFile, rmdir, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Where the uploader writes, by the variables that it asks. */
export interface TelemetryFolders {
  /** The uploader's own folder: device id and event database. Null on systems whose build has no uploader. */
  readonly store: string | null
  /** The folder for temporary files, which belongs to everybody. */
  readonly temporary: string
}

/** @param homeFolder the person's home */
export function telemetryFolders(
  homeFolder: string,
  temporary: string,
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): TelemetryFolders {
  const path = ['Microsoft', 'DeveloperTools', '.onnxruntime'] as const
  if (platform === 'win32') return { store: null, temporary }
  if (platform === 'darwin') return { store: join(homeFolder, 'Library', 'Application Support', ...path), temporary }
  return { store: join(env.XDG_CACHE_HOME || join(homeFolder, '.cache'), ...path), temporary }
}

const storeFile = /^(deviceid(\.lock|\.tmp\.[0-9a-f-]{36})?|onnxruntime\.db(-journal|-wal|-shm)?)$/
const debugLog = /^mat-debug-(\d+)\.log$/
/** The uploader's session file has a name that anybody could choose: two lines, a time and an id, tell it. */
const sessionFile = '.ses'
const sessionContent = /^\d{13}\s+[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\s*$/
const largestSessionBytes = 200

/**
 * Removes the files that only this telemetry writes, by name and place; folders that are empty then go too. Logs of
 * processes that still run are left to them.
 * @returns the paths that are gone
 */
export async function removeTelemetryRemains({ store, temporary }: TelemetryFolders): Promise<string[]> {
  const own = store === null ? [] : (await namesIn(store)).filter((name) => storeFile.test(name))
  const paths = own.map((name) => join(store ?? '', name))
  for (const name of await namesIn(temporary)) {
    const path = join(temporary, name)
    const pid = Number(debugLog.exec(name)?.[1])
    if (pid > 0 && !isRunning(pid)) paths.push(path)
    else if (name === sessionFile && (await isSessionFile(path))) paths.push(path)
  }
  const gone: string[] = []
  for (const path of paths) if (await removeOwnFile(path)) gone.push(path)
  if (store !== null && gone.length > 0) await removeEmptyFolders(store)
  return gone
}

/** A folder that is not there, or not ours to read, holds nothing that we wrote. */
async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => [])
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM'
  }
}

async function isSessionFile(path: string): Promise<boolean> {
  try {
    const status = await lstat(path)
    if (!status.isFile() || status.size > largestSessionBytes) return false
    return sessionContent.test(await readFile(path, 'utf8'))
  } catch {
    return false
  }
}

/** Removes a plain file of this person; links and other people's files in a shared folder are left alone. */
async function removeOwnFile(path: string): Promise<boolean> {
  try {
    const status = await lstat(path)
    if (!status.isFile() || (process.getuid && status.uid !== process.getuid())) return false
    await unlink(path)
    return true
  } catch {
    // Gone by itself, or held open by another program on Windows: the next start tries again.
    return false
  }
}

/** `.onnxruntime` and the two folders around it that the uploader makes; the first that holds something ends it. */
async function removeEmptyFolders(store: string): Promise<void> {
  let folder = store
  for (let level = 0; level < 3; level++) {
    if (
      await rmdir(folder).then(
        () => false,
        () => true,
      )
    )
      return
    folder = dirname(folder)
  }
}
