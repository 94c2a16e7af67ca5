// Picture files as people have them, with what Pillow makes of each (tools/parity/make_picture_files.py).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'

export interface PictureFile {
  readonly name: string
  readonly path: string
  readonly width: number
  readonly height: number
  /** Levels [height, width, 3]. */
  readonly rgb: Uint8Array
}

export const pictureFolder = join(import.meta.dirname, '../../../../tools/parity/fixtures/picture-files')

const expected: Record<string, { width: number; height: number; rgb: string }> = JSON.parse(
  readFileSync(join(pictureFolder, 'expected.json'), 'utf8'),
)

export const pictureFiles: readonly PictureFile[] = Object.entries(expected).map(([name, { width, height, rgb }]) => ({
  ...{ name, path: join(pictureFolder, name), width, height },
  rgb: new Uint8Array(inflateSync(Buffer.from(rgb, 'base64'))),
}))
