// Lays images anew that an earlier version stored as their files lie, not upright: reads those that may be turned, a few at
// a time, and stores size and thumbnail of those that are. Before it stands worker.ts, after it db/imageLayout.ts.
import { createHash } from 'node:crypto'
import { mapSome } from '../../shared/mapSome.ts'
import type { WritableDb } from '../db/connection.ts'
import { areImagesLaid, imagesToLay, type LaidImage, layImagesAnew, noteImagesLaid } from '../db/imageLayout.ts'
import { turnedPicture } from './readImage.ts'

/** Two threads are left for imports and for what a person asks meanwhile. */
const readersAtOnce = 2
const batchSize = 32

/**
 * Stopped at any moment, it begins anew at the next opening. An image whose file is missing or changed stays as it is.
 * @returns how many images lie in another way now
 */
export async function layImages(db: WritableDb, signal: AbortSignal): Promise<number> {
  let laid = 0
  if (areImagesLaid(db)) return laid
  let batch = imagesToLay(db, 0, batchSize)
  while (batch.length > 0 && !signal.aborted) {
    const read = await mapSome(batch, readersAtOnce, (image) => turnedImage(image, signal))
    const turned = read.filter((image) => image !== null)
    if (turned.length > 0) layImagesAnew(db, turned)
    laid += turned.length
    batch = imagesToLay(db, (batch.at(-1) as LaidImage).imageId, batchSize)
  }
  if (!signal.aborted) noteImagesLaid(db)
  return laid
}

/** An image as it lies upright; null of one that is stored so. */
async function turnedImage(image: LaidImage, signal: AbortSignal) {
  if (signal.aborted) return null
  const isTheSame = (bytes: Buffer): boolean => createHash('sha256').update(bytes).digest().equals(image.sha256)
  const turned = await turnedPicture(image.path, isTheSame).catch(() => null)
  return turned && { ...image, ...turned }
}
