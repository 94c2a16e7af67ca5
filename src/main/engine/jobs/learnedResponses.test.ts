// What the loop hands to a learner with its responses, on a short run of the demo model: why each ended, what its tokens
// were drawn from, and where its object words end.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { AlignJob } from '../../../shared/job.ts'
import { presetConfig } from '../../../shared/runConfig.ts'
import { identifyModels } from '../folder/modelIdentity.ts'
import { jobFileOf, jobModelsOf, jobVersion } from './jobInputs.ts'
import { MemoryJobStore } from './memoryStore.ts'
import { runJob } from './runJob.ts'
import { demoLexicon, demoModel, sampleScenes, shortConfig } from './testing/demoRun.ts'

test('responses come with their ends, their cuts and their mentions, and the step with its figures', async () => {
  const config = presetConfig('quick-look', {
    ...shortConfig,
    rollout: { ...shortConfig.rollout, maxNewTokens: 14, topP: 0.9 },
    optimiser: { ...shortConfig.optimiser, stepsPerRound: 1, discount: 'mention' },
    evaluation: { everySteps: 1, images: 4 },
  })
  const images = readdirSync(sampleScenes).sort().slice(0, 18)
  const folders = { model: demoModel, companion: join(demoModel, 'encoder') }
  const job: AlignJob = {
    ...{
      kind: 'align',
      ...jobVersion,
      name: 'short',
      preset: 'quick-look',
      config,
      seed: 3,
      threads: 1,
      device: 'cpu',
    },
    models: jobModelsOf(folders, await identifyModels(folders, null)),
    lexicon: await jobFileOf(demoLexicon),
    images: images.map((name, i) => {
      const path = join(sampleScenes, name)
      return { imageId: i + 1, path, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') }
    }),
    annotations: null,
  }
  const store = new MemoryJobStore()
  await runJob<'align'>(job, store, () => undefined)
  const { trained, update } = store.committed.at(-1) ?? { trained: [], update: null }
  expect(trained).toHaveLength(8)
  expect(new Set(trained.map(({ reason }) => reason))).toContain('length')
  for (const { tokens, kept, mentionEnds, opening, mentions, rewards, reason } of trained) {
    expect(kept).toHaveLength(tokens.length)
    expect(mentionEnds).toEqual(mentions.map((mention) => mention.tokens[1] - 1))
    expect(opening).toBe(Math.min(...mentions.map((mention) => mention.tokens[0])))
    const rewarded = [...rewards.keys()].filter((t) => rewards[t] !== 0)
    expect(mentionEnds).toEqual(expect.arrayContaining(rewarded))
    if (reason === 'length') expect(tokens).toHaveLength(14)
  }
  expect(trained.flatMap(({ mentionEnds }) => mentionEnds).length).toBeGreaterThan(8)
  // Sampled under cuts, and yet the ratio to the policy that answered is 1 at first.
  const { explainedVariance, klNatsLastEpoch } = update?.metrics ?? {}
  expect([explainedVariance, klNatsLastEpoch].every(Number.isFinite)).toBe(true)
  expect(update?.klNats).toBeCloseTo(0, 5)
}, 120_000)
