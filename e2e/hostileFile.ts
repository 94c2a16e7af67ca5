// Makes a workspace in which every name and text is a hostile one, on the app's own runtime (see onRuntime in studio.ts):
// `hostileFile.ts PATH`. Each image bears one as its name and its tag; every tenth has responses that
// name ten; runs, models, evaluations and errors take every tenth.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setPinned, storeCheckpoint } from '../src/main/db/checkpoints.ts'
import { inTransaction } from '../src/main/db/connection.ts'
import { newEvaluation, setEvaluationState } from '../src/main/db/evaluations.ts'
import { insertImage } from '../src/main/db/images.ts'
import { createImport, setImportState } from '../src/main/db/imports.ts'
import { storeLook } from '../src/main/db/looks.ts'
import { saveModel } from '../src/main/db/models.ts'
import { closeWorkspace, createWorkspace, openWorkspace } from '../src/main/db/open.ts'
import { type NewRollout, storeRollouts } from '../src/main/db/rollouts.ts'
import { sha256 } from '../src/main/db/rowHash.ts'
import { createRun, setCalibration, setRunState } from '../src/main/db/runs.ts'
import { tagImages } from '../src/main/db/tags.ts'
import { sampleScenes } from '../src/main/engine/jobs/testing/demoRun.ts'
import type { Json, RunId, SpanRecord } from '../src/shared/domain.ts'
import { presetConfig } from '../src/shared/runConfig.ts'
import { hostileStrings } from '../src/shared/testing/hostileStrings.ts'

const [path = ''] = process.argv.slice(2)
const config = presetConfig('quick-look')
/** What is named in passing is named with every tenth of them. */
const some = hostileStrings.filter((_, i) => i % 10 === 0)
createWorkspace(path)
const db = openWorkspace(path)
const bytes = readFileSync(join(sampleScenes, 'scene-0001.jpg'))
inTransaction(db, () => {
  const importId = createImport(db, '/hostile', 1)
  for (const [i, name] of hostileStrings.entries()) {
    const image = {
      importId,
      name,
      path: `/hostile/${i}/${name}`,
      sizeBytes: 1,
      modifiedMs: 1,
      sha256: sha256(Buffer.from([i >> 8, i])),
    }
    const imageId = insertImage(db, { ...image, width: 384, height: 384, format: 'jpeg', thumbnail: bytes }, 1)
    if (imageId !== null && name.trim() !== '') tagImages(db, name, { imageIds: [imageId] })
  }
  setImportState(db, importId, 'complete', 1)
})
const models = some.map((name, i) =>
  saveModel(
    db,
    {
      ...{ folder: `/models/${i} ${name}`, name: name || ' ', config: {}, weightsSha256: Buffer.alloc(32, i) },
      ...{ companionFolder: `/models/encoder of ${name}`, encoderVerified: i % 2 === 0 },
    },
    Date.now() - i,
  ),
)
const runs = some.map((name, i) => {
  const run = { name: name || ' ', preset: 'quick-look', config: config as unknown as Json, seed: i }
  const runId = createRun(db, { ...run, modelId: models[i] ?? (models[0] as never) }, Date.now() - 3_600_000)
  setRunState(db, runId, 'running', Date.now() - 3_500_000)
  return runId
})
const [runId] = runs as [RunId]
setCalibration(db, runId, {
  responseCentre: null,
  calibration: {
    ...{ method: 'mixture', scores: 812, baselines: { muGt: 0.36, muHal: 0.14 }, auroc: 0.968, overlap: 0.083 },
    ...{ imageAuroc: 0.941, refusals: [], separation: 0.97, grounded: null, hallucinated: null },
  },
})
for (const step of [0, 20]) {
  const parts = { adapter: Uint8Array.of(step) }
  const checkpointId = storeCheckpoint(db, { runId, parentId: null, step, cursor: {}, summary: {}, parts }, step)
  storeLook(db, runId, step, {
    ...{ step, hallucinationRate: 0.17 - step / 200, coverage: 3, meanWords: 17, meanRepeatedMentions: 0 },
    ...{ hallucinationRateLow: 0.1, hallucinationRateHigh: 0.2 },
  })
  if (step > 0) setPinned(db, checkpointId, true)
  const place = { runId, checkpointId, purpose: 'evaluation' as const, step, prompt: config.rollout.question }
  const said = some.map((_, i) => ({
    ...place,
    imageId: 10 * i + 1,
    ...responseOf(hostileStrings.slice(10 * i, 10 * i + 10), step),
  }))
  storeRollouts(db, said, Date.now())
}
for (const [i, id] of runs.entries()) {
  const failure = {
    code: 'run.unexpected' as const,
    message: some[i] ?? '',
    remedy: some[i] ?? '',
    where: some[i] ?? '',
  }
  if (i % 3 === 0) setRunState(db, id, 'complete', Date.now())
  else setRunState(db, id, i % 3 === 1 ? 'paused' : 'failed', Date.now(), ...(i % 3 === 2 ? [failure] : []))
}
for (const text of some) {
  const name = text.trim().slice(0, 80) || 'x'
  const request = {
    ...{ name, prompt: name, maxNewTokens: null, policies: [{ from: 'run', runId, step: 0, strength: 1 }] },
    measure: { kind: 'chair', imageFolder: `/pictures/${name}`, annotationFile: `/pictures/${name}.json`, most: null },
  }
  const id = newEvaluation(db, { name, kind: 'chair', request: request as Json, names: [name] }, Date.now())
  setEvaluationState(
    db,
    id,
    'failed',
    { code: 'run.annotations', message: name, remedy: name, where: name },
    Date.now(),
  )
}
closeWorkspace(db)

/** Ten of the strings, each said to be an object that is not there, and one that is. */
function responseOf(words: readonly string[], step: number): Pick<NewRollout, 'text' | 'tokens' | 'spans'> {
  const there = step === 0 ? 'bench' : 'zebra'
  const pieces = [...words.flatMap((word) => [' and ', word]), ' and a ', there]
  let textEnd = 0
  const tokens = pieces.map((piece, i) => {
    const textStart = textEnd
    textEnd += piece.length
    return { tokenId: i, textStart, textEnd, logProb: -0.3, referenceLogProb: -0.4, reward: null }
  })
  const spans = [...words, there].flatMap((word, i): SpanRecord[] => {
    if (word.trim() === '') return []
    const place = { startPosition: 2 * i + 1, endPosition: 2 * i + 2, word, reward: 0 }
    return [
      word === there ? { ...place, score: 0.4, label: 'grounded' } : { ...place, score: 0.05, label: 'hallucinated' },
    ]
  })
  return { text: pieces.join(''), tokens, spans }
}
