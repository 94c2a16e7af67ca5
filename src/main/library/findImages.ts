// The pictures below the folders of an import, by name or first bytes, and what else is there, a kind at a time, so that an
// import which finds nothing says what it found instead. importImages.ts reads what this returns.
import type { Dirent } from 'node:fs'
import { opendir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { LeftOutKind } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import { detectFormat } from '../../shared/imageSignature.ts'
import { isPassedOver, kindBytes, leftOutReason, pictureKind, unreadableKind } from '../../shared/pictureKinds.ts'
import { openRegularFile } from '../files/regularFile.ts'

export interface FoundImages {
  /** In the order of their names. */
  readonly paths: string[]
  readonly leftOut: LeftOutKind[]
}

/**
 * Looks below `folder`, or at `chosen` files and folders in its place. A chosen file is read whatever its name, unless that
 * says a kind that cannot be read. Links are not followed but counted; what is hidden, or another program's own, is passed
 * over without a word.
 * @throws StudioError `image.folder-missing`, `image.not-a-folder` of a single one; of several, the missing ones are among
 *   the paths, and reading them tells
 */
export async function findImages(
  folder: string,
  chosen: readonly string[],
  signal: AbortSignal,
  found: (count: number) => void,
): Promise<FoundImages> {
  const search = new Search(signal, found)
  if (chosen.length === 0) {
    const root = await stat(folder).catch((cause: unknown) => Promise.reject(missingFolder(folder, cause)))
    if (root.isFile()) search.choose(resolve(folder))
    else if (root.isDirectory())
      await search.walk(resolve(folder), (cause) => Promise.reject(missingFolder(folder, cause)))
    else throw notAFolder(folder)
  }
  for (const path of chosen) {
    const root = await stat(path).catch(() => null)
    if (root?.isDirectory()) await search.walk(resolve(path), async () => search.leaveOut('folder', path))
    else search.choose(resolve(path))
  }
  return search.result()
}

class Search {
  readonly #signal: AbortSignal
  readonly #found: (count: number) => void
  readonly #paths = new Set<string>()
  readonly #leftOut = new Map<string, { files: number; example: string }>()

  constructor(signal: AbortSignal, found: (count: number) => void) {
    this.#signal = signal
    this.#found = found
  }

  /** A file that a person named. */
  choose(path: string): void {
    const kind = pictureKind(basename(path))
    if (typeof kind === 'object' && kind.leftOut !== 'other') this.leaveOut(kind.leftOut, path)
    else this.#paths.add(path)
  }

  async walk(root: string, onUnreadable: (cause: unknown) => Promise<void>): Promise<void> {
    const folders = [root]
    for (let next = folders.pop(); next !== undefined && !this.#signal.aborted; next = folders.pop()) {
      try {
        for await (const entry of await opendir(next)) await this.#look(next, entry, folders)
      } catch (cause) {
        // A folder further down that may not be read does not end the import of the others.
        if (next === root) await onUnreadable(cause)
        else this.leaveOut('folder', next)
      }
    }
  }

  async #look(folder: string, entry: Dirent, folders: string[]): Promise<void> {
    const path = join(folder, entry.name)
    if (isPassedOver(entry.name)) return
    if (entry.isSymbolicLink()) this.leaveOut('link', path)
    else if (entry.isDirectory()) folders.push(path)
    else if (!entry.isFile()) this.leaveOut('other', path)
    else {
      const kind = pictureKind(entry.name)
      const leftOut = typeof kind === 'object' ? kind.leftOut : kind === 'read' ? null : await kindByBytes(path)
      if (leftOut === null) this.#paths.add(path)
      else this.leaveOut(leftOut, path)
    }
    if (this.#paths.size % 1000 === 999) this.#found(this.#paths.size)
  }

  leaveOut(kind: string, path: string): void {
    const seen = this.#leftOut.get(kind)
    // The first by name, so that the same folder always gives the same one.
    const example = seen && seen.example < path ? seen.example : path
    this.#leftOut.set(kind, { files: (seen?.files ?? 0) + 1, example })
  }

  result(): FoundImages {
    const leftOut = [...this.#leftOut].map(([kind, one]) => ({ kind, ...one, message: leftOutReason(kind) }))
    return { paths: [...this.#paths].sort(), leftOut }
  }
}

const longestLookMs = 5_000

/** The kind that a file without an ending is left out as; null when it begins as a picture does. */
async function kindByBytes(path: string): Promise<string | null> {
  try {
    const { file } = await openRegularFile(path, longestLookMs)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(kindBytes), 0, kindBytes, 0)
      const bytes = buffer.subarray(0, bytesRead)
      return detectFormat(bytes) === null ? (unreadableKind(bytes) ?? 'no ending') : null
    } finally {
      await file.close()
    }
  } catch {
    // What cannot be opened is none that could be read.
    return 'no ending'
  }
}

function missingFolder(folder: string, cause: unknown): StudioError {
  return new StudioError(
    {
      code: 'image.folder-missing',
      message: 'The folder cannot be read: it is gone, or you may not look into it.',
      remedy: 'Connect the drive that it is on, then resume the import; what is in the workspace stays.',
      where: folder,
    },
    { cause },
  )
}

function notAFolder(path: string): StudioError {
  return new StudioError({
    code: 'image.not-a-folder',
    message: 'This is neither a folder nor a file, but a pipe or a device.',
    remedy: 'Choose a folder with pictures.',
    where: path,
  })
}
