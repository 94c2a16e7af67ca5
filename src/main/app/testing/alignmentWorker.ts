// An engine process for the tests of the queue: speaks the engine's protocol and commits checkpoints and metrics to the
// real workspace file, but without a model. What goes wrong on the way stands in the name of the run.
import { setTimeout as delay } from 'node:timers/promises'
import type { RunId } from '../../../shared/domain.ts'
import { StudioError } from '../../../shared/errors.ts'
import { presetConfig, runConfigSchema, totalStepsOf } from '../../../shared/runConfig.ts'
import { engineMethods } from '../../../shared/workerProtocol.ts'
import { checkpointAtStep, lastCheckpoint, setPinned, storeCheckpoint } from '../../db/checkpoints.ts'
import { inTransaction, type WritableDb } from '../../db/connection.ts'
import { evaluationById, finishEvaluation, itemsWithout, storeAnswers, storeItems } from '../../db/evaluations.ts'
import { countImages, imageCount } from '../../db/images.ts'
import { storeLook } from '../../db/looks.ts'
import { storeMetrics } from '../../db/metrics.ts'
import { openWorkspace } from '../../db/open.ts'
import { countDescribed, imagesToDescribe, storeRollouts } from '../../db/rollouts.ts'
import { runById, setCalibration } from '../../db/runs.ts'
import { responseTo } from '../../db/testing/responses.ts'
import { serveMethods } from '../../worker/serveMethods.ts'

const calibration = {
  ...{ method: 'mixture', scores: 400, baselines: { muGt: 0.36, muHal: 0.14 }, auroc: 0.97, overlap: 0.08 },
  ...{ imageAuroc: 0.9, refusals: [] },
  grounded: { share: 0.8, mean: 0.36, standardDeviation: 0.08 },
  hallucinated: { share: 0.2, mean: 0.14, standardDeviation: 0.09 },
}

function commitStep(db: WritableDb, runId: RunId, step: number): void {
  inTransaction(db, () => {
    const hallucinationRate = 0.2 / (step + 1)
    const look = { step, hallucinationRate, coverage: 3, meanWords: 16, meanRepeatedMentions: 0.1 }
    const parts = { adapter: Uint8Array.of(step) }
    const checkpointId = storeCheckpoint(
      db,
      { runId, parentId: lastCheckpoint(db, runId)?.checkpointId ?? null, step, cursor: {}, summary: {}, parts },
      step,
    )
    db.prepare('UPDATE checkpoint SET pinned = 0 WHERE run_id = ?').run(runId)
    setPinned(db, checkpointId, true)
    storeLook(db, runId, step, look)
    setCalibration(db, runId, { calibration, yardstick: calibration, responseCentre: null })
    storeMetrics(db, runId, step, { klNats: step / 100, 'validation.hallucinationRate': hallucinationRate })
  })
}

function cancelled(): StudioError {
  return new StudioError({ code: 'run.cancelled', message: 'It was cancelled.', remedy: 'Resume it.' })
}

function refuse(): never {
  throw new StudioError({
    code: 'run.verifier-cannot-tell',
    message: 'The verifier cannot tell right words from hallucinated ones.',
    remedy: 'Choose the encoder that the model was made with.',
  })
}

