// Room on the disk of a file: asked before work that would fill it, and while work waits for room. The sentence that a
// person reads says how much is there and how much is needed.
import { statfsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StudioError } from '../../shared/errors.ts'

/** Bytes that this user may still write to the disk that holds `path`; null when it does not say. */
export async function freeBytes(path: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(dirname(path))
    return bavail * bsize
  } catch {
    // A drive that does not tell is not refused: writing will show.
    return null
  }
}

/** As {@link freeBytes}, at once; for telling what an error meant. */
export function freeBytesNow(path: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(dirname(path))
    return bavail * bsize
  } catch {
    return null
  }
}

/**
 * @param bytes that the work will need
 * @throws StudioError `workspace.disk-full` when there is less room than that on the disk of `path`
 */
export async function requireSpace(path: string, bytes: number): Promise<void> {
  const free = await freeBytes(path)
  if (free === null || free >= bytes) return
  throw new StudioError({
    code: 'workspace.disk-full',
    message: `The disk is too full: ${sizeWords(free)} are free, and this needs about ${sizeWords(bytes)}.`,
    remedy: 'Free some space on that disk; nothing that was stored is lost.',
    expected: `${bytes} bytes free`,
    found: `${free} bytes free`,
    where: path,
  })
}

/** As a person reads it: `640 kB`, `5.2 MB`, `27 MB`, `1.5 GB`. */
export function sizeWords(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB` : `${Math.round(bytes / 1e3)} kB`
}
