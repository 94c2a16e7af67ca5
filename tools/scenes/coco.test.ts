import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { classes } from './classes.ts'
import { type CocoCaptions, type CocoInstances, cocoCaptions, cocoInstances } from './coco.ts'
import { drawJpeg } from './draw.ts'
import { sampleFolder, samples } from './makeSamples.ts'

const stored = (name: string): unknown => JSON.parse(readFileSync(join(sampleFolder, name), 'utf8'))
const instances = stored('annotations.json') as CocoInstances
const captions = stored('captions.json') as CocoCaptions

describe('the stored annotations', () => {
  it('are what the generator writes', async () => {
    expect(instances).toEqual(await cocoInstances(samples))
    expect(captions).toEqual(cocoCaptions(samples))
  })

  it('are COCO: unique ids, known images and categories, boxes inside their images', () => {
    const images = new Map(instances.images.map((image) => [image.id, image]))
    const categories = new Map(instances.categories.map((category) => [category.id, category]))
    expect(images.size).toBe(200)
    expect(categories.size).toBe(classes.length)
    expect(new Set(instances.annotations.map(({ id }) => id)).size).toBe(instances.annotations.length)
    for (const { image_id, category_id, bbox, area, iscrowd } of instances.annotations) {
      const image = images.get(image_id)!
      const [x, y, width, height] = bbox
      expect(categories.has(category_id)).toBe(true)
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0)
      expect(x + width).toBeLessThanOrEqual(image.width)
      expect(y + height).toBeLessThanOrEqual(image.height)
      expect(area).toBeGreaterThan(0)
      expect(area).toBeLessThanOrEqual(width * height)
      expect(iscrowd).toBe(0)
    }
  })

  it('hold what the scenes show and caption it', () => {
    for (const scene of samples.scenes) {
      const found = instances.annotations.filter(({ image_id }) => image_id === scene.index + 1)
      expect(found.map(({ category_id }) => category_id)).toEqual(
        scene.objects.map((object) => object.class.categoryId),
      )
      const { caption } = captions.annotations.find(({ image_id }) => image_id === scene.index + 1)!
      for (const object of scene.objects) expect(caption).toContain(object.class.phrase)
    }
  })
})

describe('the stored pictures', () => {
  it('are what the generator draws', async () => {
    for (const scene of samples.scenes.slice(0, 5)) {
      const drawn = await sharp(await drawJpeg(scene, samples.edge))
        .raw()
        .toBuffer()
      const kept = await sharp(join(sampleFolder, 'images', samples.fileName(scene)))
        .raw()
        .toBuffer()
      expect(kept.length).toBe(samples.edge ** 2 * 3)
      // Identical where they were made; another processor's arithmetic may round a few pixels otherwise.
      const changed = kept.filter((value, place) => Math.abs(value - drawn[place]!) > 2).length
      expect(changed / kept.length).toBeLessThan(0.001)
    }
  })
})
