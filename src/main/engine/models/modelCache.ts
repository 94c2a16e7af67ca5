// Where base files are kept. Before it stands whoever started this process, after it baseFile.ts.
import { homedir } from 'node:os'
import { join } from 'node:path'
import { modelCacheFolder, modelCacheVariable } from '../../../shared/baseFormat.ts'

/**
 * The folder that the environment names, as the app does for its engine (its own data, so that its settings can empty it);
 * else the system's place for a person's caches.
 */
export function modelCache(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  const named = env[modelCacheVariable]
  if (named) return named
  const places: Partial<Record<NodeJS.Platform, string>> = {
    win32: env['LOCALAPPDATA'] || join(homedir(), 'AppData', 'Local'),
    darwin: join(homedir(), 'Library', 'Caches'),
  }
  return join(
    places[platform] ?? (env['XDG_CACHE_HOME'] || join(homedir(), '.cache')),
    'fisao-studio',
    modelCacheFolder,
  )
}