serveMethods(
  engineMethods,
  {
    probeDevices: () => Promise.reject(new Error('not asked in these tests')),
    evaluateChair: () => Promise.reject(new Error('not asked in these tests')),
    async describeImage({ workspace, threads, question: { imageId, policy, prompt } }, { report, signal }) {
      if (prompt === 'die') process.abort()
      if (prompt === 'slow') {
        report({ text: '', tokens: 0, readied: 0.5 })
        await delay(20)
      }
      for (let tokens = 1; tokens <= (prompt === 'slow' ? 20 : 2); tokens++) {
        report({ text: prompt === 'threads' ? `${threads}` : 'a zebra'.slice(0, tokens), tokens, readied: null })
        await delay(20)
        if (signal.aborted) throw cancelled()
      }
      const db = openWorkspace(workspace)
      try {
        if (policy.from === 'model') throw new Error('not asked in these tests')
        const { runId, step } = policy
        const trial = responseTo(imageId, 8, { runId, step, purpose: 'trial', prompt: prompt ?? '' })
        return { rolloutId: storeRollouts(db, [trial], 1)[0]! }
      } finally {
        db.close()
      }
    },
    async describeLibrary({ workspace, runId, step, query }, { report, signal }) {
      const db = openWorkspace(workspace)
      try {
        const { checkpointId } = checkpointAtStep(db, runId, step)!
        const total = query === null ? imageCount(db) : countImages(db, query)
        for (;;) {
          const [next] = imagesToDescribe(db, checkpointId, 0, 1, query)
          const counts = { done: countDescribed(db, checkpointId, query), total, skipped: 0 }
          report({ ...counts, readied: null })
          if (!next) return counts
          await delay(20)
          if (signal.aborted) throw cancelled()
          storeRollouts(db, [responseTo(next.imageId, 8, { runId, step, checkpointId })], 1)
        }
      } finally {
        db.close()
      }
    },
    evidence: async ({ threads }) => ({ side: 1, values: [threads ?? 0], score: 0, frame }),
    async evaluate({ workspace, threads, evaluationId }, { report, signal }) {
      const db = openWorkspace(workspace)
      try {
        const record = evaluationById(db, evaluationId)!
        if (record.facts === null) {
          const item = { imageId: null, question: null, truth: null }
          const items = Array.from({ length: 20 }, (_, n) => ({ item: n, path: `/${n}.jpg`, name: `${n}`, ...item }))
          storeItems(db, evaluationId, items, {})
        }
        if (record.name === 'fails')
          throw new StudioError({ code: 'run.pope', message: 'No.', remedy: 'Choose another.' })
        for (const { item } of itemsWithout(db, evaluationId, 0, -1, 100)) {
          await delay(record.name === 'slow' ? 20 : 1)
          if (signal.aborted) {
            throw new StudioError({ code: 'run.cancelled', message: 'It was cancelled.', remedy: 'Resume it.' })
          }
          const verdict = {
            answer: null,
            isRight: null,
            named: 0,
            hallucinated: 0,
            missed: 0,
            counts: [],
            concepts: [],
          }
          const answers = [{ item, text: `answered with ${threads} threads`, words: [], ...verdict }]
          storeAnswers(db, evaluationId, 0, { answers, unreadable: [] })
          report({ phase: 'answering', done: item + 1, total: 20, readied: null })
        }
        const figures = { figures: [], differences: [], resamples: 1, answers: 20 }
        finishEvaluation(db, evaluationId, { figures, concepts: [] }, 5)
        return {}
      } finally {
        db.close()
      }
    },
    exportRun: () => Promise.reject(new Error('not asked in these tests')),
    describeModel: ({ folder }) => Promise.reject(gone(folder)),
    async checkRun(_, { report, signal }) {
      report({ phase: 'opening', share: 0 })
      for (let share = 0; share < 1 && !signal.aborted; share += 0.05) {
        await delay(20)
        report({ phase: 'rollout', share })
      }
      if (signal.aborted) {
        throw new StudioError({ code: 'run.cancelled', message: 'It was cancelled.', remedy: 'Check again.' })
      }
      return measured
    },
    inspectModel: async ({ folder, companionFolder }) => ({
      ...{ name: 'tiny', config: { folder }, parameters: 1, imageTokens: 1 },
      weightsSha256: (folder.endsWith('another') ? 'ef' : 'ab').repeat(32),
      encoder: companionFolder === null ? null : inspectedEncoder(companionFolder),
    }),
    async runAlignment({ workspace, runId }, { report, signal }) {
      const db = openWorkspace(workspace)
      try {
        const { name, config } = runById(db, runId)!
        const { calibration: asked, ...settings } = runConfigSchema.parse(config)
        const totalSteps = totalStepsOf({ ...presetConfig('quick-look'), ...settings })
        if (name === 'refused' && !asked.goOnRefused) refuse()
        for (let step = (lastCheckpoint(db, runId)?.step ?? -1) + 1; step <= totalSteps; step++) {
          report({ phase: 'rollout', step, totalSteps, remainingMs: null })
          report({ phase: 'update', step, totalSteps, remainingMs: null })
          await delay(name === 'slow' ? 40 : 2)
          if (signal.aborted) {
            throw cancelled()
          }
          if (name === 'dies at 2' && step === 2) process.abort()
          commitStep(db, runId, step)
          if (name === 'dies after each step') process.abort()
        }
        return { steps: totalSteps, bestStep: totalSteps, outcome: '' }
      } finally {
        db.close()
      }
    },
  },
  {
    postMessage: (message) => void process.send?.(message),
    onMessage: (listener) => void process.on('message', listener),
  },
)

function inspectedEncoder(folder: string) {
  const isOther = folder.endsWith('other')
  const outcome = isOther ? ('different' as const) : ('identical' as const)
  return { weightsSha256: 'cd'.repeat(32), outcome, difference: isOther ? 'layer 0: 8 here, 16 there' : null }
}

function gone(folder: string): StudioError {
  return new StudioError({ code: 'model.missing-file', message: 'It is gone.', remedy: 'Relink it.', where: folder })
}

const frame = { x: 0, y: 0, width: 1, height: 1 }

const of = (value: number) => ({ value, low: value, high: value })
const measured = {
  ...{ device: 'cpu' as const, durationMs: 1, responses: 4, steps: 1 },
  time: { totalSteps: 64, stepMs: of(1000), totalMs: of(64_000) },
  memory: { peakBytes: 1e9, expectedBytes: 1e9, machineBytes: 8e9, availableBytes: 4e9, deviceBytes: null },
  disk: { checkpointBytes: 1e6, checkpoints: 5, responseBytes: 1e6, totalBytes: 6e6, freeBytes: 1e9 },
  verifier: { outcome: 'not-enough' as const, auroc: null, scores: 3, leastScores: 64 },
}
