// The icons of an installer, drawn from build/icons/fisao-studio.svg in every size that a desktop asks for.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { projectRoot } from '../runProgram.ts'

const drawing = join(projectRoot, 'build/icons/fisao-studio.svg')
/** Side lengths in pixels, as freedesktop.org's hicolor theme has folders for. */
export const iconSizes = [16, 24, 32, 48, 64, 128, 256, 512]

export async function drawIcon(size: number): Promise<Buffer> {
  // Loaded only when something is drawn: it does not bear the runtime of the tests, which has a GLib of its own.
  const { default: sharp } = await import('sharp')
  return await sharp(drawing, { density: (72 * size) / 512 })
    .resize(size, size)
    .png({ compressionLevel: 9 })
    .toBuffer()
}

/** Writes one PNG a size. @param place of the file for a size */
export async function writeIcons(place: (size: number) => string): Promise<void> {
  for (const size of iconSizes) {
    mkdirSync(dirname(place(size)), { recursive: true })
    writeFileSync(place(size), await drawIcon(size))
  }
}

/** A Windows icon file: a directory of 16 bytes an entry, then the pictures, which may be PNGs since Windows Vista. */
export async function windowsIcon(): Promise<Buffer> {
  const sizes = iconSizes.filter((size) => size <= 256)
  const pictures = await Promise.all(sizes.map(drawIcon))
  const head = Buffer.alloc(6 + 16 * sizes.length)
  head.writeUInt16LE(1, 2)
  head.writeUInt16LE(sizes.length, 4)
  let offset = head.length
  for (const [index, picture] of pictures.entries()) {
    const entry = 6 + 16 * index
    // 0 stands for 256.
    head.writeUInt8((sizes[index] ?? 0) % 256, entry)
    head.writeUInt8((sizes[index] ?? 0) % 256, entry + 1)
    head.writeUInt16LE(1, entry + 4)
    head.writeUInt16LE(32, entry + 6)
    head.writeUInt32LE(picture.length, entry + 8)
    head.writeUInt32LE(offset, entry + 12)
    offset += picture.length
  }
  return Buffer.concat([head, ...pictures])
}
