// Where the files of images lie: for finding those that are missing, and for giving the images of a moved folder their new
// paths. Before it stands library/imageFiles.ts.
import { basename } from 'node:path'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'
import { isPresent } from './imageQuery.ts'
import { moveImage } from './images.ts'

/** An image with what its file was when it was added. */
export interface ImageFile {
  readonly imageId: number
  readonly path: string
  readonly sizeBytes: number
  /** 32 bytes. */
  readonly sha256: Buffer
}

/** The paths of all images of the library, in their order. */
export function imagePathsInOrder(db: ReadableDb): string[] {
  return statement<[], { path: string }>(
    db,
    `SELECT path FROM image INDEXED BY sqlite_autoindex_image_1 WHERE ${isPresent('image.image_id')} ORDER BY path`,
  )
    .all()
    .map(({ path }) => path)
}

/** The images whose paths begin with `prefix`, and the one at `path`; also removed ones, which may come back. */
export function imagesAt(db: ReadableDb, path: string, prefix: string): ImageFile[] {
  return statement<[string, string, string], ImageFile>(
    db,
    `SELECT image_id AS imageId, path, size_bytes AS sizeBytes, sha256 FROM image
     WHERE path = ? OR (path >= ? AND path < ?) ORDER BY path`,
  ).all(path, prefix, `${prefix}\u{10ffff}`)
}

/** An image and the place where its very bytes were found. */
export interface MovedImage {
  readonly imageId: number
  readonly path: string
  readonly modifiedMs: number
}

/** Gives images their new paths, all in one transaction. @returns those whose path another image has, which stay */
export function moveImages(db: WritableDb, moved: readonly MovedImage[]): MovedImage[] {
  return inTransaction(db, () => moved.filter((image) => !moveImage(db, { ...image, name: basename(image.path) })))
}
