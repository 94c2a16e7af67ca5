// The first stage from its seed to its folder. train.ts calls it; it can also be run alone while settings are chosen.
import { readDualEncoderConfig } from '../../src/main/engine/models/companion/config.ts'
import type { Vocabulary } from './bpe.ts'
import { contrastiveFeeds, contrastiveGraph, contrastiveRule, isCompanionParameter } from './contrastive.ts'
import { writeCompanionFiles, writeModelWeights } from './folders.ts'
import { initialise } from './initialise.ts'
import { openPictures } from './pictures.ts'
import { encoderOf } from './tokenizerFiles.ts'
import { BatchOrder, Trainer } from './trainer.ts'
import { type VerifierQuality, verifierQuality } from './verifierQuality.ts'
import { type SplitName, scenesOf, splits } from './world.ts'

export interface CompanionSettings {
  readonly seed: number
  readonly batch: number
  readonly steps: number
  readonly peakRate: number
  readonly threads: number
  /** Steps between two looks at the validation scenes. */
  readonly evaluateEvery: number
}

export const companionSettings: Omit<CompanionSettings, 'threads'> = {
  ...{ seed: 1, batch: 64, steps: 3000, peakRate: 1.5e-3, evaluateEvery: 500 },
}

export async function trainCompanion(
  folder: string,
  vocabulary: Vocabulary,
  settings: CompanionSettings,
  print: (line: string) => void,
): Promise<void> {
  const { seed, batch, steps, threads } = settings
  writeCompanionFiles(folder, vocabulary)
  const config = await readDualEncoderConfig(folder)
  const encode = encoderOf(vocabulary, 'companion')
  const pictures = await openPictures('train', threads)
  const scenes = scenesOf(splits.train)
  const { graph, parameters } = contrastiveGraph(config)
  const values = initialise(parameters, seed, contrastiveRule(config.vision.layers))
  const trainer = await Trainer.open(graph, parameters, values, {
    ...{ steps, peakRate: settings.peakRate, warmupSteps: Math.round(steps / 20), weightDecay: 0.02, threads },
  })
  const order = new BatchOrder(seed, scenes.length, batch)
  const sums: Record<string, number> = {}
  let startMs = performance.now()
  for (let step = 0; step < steps; step++) {
    const indices = order.next()
    const rows = indices.map((index) => scenes[index] as (typeof scenes)[number])
    const losses = await trainer.step(contrastiveFeeds(config, pictures, encode, { scenes: rows, indices, step }))
    for (const [name, value] of Object.entries(losses)) sums[name] = (sums[name] ?? 0) + (value[0] as number)
    if ((step + 1) % 100 === 0) {
      const means = Object.entries(sums).map(([name, sum]) => `${name} ${(sum / 100).toFixed(3)}`)
      print(`step ${step + 1}: ${means.join(', ')}, ${((performance.now() - startMs) / 1e5).toFixed(3)} s a step`)
      for (const name of Object.keys(sums)) sums[name] = 0
      startMs = performance.now()
    }
    if ((step + 1) % settings.evaluateEvery === 0 || step + 1 === steps) {
      await writeModelWeights(folder, { shapes: parameters, values: trainer.parameters }, (name) =>
        isCompanionParameter(name) ? name : null,
      )
      print(JSON.stringify(await evaluateCompanion(folder, vocabulary, 'validation', threads)))
      startMs = performance.now()
    }
  }
  await trainer.release()
}

/** @param split whose scenes are scored; `test` is for the figures alone */
export async function evaluateCompanion(
  folder: string,
  vocabulary: Vocabulary,
  split: SplitName,
  threads: number,
): Promise<VerifierQuality> {
  const pictures = await openPictures(split, threads)
  return await verifierQuality(folder, encoderOf(vocabulary, 'companion'), scenesOf(splits[split]), pictures, threads)
}

if (process.argv[1] === import.meta.filename) {
  const [folder, steps, peakRate] = process.argv.slice(2)
  const { demoVocabulary } = await import('./tokenizerFiles.ts')
  const settings = {
    ...companionSettings,
    steps: Number(steps ?? companionSettings.steps),
    peakRate: Number(peakRate ?? companionSettings.peakRate),
    threads: Number(process.env['THREADS'] ?? 1),
  }
  await trainCompanion(folder as string, demoVocabulary(), settings, (line) => void process.stdout.write(`${line}\n`))
}
