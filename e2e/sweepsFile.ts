// Makes a workspace with a sweep of two presets with three seeds and their placebos, the last of them stopped by a person, and
// beside it the folder of one that other machines carry out, of which a cell failed; on the app’s own runtime (see onRuntime in
// studio.ts): `sweepsFile.ts PATH`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setPinned, storeCheckpoint } from '../src/main/db/checkpoints.ts'
import { storeLook } from '../src/main/db/looks.ts'
import { storeMetrics } from '../src/main/db/metrics.ts'
import { saveModel } from '../src/main/db/models.ts'
import { closeWorkspace, createWorkspace, openWorkspace } from '../src/main/db/open.ts'
import { createRun, setRunState } from '../src/main/db/runs.ts'
import { storeSweep, storeSweepRun } from '../src/main/db/sweeps.ts'
import { seedLibrary } from '../src/main/db/testing/seedLibrary.ts'
import { version } from '../src/main/headless/version.ts'
import { picture } from '../src/main/library/testing/pictures.ts'
import type { Json, RunId } from '../src/shared/domain.ts'
import { presetConfig } from '../src/shared/runConfig.ts'
import { placeboName } from '../src/shared/sweep.ts'

const minuteMs = 60_000
const bestStep = 20
const [path = ''] = process.argv.slice(2)
createWorkspace(path)
const db = openWorkspace(path)
seedLibrary(db, 240, await Promise.all(Array.from({ length: 24 }, (_, number) => picture(number, 192))))
const modelId = saveModel(
  db,
  {
    ...{ folder: '/models/llava-tiny', name: 'llava-tiny', config: {}, weightsSha256: Buffer.alloc(32, 7) },
    ...{ companionFolder: '/models/llava-tiny/encoder', encoderVerified: true },
  },
  Date.now(),
)
const sweepId = '0d4f6a52-6f0e-4c0b-9a5e-3b1f6c9d8e77'
const madeMs = Date.now() - 90 * minuteMs
storeSweep(db, { sweepId, name: 'Street scenes', folder: null, createdAtMs: madeMs })
let cell = 0
for (const [preset, title, fall] of [
  ['quick-look', 'Quick look', 0.0031],
  ['thorough', 'Thorough', 0.0044],
] as const) {
  for (const seed of [1, 2, 3]) {
    cell++
    const name = `Street scenes, ${title}, seed ${seed}`
    const isLast = cell === 6
    const wave = Math.sin(seed * 2.3) / 1500
    addRun(name, preset, seed, false, isLast ? null : fall + wave)
    addRun(placeboName(name), preset, seed, true, isLast ? null : 0.001 - wave / 3)
  }
}
const folder = join(dirname(path), 'At night')
const sent = '5f2b8c14-93a7-4d6e-8b1f-7c0e9a4d2b36'
writeSent(folder)
storeSweep(db, { sweepId: sent, name: 'At night', folder, createdAtMs: madeMs - 600 * minuteMs })
closeWorkspace(db)

/** As the command and its cells write it. */
function writeSent(where: string): void {
  const madeBy = { version: 1, sweepId: sent, appVersion: version }
  const cells = [1, 2, 3, 4].map((one) => ({
    ...{ cell: one, name: `At night, seed ${one}`, jobSha256: String(one).repeat(64), placebo: false },
  }))
  const files: [string, string][] = [['sweep.json', JSON.stringify({ format: 'fisao-sweep', ...madeBy, cells })]]
  const error = {
    code: 'run.no-images',
    message: 'None of the images of this job can be read on this machine.',
    remedy: 'See to it that the machine has the folder of the images under the same path, and start submit.sh again.',
    where: '/shared/photos',
  }
  const failed = { cell: 2, jobSha256: '2'.repeat(64), host: 'node17', error }
  files.push(['cells/2/failure.json', JSON.stringify({ format: 'fisao-cell-failure', ...madeBy, ...failed })])
  files.push(['logs/2.log', 'cell 2 begins on node17\nreading 240 images\n/shared/photos/0001.jpg: no such file\n'])
  for (const [name, text] of files) {
    mkdirSync(dirname(join(where, name)), { recursive: true })
    writeFileSync(join(where, name), text)
  }
}

/** @param fall of the estimated rate at each step; null for a run that failed */
function addRun(
  name: string,
  preset: 'quick-look' | 'thorough',
  seed: number,
  isPlacebo: boolean,
  fall: number | null,
) {
  const verifier = isPlacebo ? ('placebo' as const) : ('own' as const)
  const config = presetConfig(preset, { reward: { verifier } }) as unknown as Json
  const runId = createRun(db, { modelId, name, preset, config, seed }, madeMs + cell)
  storeSweepRun(db, sweepId, { runId, cell })
  setRunState(db, runId, 'running', madeMs + cell * minuteMs)
  if (fall === null) return setRunState(db, runId, 'stopped', madeMs + cell * minuteMs)
  for (let step = 0; step <= 24; step += 4) commitLook(runId, step, seed, fall, isPlacebo ? 0.02 : 0.003)
  setRunState(db, runId, 'complete', madeMs + (cell + 5) * minuteMs)
}

function commitLook(runId: RunId, step: number, seed: number, fall: number, lost: number): void {
  const wave = Math.sin(step * 1.7 + seed) / 200
  const parts = { adapter: Uint8Array.of(step) }
  const checkpointId = storeCheckpoint(db, { runId, parentId: null, step, cursor: {}, summary: {}, parts }, step)
  if (step === bestStep) setPinned(db, checkpointId, true)
  storeMetrics(db, runId, step, { klNats: 0.0009 * step, meanReward: -0.6 + 0.05 * step })
  storeLook(db, runId, step, {
    ...{ step, hallucinationRate: 0.172 - fall * step + (step > 0 ? wave : 0), coverage: 2.98 - lost * step },
    ...{ meanWords: 16.8 - 0.02 * step, meanRepeatedMentions: 0.04 },
    ...(step > 0 && { isSound: true, change: { difference: -fall * step, standardError: 0.012, images: 80 } }),
  })
}
