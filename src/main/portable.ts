// Portable mode: a file named `portable` beside the program keeps settings, logs and caches beside it too, so that all of it
// moves on a stick. Before it: nothing; after it: index.ts, which tells Electron the folder.
import { existsSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

export const markerName = 'portable'
export const dataFolderName = 'fisao-studio-data'

/**
 * The folder for settings, logs and caches when the program is portable, else null.
 * @param executable that runs: inside an .app on macOS; inside a mounted image for an AppImage, whose own file APPIMAGE names
 */
export function portableFolder(
  executable: string,
  platform: NodeJS.Platform = process.platform,
  env: NodeJS.ProcessEnv = process.env,
): string | null {
  const home = programFolder(executable, platform, env)
  return existsSync(join(home, markerName)) ? join(home, dataFolderName) : null
}

function programFolder(executable: string, platform: NodeJS.Platform, env: NodeJS.ProcessEnv): string {
  if (platform === 'linux' && env.APPIMAGE) return posix.dirname(env.APPIMAGE)
  // FiSAO Studio.app/Contents/MacOS/FiSAO Studio
  if (platform === 'darwin') return posix.resolve(executable, '../../../..')
  return dirname(executable)
}
