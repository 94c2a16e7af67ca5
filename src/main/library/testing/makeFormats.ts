// `npx tsx src/main/library/testing/makeFormats.ts`: the picture of each format in `formats/`, written by another
// library (libvips, through sharp) than the one that reads them in the product.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { picture } from './pictures.ts'

const folder = join(import.meta.dirname, 'formats')
const edge = 64
// Mostly red, so that swapped or inverted channels show.
const source = await sharp(await picture(5, edge))
  .linear([0.5, 0.4, 0.3], [120, 40, 5])
  .png()
  .toBuffer()

const makers: Readonly<Record<string, (image: Sharp) => Sharp>> = {
  'plain.png': (image) => image.png(),
  'sixteen-bit.png': (image) => image.toColourspace('rgb16').png(),
  'grey.jpg': (image) => image.greyscale().jpeg(),
  'cmyk.jpg': (image) => image.toColourspace('cmyk').jpeg({ quality: 90 }),
  'progressive.jpg': (image) => image.jpeg({ progressive: true, quality: 90 }),
  'plain.webp': (image) => image.webp({ quality: 90 }),
  'plain.avif': (image) => image.avif({ effort: 0, quality: 80 }),
  'lzw.tiff': (image) => image.tiff({ compression: 'lzw' }),
  // A photo that was taken on its side: 60 x 40 pixels are stored, a person sees 40 x 60.
  'turned.jpg': (image) => image.resize(60, 40, { fit: 'fill' }).withMetadata({ orientation: 6 }).jpeg(),
}

for (const [name, make] of Object.entries(makers))
  writeFileSync(join(folder, name), await make(sharp(source)).toBuffer())

/** Mean of red, green and blue as sharp sees them in sRGB. */
const means: Record<string, number[]> = {}
for (const name of Object.keys(makers)) {
  const { data, info } = await sharp(join(folder, name))
    .rotate()
    .toColourspace('srgb')
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  const sums = [0, 0, 0]
  for (let i = 0; i < info.width * info.height; i++) {
    for (let c = 0; c < 3; c++)
      sums[c] = (sums[c] as number) + (data[i * info.channels + (c % info.channels)] as number)
  }
  means[name] = sums.map((sum) => Math.round((sum / (info.width * info.height)) * 10) / 10)
}
writeFileSync(join(folder, 'means.json'), `${JSON.stringify(means, null, 2)}\n`)
