// Aligns on scenes with given settings and seeds and prints CHAIR before and after, as a table and as JSON lines:
//
//   npx tsx tools/results/measure.ts --seeds 1,2,3 --split validation --test 500 [--changes JSON] [--preset quick-look]
//     [--strengths 0.5,0.75,1] [--steps best|last|N,...] [--json FILE] [--model DIR] [--threads N] [--scenes N] [--placebo]
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ChairReport, FigureComparison } from '../../src/shared/evaluation.ts'
import { type PresetName, presetConfig } from '../../src/shared/runConfig.ts'
import { splits } from '../demo-model/world.ts'
import { sampleFolder } from '../scenes/makeSamples.ts'
import { sceneFolder } from '../scenes/sceneFolder.ts'
import { type Aligned, type Alignment, alignOnScenes, compareOnScenes, placeboOf } from './alignScenes.ts'

const resources = join(import.meta.dirname, '../../resources')

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    split: { type: 'string', default: 'validation' },
    test: { type: 'string', default: '300' },
    scenes: { type: 'string', default: '200' },
    preset: { type: 'string', default: 'quick-look' },
    changes: { type: 'string', default: '{}' },
    strengths: { type: 'string', default: '1' },
    steps: { type: 'string', default: 'best' },
    model: { type: 'string', default: join(resources, 'demo-model') },
    companion: { type: 'string' },
    threads: { type: 'string', default: '2' },
    json: { type: 'string' },
    placebo: { type: 'boolean', default: false },
  },
})

const lexicon = join(resources, 'lexicons/scene-objects.json')
const split = splits[values.split as keyof typeof splits]
const held = await sceneFolder(split.seed, Number(values.test))
const ownScenes = Number(values.scenes)
const scenes =
  ownScenes === 200
    ? { images: join(sampleFolder, 'images'), annotations: join(sampleFolder, 'annotations.json') }
    : await sceneFolder(splits.alignment.seed, ownScenes)
const config = presetConfig(values.preset as PresetName, JSON.parse(values.changes))

for (const seed of values.seeds.split(',').map(Number)) {
  const alignment: Alignment = {
    ...{ config, seed, lexicon, scenes, threads: Number(values.threads), mostScenes: ownScenes },
    folders: { model: values.model, companion: values.companion ?? join(values.model, 'encoder') },
  }
  const startMs = performance.now()
  const aligned = await alignOnScenes(alignment, (line) => console.log(`  ${line}`))
  const seconds = (performance.now() - startMs) / 1000
  if (values.placebo) aligned.store.placebo = (await alignOnScenes(placeboOf(alignment), () => undefined)).store
  const steps = values.steps
    .split(',')
    .map((name) => (name === 'best' ? aligned.best.step : name === 'last' ? aligned.steps : Number(name)))
  for (const step of steps) {
    if (!aligned.store.steps.includes(step)) {
      console.log(`seed ${seed}: the run had no look at step ${step}; it ended at ${aligned.steps}`)
      continue
    }
    for (const strength of values.strengths.split(',').map(Number)) {
      const report = await compareOnScenes(aligned, step, held, strength)
      console.log(
        `seed ${seed}, step ${step} of ${aligned.steps}, strength ${strength}, ${seconds.toFixed(0)} s: ${summary(report)}`,
      )
      if (report.placebo) console.log(`  placebo: ${placeboSummary(report.placebo)}`)
      if (values.json)
        appendFileSync(values.json, `${JSON.stringify(record(seed, strength, step, aligned, report, seconds))}\n`)
    }
  }
}

function summary({ figures, verifierAuroc }: ChairReport): string {
  const percent = (name: 'chairI' | 'chairS' | 'recall') => between(figures[name], 100)
  const reduction = figures.chairI.relativeReduction
  return [
    `CHAIR_i ${percent('chairI')} (-${interval(reduction, 100)} %)`,
    `CHAIR_s ${percent('chairS')}`,
    `recall ${percent('recall')}`,
    `words ${between(figures.meanLength, 1)}`,
    `repeats ${between(figures.repetition, 1, 2)}`,
    `AUROC ${verifierAuroc.value?.toFixed(3)}`,
  ].join(', ')
}

function placeboSummary({ figures, beyond }: NonNullable<ChairReport['placebo']>): string {
  return [
    `CHAIR_i ${between(figures.chairI, 100)} (-${interval(figures.chairI.relativeReduction, 100)} %)`,
    `recall ${between(figures.recall, 100)}`,
    `words ${between(figures.meanLength, 1)}`,
    `beyond it: CHAIR_i ${interval(beyond.chairI.difference, 100)} points, recall ${interval(beyond.recall.difference, 100)}`,
  ].join(', ')
}

function between({ before, after }: FigureComparison, factor: number, digits = 1): string {
  return `${((before.value ?? 0) * factor).toFixed(digits)} -> ${((after.value ?? 0) * factor).toFixed(digits)}`
}

function interval({ value, low, high }: FigureComparison['before'], factor: number): string {
  const [middle, from, to] = [value, low, high].map((one) => ((one ?? Number.NaN) * factor).toFixed(1))
  return `${middle} [${from}, ${to}]`
}

function record(seed: number, strength: number, step: number, aligned: Aligned, report: ChairReport, seconds: number) {
  const { job: _job, store: _store, tokens, ...rest } = aligned
  const { responses: _responses, ...figures } = report
  const sampled = { tokens: tokens.at(-1), tokensToStep: tokens[step] }
  return { seed, strength, step, seconds, config, ...rest, ...sampled, report: figures }
}
