// The files of images: which are missing, and the images of a moved folder at its new place. Long work with a person's
// disks, so nothing is held open meanwhile. Before it stands worker.ts, after it db/imagePaths.ts.
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import type { MissingFiles, RelinkReport } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import { mapSome } from '../../shared/mapSome.ts'
import type { WritableDb } from '../db/connection.ts'
import { type ImageFile, imagesAt, type MovedImage, moveImages } from '../db/imagePaths.ts'
import { NotAFile, openRegularFile, withinMs } from '../files/regularFile.ts'

/** A drive that is gone holds up threads that all file work shares; two are left for the rest. */
const looksAtOnce = 2
const batchSize = 256
const mostFolders = 50

/** Looks for the files of images until `limitMs` have passed. */
export async function findMissingFiles(paths: readonly string[], limitMs: number): Promise<MissingFiles> {
  const endMs = performance.now() + limitMs
  const folders = new Map<string, { images: number; missing: number }>()
  let checked = 0
  let missing = 0
  while (checked < paths.length && performance.now() < endMs) {
    const batch = paths.slice(checked, checked + batchSize)
    const leftMs = endMs - performance.now()
    const there = await withinMs(leftMs, mapSome(batch, looksAtOnce, isThere)).catch(() => null)
    if (there === null) break
    batch.forEach((path, i) => {
      const folder = dirname(path)
      const seen = folders.get(folder) ?? { images: 0, missing: 0 }
      folders.set(folder, { images: seen.images + 1, missing: seen.missing + (there[i] ? 0 : 1) })
      if (!there[i]) missing++
    })
    checked += batch.length
  }
  const worst = [...folders]
    .filter(([, seen]) => seen.missing > 0)
    .map(([folder, seen]) => ({ folder, ...seen }))
    .sort((a, b) => b.missing - a.missing || (a.folder < b.folder ? -1 : 1))
  return { images: paths.length, checked, missing, folders: worst.slice(0, mostFolders) }
}

async function isThere(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => null)
  return stats?.isFile() ?? false
}

export interface RelinkOptions {
  readonly signal: AbortSignal
  readonly report: (progress: { done: number; total: number }) => void
}

const readersAtOnce = 2
const filesPerReport = 32
const mostExamples = 20

type Found = { readonly moved: MovedImage } | { readonly problem: 'differs' | 'missing' }

/**
 * Compares the images below `from` (or the one at `from`) with the files at the same places below `to`, by size and SHA-256,
 * and gives those with the very same bytes their new paths, in one transaction.
 * @throws StudioError `image.relink-nothing` when no image is there; `image.cancelled`, and nothing is changed then
 */
export async function relinkFolder(
  db: WritableDb,
  from: string,
  to: string,
  { signal, report }: RelinkOptions,
): Promise<RelinkReport> {
  const images = imagesAt(db, from, from.endsWith(sep) ? from : from + sep)
  if (images.length === 0) throw nothingThere(from)
  const found: Found[] = []
  for (let start = 0; start < images.length; start += filesPerReport) {
    const batch = images.slice(start, start + filesPerReport)
    const compared = mapSome(batch, readersAtOnce, (image) => compare(image, join(to, relative(from, image.path))))
    found.push(...(await unlessAborted(signal, compared)))
    report({ done: found.length, total: images.length })
  }
  if (signal.aborted) throw cancelled()
  const taken = new Set(
    moveImages(
      db,
      found.flatMap((one) => ('moved' in one ? [one.moved] : [])),
    ).map(({ imageId }) => imageId),
  )
  const problems = images.flatMap((image, i) => {
    const one = found[i] as Found
    const path = relative(from, image.path) || image.path
    if ('problem' in one) return [{ path, problem: one.problem }]
    // Another image has this path: it is that one's file for the workspace.
    return taken.has(image.imageId) ? [{ path, problem: 'differs' as const }] : []
  })
  const differ = problems.filter(({ problem }) => problem === 'differs').length
  return {
    matched: images.length - problems.length,
    differ,
    missing: problems.length - differ,
    examples: problems.slice(0, mostExamples),
  }
}

/** A drive that has to wake up first answers within this. */
const longestAnswerMs = 30_000

async function compare({ imageId, sizeBytes, sha256 }: ImageFile, path: string): Promise<Found> {
  try {
    const { file, stats } = await openRegularFile(path, longestAnswerMs)
    try {
      if (stats.size !== sizeBytes) return { problem: 'differs' }
      const hash = createHash('sha256')
      for await (const bytes of file.createReadStream({ autoClose: false })) hash.update(bytes as Buffer)
      if (!hash.digest().equals(sha256)) return { problem: 'differs' }
      return { moved: { imageId, path, modifiedMs: Math.round(stats.mtimeMs) } }
    } finally {
      await file.close()
    }
  } catch (thrown) {
    return { problem: thrown instanceof NotAFile ? 'differs' : 'missing' }
  }
}

/** A drive that does not answer shall not keep a workspace from closing. */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  if (signal.aborted) throw cancelled()
  let onAbort: () => void = () => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(cancelled())
    signal.addEventListener('abort', onAbort)
  })
  return await Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', onAbort))
}

function nothingThere(from: string): StudioError {
  return new StudioError({
    code: 'image.relink-nothing',
    message: 'No image of the workspace was in this folder.',
    remedy: 'Choose the folder that the images were added from.',
    where: from,
  })
}

function cancelled(): StudioError {
  return new StudioError({
    code: 'image.cancelled',
    message: 'The search for the moved files was ended; nothing was changed.',
    remedy: 'Start it again when you want it.',
  })
}
