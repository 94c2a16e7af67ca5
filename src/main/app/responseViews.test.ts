// What a page gets of responses and checkpoints: who said it, what judged it, and nothing that was not judged.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { checkpointViewSchema, greedy, responseViewDetailSchema, responseViewSchema } from '../../shared/describe.ts'
import type { CheckpointId, Json, RolloutId, RunId } from '../../shared/domain.ts'
import { presetConfig } from '../../shared/runConfig.ts'
import { setKept, setPinned, storeCheckpoint } from '../db/checkpoints.ts'
import { storeLook } from '../db/looks.ts'
import { storeRollouts } from '../db/rollouts.ts'
import { createRun, setCalibration } from '../db/runs.ts'
import { responseTo } from '../db/testing/responses.ts'
import { temporaryWorkspace } from '../db/testing/temporaryWorkspace.ts'
import { checkpointViews, responsesAt, responsesTo, responseView } from './responseViews.ts'

const found = (muGt: number, muHal: number) => ({ baselines: { muGt, muHal } })

/** A run whose looks are judged by 0.4 and 0.1, and whose second round trains by 0.5 and 0.2. */
function judgedRun() {
  const workspace = temporaryWorkspace()
  const { db, modelId } = workspace
  const config = presetConfig('paper', { reward: { margin: 0.05 } }) as unknown as Json
  const runId = createRun(db, { modelId, name: 'judged', preset: 'paper', config, seed: 1 }, 1)
  const calibration = { calibration: found(0.5, 0.2), yardstick: found(0.4, 0.1) }
  setCalibration(db, runId, calibration)
  const at = (step: number, parts = {}): CheckpointId =>
    storeCheckpoint(
      db,
      { runId, parentId: null, step, cursor: { calibration }, summary: { klNats: 0.25 }, parts },
      step,
    )
  return { ...workspace, runId, at }
}

test('a response says who said it, what judged it and which words repeat', () => {
  const { db, runId, at } = judgedRun()
  const checkpointId = at(8)
  const repeated = responseTo(1, 24, { runId, checkpointId, step: 8 })
  const spans = repeated.spans.map((span) => ({ ...span, word: 'zebra' }))
  const [looked, trained] = storeRollouts(
    db,
    [{ ...repeated, spans }, responseTo(1, 8, { runId, step: 8, purpose: 'training' })],
    1,
  ) as [RolloutId, RolloutId]
  const view = responseViewDetailSchema.parse(responseView(db, looked))
  expect(view).toMatchObject({
    ...{ name: 'judged', policy: { from: 'run', runId, step: 8, strength: 1 }, decoding: greedy, region: null },
    judging: { judged: true, muGt: 0.4, muHal: 0.1, margin: 0.05, variant: 'paper' },
  })
  expect(view.words.map(({ isRepeated }) => isRepeated)).toEqual([false, true, true])
  expect(view.words[0]).toMatchObject({ label: spans[0]?.label, reward: spans[0]?.reward, word: 'zebra' })
  // Training goes by the baselines of its round, and how it drew is its run's own.
  const training = responseView(db, trained)
  expect([training.decoding, training.judging]).toEqual([null, expect.objectContaining({ muGt: 0.5, muHal: 0.2 })])
  expect(responsesTo(db, 1).responses.map(({ rolloutId }) => rolloutId)).toEqual([looked])
  const samples = responsesAt(db, { runId, step: 8, purpose: 'training' }, { offset: 0, limit: 10 })
  expect(samples).toMatchObject({ total: 1, responses: [{ rolloutId: trained }] })
  expect(() => responseView(db, 99 as RolloutId)).toThrow(expect.objectContaining({ code: 'run.no-response' }))
})

test('a word of a look has a verdict and no reward', () => {
  const { db, runId, at } = judgedRun()
  const asked = responseTo(1, 8, { runId, checkpointId: at(8), step: 8 })
  const look = {
    ...responseTo(2, 8, { runId, checkpointId: asked.checkpointId, step: 8 }),
    tokens: asked.tokens.map((token) => ({ ...token, referenceLogProb: null })),
    spans: asked.spans.map((span) => ({ ...span, reward: 0 })),
  }
  const [described, looked] = storeRollouts(db, [asked, look], 1) as [RolloutId, RolloutId]
  const label = asked.spans[0]?.label
  expect(responseView(db, looked).words).toMatchObject([{ label, reward: null }])
  expect(responseView(db, described).words).toMatchObject([{ label, reward: asked.spans[0]?.reward }])
})

test('without a run, or with a verifier that cannot tell, words have scores and no verdict', () => {
  const { db, runId, modelId, at } = judgedRun()
  const alone = { ...responseTo(1, 8, { runId, purpose: 'trial' }), runId: null, modelId, isJudged: false }
  const own = responseTo(2, 8, { runId, checkpointId: at(0) })
  const [first, second] = storeRollouts(db, [alone, own], 1) as [RolloutId, RolloutId]
  const view = responseView(db, first)
  expect(view).toMatchObject({ name: 'tiny', policy: { from: 'model', modelId }, hallucinatedWords: null })
  expect(view.judging).toEqual({ judged: false, because: 'no-run' })
  expect(view.words[0]).toMatchObject({ label: null, reward: null, score: alone.spans[0]?.score })
  setCalibration(db, runId, { calibration: found(0.1, 0.4), yardstick: found(0.1, 0.4) })
  const blind = responseView(db, second)
  expect(blind.judging).toEqual({ judged: false, because: 'verifier-refused' })
  expect([blind.hallucinatedWords, blind.words[0]?.label]).toEqual([null, null])
  z.array(responseViewSchema).parse([...responsesTo(db, 1).responses, ...responsesTo(db, 2).responses])
})

test('the time line says which checkpoints are best, kept, still there, and how much they described', () => {
  const { db, runId, at } = judgedRun()
  const weights = { adapter: Uint8Array.of(1) }
  const [came, dropped, best] = [at(0), at(4), at(8, weights)]
  for (const step of [0, 4, 8]) storeLook(db, runId, step, { step })
  setPinned(db, best, true)
  setKept(db, dropped, true)
  storeRollouts(
    db,
    [1, 2].map((imageId) => responseTo(imageId, 8, { runId, checkpointId: best, step: 8 })),
    1,
  )
  const views = z.array(checkpointViewSchema).parse(checkpointViews(db, runId))
  expect(views.map(({ checkpointId }) => checkpointId)).toEqual([came, dropped, best])
  expect(views.map(({ hasWeights }) => hasWeights)).toEqual([true, false, true])
  expect(views.map(({ isPinned, isBest }) => [isPinned, isBest])).toEqual([
    [false, false],
    [true, false],
    [false, true],
  ])
  expect(views.map(({ describedImages }) => describedImages)).toEqual([0, 0, 2])
  expect(views[2]?.summary).toEqual({ klNats: 0.25, meanReward: null })
  expect(() => checkpointViews(db, 99 as RunId)).toThrow(expect.objectContaining({ code: 'run.missing' }))
})
