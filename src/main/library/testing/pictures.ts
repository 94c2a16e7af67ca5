// Folders of small, distinct pictures, good and bad, for the tests of the import.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Transformer } from '@napi-rs/image'

/** A JPEG of `edge` x `edge` pixels: coloured waves that differ for each number. */
export async function picture(number: number, edge = 96): Promise<Buffer> {
  const pixels = new Uint8Array(edge * edge * 4).fill(255)
  for (let i = 0; i < edge * edge; i++) {
    const [x, y] = [i % edge, Math.floor(i / edge)]
    for (let channel = 0; channel < 3; channel++) {
      const wave = Math.sin((x * (1 + (number % 7)) + y * (1 + (number % 11)) + number * (channel + 1)) / 17)
      pixels[i * 4 + channel] = Math.round(128 + 110 * wave)
    }
  }
  return await Transformer.fromRgbaPixels(pixels, edge, edge).jpeg(80)
}

/** Writes `count` pictures, a hundred to a folder. */
export async function makePictures(folder: string, count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    const below = join(folder, `set ${Math.floor(number / 100)}`)
    if (number % 100 === 0) mkdirSync(below, { recursive: true })
    writeFileSync(join(below, `picture ${String(number).padStart(5, '0')}.jpg`), await picture(number))
  }
}

/** Adds five files that an import must leave out, each for another reason, and one good one. */
export async function addBadPictures(folder: string): Promise<void> {
  const whole = await picture(1_000_003, 256)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'bad truncated.jpg'), whole.subarray(0, whole.length / 2))
  writeFileSync(join(folder, 'bad empty.png'), '')
  writeFileSync(join(folder, 'bad text.png'), 'Dear diary, this is not a picture.\n')
  writeFileSync(join(folder, 'bad huge.png'), await resizedHeader(30_000, 30_000))
  writeFileSync(join(folder, 'bad twin 1.jpg'), whole)
  writeFileSync(join(folder, 'bad twin 2.jpg'), whole)
}

/** A PNG whose header says another size than it has. */
async function resizedHeader(width: number, height: number): Promise<Buffer> {
  const bytes = await new Transformer(await picture(1)).png()
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(height, 20)
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29)
  return bytes
}

/** CRC-32 as PNG chunks carry it (PNG 1.2, appendix D); Node has it built in only from 22.2 on. */
export function crc32(bytes: Buffer): number {
  let register = 0xffffffff
  for (const byte of bytes) {
    register ^= byte
    for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ (register & 1 ? 0xedb88320 : 0)
  }
  return (register ^ 0xffffffff) >>> 0
}
