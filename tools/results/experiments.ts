// `npm run experiments`: every experiment of settings.ts on the demo world, its figures as JSON lines, and the tables of
// docs/results.md made from them. What has its lines already, of the same model, settings and split, is not run again, so
// it can be stopped at any moment and goes on with the run that it was in.
//
//   npm run experiments -- [--only NAME,...] [--seeds 1,2] [--split validation|test] [--test 500] [--threads 2] [--tables]
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { identifyModels } from '../../src/main/engine/folder/modelIdentity.ts'
import { splits } from '../demo-model/world.ts'
import { sampleFolder } from '../scenes/makeSamples.ts'
import { type SceneFolder, sceneFolder } from '../scenes/sceneFolder.ts'
import { type Alignment, alignOnScenes, compareOnScenes, placeboOf } from './alignScenes.ts'
import { type Line, lineOf } from './lines.ts'
import { removalLine } from './removal.ts'
import { configOf, type Experiment, experiments } from './settings.ts'
import { shuffleTextTower } from './shuffleTextTower.ts'
import { writeTables } from './tables.ts'

const root = join(import.meta.dirname, '../..')
const page = join(root, 'docs/results.md')
const lexicon = join(root, 'resources/lexicons/scene-objects.json')
const demoModel = join(root, 'resources/demo-model')

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seeds: { type: 'string' },
    split: { type: 'string', default: 'test' },
    test: { type: 'string', default: '500' },
    threads: { type: 'string', default: '2' },
    tables: { type: 'boolean', default: false },
  },
})
const file = join(root, `docs/results/${values.split}.jsonl`)
const scenes: SceneFolder = {
  images: join(sampleFolder, 'images'),
  annotations: join(sampleFolder, 'annotations.json'),
}

let shuffled: string | null = null
try {
  if (!values.tables) await runAll()
} finally {
  if (shuffled) rmSync(shuffled, { recursive: true, force: true })
}
writeTables(page, readLines())

async function runAll(): Promise<void> {
  mkdirSync(join(root, 'docs/results'), { recursive: true })
  const held = await sceneFolder(splits[values.split as keyof typeof splits].seed, Number(values.test))
  const { model } = await identifyModels({ model: demoModel, companion: join(demoModel, 'encoder') }, null)
  const wanted = values.only?.split(',')
  for (const experiment of experiments.filter(({ name }) => wanted?.includes(name) ?? true)) {
    for (const seed of values.seeds?.split(',').map(Number) ?? experiment.seeds) {
      const key = JSON.stringify([experiment.name, seed, configOf(experiment), model.weightsSha256, values.test])
      if (readLines().some((line) => line.key === key)) continue
      const lines = await runOne(experiment, seed, held, key)
      // All at once: an experiment that was stopped has no line and begins anew.
      appendFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    }
  }
}

async function runOne(experiment: Experiment, seed: number, held: SceneFolder, key: string): Promise<Line[]> {
  const model = experiment.model === 'demo' ? demoModel : await shuffledModel()
  const alignment: Alignment = {
    ...{ config: configOf(experiment), seed, lexicon, scenes, threads: Number(values.threads), mostScenes: 200 },
    folders: { model, companion: join(model, 'encoder') },
  }
  const startMs = performance.now()
  const aligned = await alignOnScenes(alignment, () => undefined)
  const seconds = (performance.now() - startMs) / 1000
  if (experiment.placebo) aligned.store.placebo = (await alignOnScenes(placeboOf(alignment), () => undefined)).store
  const steps = new Set(experiment.steps.map((step) => (step === 'best' ? aligned.best.step : step)))
  const lines: Line[] = []
  for (const step of [...steps].filter((one) => aligned.store.steps.includes(one))) {
    for (const strength of experiment.strengths) {
      const report = await compareOnScenes(aligned, step, held, strength)
      const removal = lines.length === 0 && experiment.name === 'default' ? removalLine(report.responses) : null
      lines.push(lineOf({ key, experiment: experiment.name, seed, step, strength, seconds }, aligned, report, removal))
      const { chairI, recall } = report.figures
      const fall = (100 * (chairI.relativeReduction.value ?? Number.NaN)).toFixed(1)
      const points = (100 * (recall.difference.value ?? Number.NaN)).toFixed(1)
      console.log(
        `${experiment.name}, seed ${seed}, step ${step}, strength ${strength}: CHAIR_i -${fall} %, recall ${points}`,
      )
    }
  }
  return lines
}

async function shuffledModel(): Promise<string> {
  if (!shuffled) {
    shuffled = mkdtempSync(join(tmpdir(), 'fisao-shuffled-'))
    await shuffleTextTower(demoModel, shuffled, 1)
  }
  return shuffled
}

function readLines(): Line[] {
  if (!existsSync(file)) return []
  const text = readFileSync(file, 'utf8').trim()
  return text === '' ? [] : text.split('\n').map((line): Line => JSON.parse(line))
}
