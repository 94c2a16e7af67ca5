// `npm run samples`: draws the sample scenes and their annotations into resources/samples, the same every time.
// Evaluation reads the annotations; nothing that trains does.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { cocoCaptions, cocoInstances, type StoredScenes } from './coco.ts'
import { drawJpeg } from './draw.ts'
import { makeScene } from './scene.ts'

const sampleSeed = 20260
const sampleCount = 200
export const sampleFolder = join(import.meta.dirname, '../../resources/samples')

/** The scenes that come with the app, as `scene-0001.jpg` and so on. */
export const samples: StoredScenes = {
  scenes: Array.from({ length: sampleCount }, (_, index) => makeScene(sampleSeed, index)),
  edge: 384,
  fileName: ({ index }) => `scene-${String(index + 1).padStart(4, '0')}.jpg`,
}

async function makeSamples(): Promise<void> {
  const images = join(sampleFolder, 'images')
  rmSync(sampleFolder, { recursive: true, force: true })
  mkdirSync(images, { recursive: true })
  let sizeBytes = 0
  const startMs = performance.now()
  for (const scene of samples.scenes) {
    const jpeg = await drawJpeg(scene, samples.edge)
    writeFileSync(join(images, samples.fileName(scene)), jpeg)
    sizeBytes += jpeg.length
  }
  const perSecond = (sampleCount / (performance.now() - startMs)) * 1000
  writeFileSync(join(sampleFolder, 'annotations.json'), `${JSON.stringify(await cocoInstances(samples))}\n`)
  writeFileSync(join(sampleFolder, 'captions.json'), `${JSON.stringify(cocoCaptions(samples))}\n`)
  const megabytes = (sizeBytes / 1e6).toFixed(1)
  process.stdout.write(
    `${sampleCount} scenes of ${samples.edge} pixels, ${megabytes} MB, ${perSecond.toFixed(1)} a second\n`,
  )
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await makeSamples()
