// A folder of scenes as a person would have it: JPEG files and a COCO file beside them, drawn once and kept in the
// user's cache. The demo's held-out scenes and the measurements of tools/results come from here.
import { fork } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { cached } from '../../scripts/setup/cache.ts'
import { cocoInstances, type StoredScenes } from './coco.ts'
import { drawJpeg } from './draw.ts'
import { makeScene } from './scene.ts'

/** Raised when the drawing changes. */
const version = 1
const edge = 384

export interface SceneFolder {
  /** The pictures. */
  readonly images: string
  readonly annotations: string
}

/** The first `count` scenes of a seed. */
export async function sceneFolder(seed: number, count: number): Promise<SceneFolder> {
  const folder = await cached(`scenes-v${version}-${seed}-${count}`, 'annotations.json', async (target) => {
    mkdirSync(join(target, 'images'))
    const processes = Math.min(2, availableParallelism())
    const share = Math.ceil(count / processes)
    await Promise.all(
      Array.from({ length: processes }, (_, i) => drawApart(target, seed, i * share, Math.min(count, (i + 1) * share))),
    )
    writeFileSync(
      join(target, 'annotations.json'),
      `${JSON.stringify(await cocoInstances(storedScenes(seed, 0, count)))}\n`,
    )
  })
  return { images: join(folder, 'images'), annotations: join(folder, 'annotations.json') }
}

function storedScenes(seed: number, start: number, end: number): StoredScenes {
  return {
    scenes: Array.from({ length: end - start }, (_, i) => makeScene(seed, start + i)),
    edge,
    fileName: ({ index }) => `scene-${seed}-${String(index + 1).padStart(4, '0')}.jpg`,
  }
}

function drawApart(folder: string, seed: number, start: number, end: number): Promise<void> {
  // The loader is named because not every parent has one that a child inherits, such as a test of Playwright.
  const execArgv = ['--import', import.meta.resolve('tsx')]
  const child = fork(import.meta.filename, [folder, `${seed}`, `${start}`, `${end}`], { execArgv })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`drawing ended with ${code}`))))
  })
}

async function drawRange(folder: string, seed: number, start: number, end: number): Promise<void> {
  sharp.concurrency(1)
  const { scenes, fileName } = storedScenes(seed, start, end)
  for (const scene of scenes) writeFileSync(join(folder, 'images', fileName(scene)), await drawJpeg(scene, edge))
}

if (process.argv[1] === import.meta.filename) {
  const [folder, seed, start, end] = process.argv.slice(2) as [string, string, string, string]
  await drawRange(folder, Number(seed), Number(start), Number(end))
}
