// Looks after the folder of a sweep: tells when a cell came to its end there. A place on a disk of this machine says so itself;
// one that several machines share is asked now and then. Before it stands sweepFolders.ts.
import { type FSWatcher, watch } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isLocalPlace } from '../headless/localPlace.ts'

export interface WatchTimes {
  /** After a change, for what is written together with it. */
  readonly settleMs: number
  /** Between two questions where nothing says so itself. */
  readonly pollMs: number
}

const usualTimes: WatchTimes = { settleMs: 500, pollMs: 15_000 }

/**
 * @param onEnded called when there is another result or failure than before
 * @returns what ends it
 */
export function watchSweep(folder: string, onEnded: () => void, times: WatchTimes = usualTimes): () => void {
  const cells = join(folder, 'cells')
  let isOver = false
  let watcher: FSWatcher | null = null
  let timer: NodeJS.Timeout | null = null
  let before: string | null = null
  const look = async (): Promise<void> => {
    const now = await endsIn(cells)
    if (isOver) return
    if (before !== null && now !== before) onEnded()
    before = now
    if (!watcher) later(times.pollMs)
  }
  const later = (ms: number): void => {
    timer ??= setTimeout(() => {
      timer = null
      void look()
    }, ms)
  }
  const begin = async (): Promise<void> => {
    const isLocal = await isLocalPlace(cells)
    if (isLocal && !isOver) {
      try {
        watcher = watch(cells, { recursive: true, persistent: false }, () => later(times.settleMs))
        watcher.on('error', () => {
          watcher?.close()
          watcher = null
          later(times.pollMs)
        })
      } catch {
        // No folder there yet, or no more to be watched by this person: it is asked then.
        watcher = null
      }
    }
    await look()
  }
  void begin()
  return () => {
    isOver = true
    watcher?.close()
    if (timer) clearTimeout(timer)
  }
}

/** The results and failures that are there, one after the other: a drive that is gone holds one question up, not many. */
async function endsIn(cells: string): Promise<string> {
  const found: string[] = []
  const names = await readdir(cells).catch(() => [])
  for (const name of names.filter((one) => /^[1-9]\d{0,3}$/.test(one)).sort()) {
    for (const file of ['result.json', 'failure.json']) {
      const seen = await stat(join(cells, name, file)).catch(() => null)
      if (seen) found.push(`${name} ${file} ${seen.size} ${seen.mtimeMs}`)
    }
  }
  return found.join('\n')
}
