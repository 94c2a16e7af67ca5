// `npm run demo:train`: the demo model from its seeds to resources/demo-model, by this project's own engine: the
// vocabulary, the pictures, the companion's towers, the language model, its folders, its figures and its card.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { modelCard, type TrainingRecord } from './modelCard.ts'
import { demoVocabulary } from './tokenizerFiles.ts'
import { companionSettings, evaluateCompanion, trainCompanion } from './trainCompanion.ts'
import { evaluateVlm, trainVlm, vlmSettings } from './trainVlm.ts'

export const modelFolder = join(import.meta.dirname, '../../resources/demo-model')
/** Of {@link modelFolder}. */
const companionName = 'encoder'

async function train(): Promise<void> {
  const threads = Math.min(2, availableParallelism())
  const startMs = performance.now()
  const elapsedS = () => (performance.now() - startMs) / 1000
  const print = (line: string) => void process.stdout.write(`${elapsedS().toFixed(0).padStart(5)} s  ${line}\n`)
  const work = mkdtempSync(join(tmpdir(), 'fisao-demo-model-'))
  const companion = join(work, companionName)
  const vocabulary = demoVocabulary()
  print(`${vocabulary.tokens.length} tokens; first the companion's towers`)
  await trainCompanion(companion, vocabulary, { ...companionSettings, threads }, print)
  const towersS = elapsedS()
  print('now the language model')
  await trainVlm(work, companion, vocabulary, { ...vlmSettings, threads }, print)
  const trainedS = elapsedS()
  const record: TrainingRecord = {
    machine: `${cpus()[0]?.model ?? 'unknown processor'}, ${threads} threads`,
    towersS,
    languageModelS: trainedS - towersS,
    companion: companionSettings,
    vlm: vlmSettings,
    verifier: await evaluateCompanion(companion, vocabulary, 'test', threads),
    greedy: await evaluateVlm(work, companion, vocabulary, { split: 'test', count: 1000, threads, greedy: true }),
    sampled: await evaluateVlm(work, companion, vocabulary, { split: 'test', count: 1000, threads, greedy: false }),
  }
  writeFileSync(join(work, 'README.md'), modelCard(record))
  rmSync(modelFolder, { recursive: true, force: true })
  mkdirSync(modelFolder, { recursive: true })
  cpSync(work, modelFolder, { recursive: true })
  rmSync(work, { recursive: true })
  print(modelCard(record))
}

if (process.argv[1] === import.meta.filename) await train()
