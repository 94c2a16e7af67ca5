// How far the numbers that responses are drawn with are from those that they are learned with, on the demo model in 8 and 4
// bits. The learner's old log-probabilities are its own (ppo/ppoLearner.ts), so ratios begin at one whatever this is.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { FileFormat } from '../../../shared/baseFormat.ts'
import { presetConfig } from '../../../shared/runConfig.ts'
import { demoModel } from '../jobs/testing/demoRun.ts'
import { openBase } from '../models/baseFile.ts'
import { loraFeeds } from '../models/shared/lora.ts'
import { openVlm } from '../models/vlm.ts'
import { Rng } from '../rng.ts'
import { Generator } from '../rollout/generate.ts'
import { newPolicy } from './policy.ts'
import { ResponseScores } from './responseScores.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-policy-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const stored = await openVlm(demoModel)
const size = { width: stored.config.vision.imageSize, height: stored.config.vision.imageSize }
const { rows } = stored.architecture.imageLayout(stored.config, size)

/** Of responses drawn by the model in these numbers: log π as they were drawn, as they are scored, and in 32 bits. */
async function drawn(format: FileFormat) {
  const source = await openBase(stored, format, { folder })
  const config = presetConfig('quick-look')
  const policy = newPolicy(source, config, new Rng({ seed: 2 }))
  const rng = new Rng({ seed: 4 })
  const requests = Array.from({ length: 16 }, (_, i) => ({
    promptIds: [...new Array<number>(rows).fill(stored.config.imageTokenId), 20, 31, 42],
    imageFeatures: [Float32Array.from({ length: rows * stored.config.decoder.hiddenSize }, () => rng.uniform() - 0.5)],
    rng: rng.fork(i),
  }))
  const generator = await Generator.open(source, { device: 'cpu', threads: 1, adapter: { rank: config.adapter.rank } })
  const sampling = { greedy: false, temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 }
  const stop = { endTokenIds: [], stopStrings: [], maxNewTokens: 32 }
  const said = await generator.generate(
    requests,
    { sampling, stop, batchSize: 8 },
    { adapter: loraFeeds(policy.adapter) },
  )
  await generator.release()
  const responses = said.map(({ tokens, reason }, i) => ({ ...requests[i]!, tokens, reason }))
  const scored = async (of: typeof source) => {
    const options = { device: 'cpu', threads: 1, temperature: 1, amongKept: false, microBatchSize: 8 } as const
    const scores = await ResponseScores.open(of, policy, options)
    const { logProbs } = await scores.ofPolicy(responses)
    await scores.release()
    return logProbs.flatMap((row) => [...row])
  }
  const asDrawn = said.flatMap(({ logProbsAtTemperature }) => [...logProbsAtTemperature])
  return { asDrawn, asScored: await scored(source), inFull: await scored(stored) }
}

/** KL(p || q) in nats a token, from tokens drawn from p (Schulman's estimator k3), and the largest |log p - log q|. */
function apart(p: readonly number[], q: readonly number[]) {
  const logRatios = q.map((logQ, i) => logQ - (p[i] as number))
  const kl = logRatios.reduce((sum, x) => sum + (Math.expm1(x) - x), 0) / logRatios.length
  return { kl, largest: Math.max(...logRatios.map(Math.abs)) }
}

test.each([
  ['float32', 1e-9, 1e-9],
  ['int8', 1e-3, 5e-3],
  ['int4', 2e-3, 0.5],
] as const)('drawn in %s, responses are scored as they were drawn', async (format, mostOwn, mostOfFull) => {
  const { asDrawn, asScored, inFull } = await drawn(format)
  const [own, full] = [apart(asDrawn, asScored), apart(asScored, inFull)]
  process.stdout.write(`${format}: drawn and scored ${JSON.stringify(own)}, 32 bits ${JSON.stringify(full)}\n`)
  expect(own.kl).toBeLessThan(mostOwn)
  expect(full.kl).toBeLessThan(mostOfFull)
  // Rounding is there, where it is to be.
  if (format === 'float32') expect(own.largest).toBeLessThan(1e-4)
  else expect(full.kl).toBeGreaterThan(1e-7)
})
