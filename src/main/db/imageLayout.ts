// Whether images lie as models see them. Earlier versions stored size and thumbnail of PNG, WebP and AVIF as the file lies,
// not upright; library/layImages.ts lays those anew, once a workspace.
import { z } from 'zod'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'
import type { NewImage } from './images.ts'
import { sha256 } from './rowHash.ts'
import { readSetting, writeSetting } from './settings.ts'

const layoutKey = 'imageLayout'
/** Raised when pictures come to be laid in another way. */
const layoutVersion = 1

/** Whether all images of the workspace were stored, or laid anew, by a version that lays them as this one does. */
export function areImagesLaid(db: ReadableDb): boolean {
  return (readSetting(db, layoutKey, z.number()) ?? 0) >= layoutVersion
}

export function noteImagesLaid(db: WritableDb): void {
  writeSetting(db, layoutKey, layoutVersion)
}

/** An image that may lie in another way than was stored. */
export interface LaidImage {
  readonly imageId: number
  readonly path: string
  /** 32 bytes. */
  readonly sha256: Buffer
}

/** Those after an id, in the order of their ids. */
export function imagesToLay(db: ReadableDb, afterId: number, limit: number): LaidImage[] {
  return statement<[number, number], LaidImage>(
    db,
    `SELECT image_id AS imageId, path, sha256 FROM image
     WHERE image_id > ? AND format IN ('png', 'webp', 'avif') ORDER BY image_id LIMIT ?`,
  ).all(afterId, limit)
}

/** Gives images the size and thumbnail that they have upright, and forgets what encoders made of them before. */
export function layImagesAnew(
  db: WritableDb,
  images: readonly (LaidImage & Pick<NewImage, 'width' | 'height' | 'thumbnail'>)[],
): void {
  inTransaction(db, () => {
    for (const { imageId, width, height, thumbnail, sha256: subject } of images) {
      statement<[number, number, Buffer, number]>(
        db,
        'UPDATE image SET width = ?, height = ?, thumbnail_sha256 = ? WHERE image_id = ?',
      ).run(width, height, sha256(thumbnail), imageId)
      statement<[Buffer, number]>(db, 'UPDATE thumbnail SET bytes = ? WHERE image_id = ?').run(thumbnail, imageId)
      statement<[Buffer]>(db, "DELETE FROM embedding WHERE kind = 'image' AND subject_sha256 = ?").run(subject)
    }
  })
}
