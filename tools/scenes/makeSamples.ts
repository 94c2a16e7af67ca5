// `npm run samples`: draws the sample scenes and their annotations into resources/samples, the same every time.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { cocoAnnotations } from './coco.ts'
import { drawJpeg } from './draw.ts'
import { makeScene, type Scene } from './scene.ts'

export const sampleSeed = 20260
export const sampleCount = 200
export const sampleEdge = 384
export const sampleFolder = join(import.meta.dirname, '../../resources/samples')

/** `scene-0001.jpg` for the first scene. */
export function sampleFileName({ index }: Scene): string {
  return `scene-${String(index + 1).padStart(4, '0')}.jpg`
}

async function makeSamples(): Promise<void> {
  const images = join(sampleFolder, 'images')
  rmSync(sampleFolder, { recursive: true, force: true })
  mkdirSync(images, { recursive: true })
  const scenes = Array.from({ length: sampleCount }, (_, index) => makeScene(sampleSeed, index))
  const startMs = performance.now()
  for (const scene of scenes) writeFileSync(join(images, sampleFileName(scene)), await drawJpeg(scene, sampleEdge))
  const perSecond = (sampleCount / (performance.now() - startMs)) * 1000
  const annotations = cocoAnnotations(scenes, sampleEdge, sampleFileName)
  writeFileSync(join(sampleFolder, 'annotations.json'), `${JSON.stringify(annotations)}\n`)
  process.stdout.write(`${sampleCount} scenes of ${sampleEdge} pixels at ${perSecond.toFixed(1)} a second\n`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await makeSamples()
