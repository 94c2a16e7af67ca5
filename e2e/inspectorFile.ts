// Makes a workspace with sample scenes and a run whose model described them as it came and aligned, on the app's own
// runtime (see onRuntime in studio.ts): `inspectorFile.ts PATH`, `inspectorFile.ts PATH WORDS` with responses that long.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setPinned, storeCheckpoint } from '../src/main/db/checkpoints.ts'
import type { WritableDb } from '../src/main/db/connection.ts'
import { insertImage } from '../src/main/db/images.ts'
import { createImport, setImportState } from '../src/main/db/imports.ts'
import { storeLook } from '../src/main/db/looks.ts'
import { saveModel } from '../src/main/db/models.ts'
import { closeWorkspace, createWorkspace, openWorkspace } from '../src/main/db/open.ts'
import { storeRollouts } from '../src/main/db/rollouts.ts'
import { sha256 } from '../src/main/db/rowHash.ts'
import { createRun, setCalibration, setRunState } from '../src/main/db/runs.ts'
import { sampleScenes } from '../src/main/engine/jobs/testing/demoRun.ts'
import type { CheckpointId, Json, RunId, SpanRecord } from '../src/shared/domain.ts'
import { presetConfig } from '../src/shared/runConfig.ts'

const baselines = { muGt: 0.362, muHal: 0.138 }
/** Scores of the first scene's words; every other word is too close to call. */
const scores: Readonly<Record<string, number>> = {
  ...{
    umbrella: 0.401,
    zebra: 0.433,
    bear: 0.352,
    elephant: 0.317,
    giraffe: 0.094,
    bench: 0.021,
    'traffic light': 0.112,
  },
  kite: 0.25,
}

const [path = '', wordCount = '0'] = process.argv.slice(2)
createWorkspace(path)
const db = openWorkspace(path)
addScenes(db, 12)
const modelId = saveModel(
  db,
  {
    ...{ folder: '/models/llava-tiny', name: 'llava-tiny', config: {}, weightsSha256: Buffer.alloc(32, 7) },
    ...{ companionFolder: '/models/llava-tiny/encoder', encoderVerified: true },
  },
  Date.now(),
)
const config = presetConfig('quick-look', { reward: { variant: 'paper', margin: 0.01 } })
const run = { modelId, name: 'Zoo and street', preset: 'quick-look', config: config as unknown as Json, seed: 1 }
const runId = createRun(db, run, Date.now() - 3_600_000)
setRunState(db, runId, 'running', Date.now() - 3_500_000)
setCalibration(db, runId, {
  responseCentre: null,
  calibration: {
    ...{ method: 'mixture', scores: 812, baselines, auroc: 0.968, overlap: 0.083, imageAuroc: 0.941, refusals: [] },
    ...{ separation: 0.97, grounded: null, hallucinated: null },
  },
})
const [came, aligned] = [0, 20].map((step) => {
  const parts = { adapter: Uint8Array.of(step) }
  const id = storeCheckpoint(db, { runId, parentId: null, step, cursor: {}, summary: {}, parts }, step)
  storeLook(db, runId, step, {
    ...{ step, hallucinationRate: 0.17 - step / 200, coverage: 3, meanWords: 17, meanRepeatedMentions: 0 },
    ...{ hallucinationRateLow: 0.1, hallucinationRateHigh: 0.2 },
  })
  return id
}) as [CheckpointId, CheckpointId]
setPinned(db, aligned, true)
const more = ' There is a kite.'.repeat(Math.ceil(Number(wordCount) / 4))
const texts = [
  `The image shows a zoo. There is an umbrella, a giraffe and a bear. In the background, there is a bench below a traffic light, and another bench.${more}`,
  `The image shows a zoo. There is an umbrella, a zebra and a bear. In the background, there is an elephant, a kite and a bench.${more}`,
]
for (let imageId = 2; imageId <= 12; imageId++) {
  describe(db, runId, came, imageId, 0, texts[0] as string)
  describe(db, runId, aligned, imageId, 20, texts[1] as string)
}
setRunState(db, runId, 'complete', Date.now())
closeWorkspace(db)

/** Scene 12 is the first of the grid, which shows the newest first; scene 1 has no response. */
function addScenes(target: WritableDb, count: number): void {
  const importId = createImport(target, sampleScenes, 1)
  const names = readdirSync(sampleScenes).sort().slice(0, count)
  // The first scene is the one that the responses are about.
  for (const name of [...names.slice(1), ...names.slice(0, 1)]) {
    const bytes = readFileSync(join(sampleScenes, name))
    insertImage(
      target,
      {
        ...{ importId, name, path: join(sampleScenes, name), sizeBytes: bytes.length, modifiedMs: 1 },
        ...{ sha256: sha256(bytes), width: 384, height: 384, format: 'jpeg' as const, thumbnail: bytes },
      },
      1,
    )
  }
  setImportState(target, importId, 'complete', 1)
}

function describe(
  target: WritableDb,
  ofRun: RunId,
  checkpointId: CheckpointId,
  imageId: number,
  step: number,
  text: string,
): void {
  const pieces = text.match(/\s?\w+|[^\w\s]/g) ?? []
  let textEnd = 0
  const tokens = pieces.map((piece, i) => {
    const textStart = textEnd
    textEnd += piece.length
    const logProb = -0.05 - ((i * 37) % 11) / 10
    const referenceLogProb = step === 0 ? logProb : logProb - ((i * 17) % 7) / 10 + 0.25
    return { ...{ tokenId: i % 500, textStart, textEnd, logProb, referenceLogProb }, reward: null }
  })
  const spans = pieces.flatMap((piece, i): SpanRecord[] => {
    const two = `${piece}${pieces[i + 1] ?? ''}`.trim()
    const word = two in scores ? two : piece.trim()
    const score = scores[word]
    if (score === undefined) return []
    const label =
      score > baselines.muGt + 0.01 ? 'grounded' : score < baselines.muHal - 0.01 ? 'hallucinated' : 'neutral'
    const reward =
      label === 'grounded' ? score - baselines.muGt : label === 'hallucinated' ? score - baselines.muHal : 0
    return [{ startPosition: i, endPosition: i + (word === two ? 2 : 1), word, score, reward, label }]
  })
  const place = { runId: ofRun, checkpointId, imageId, purpose: 'evaluation' as const, step }
  storeRollouts(target, [{ ...place, prompt: config.rollout.question, text, tokens, spans }], Date.now())
}
