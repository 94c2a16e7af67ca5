// A small model decodes with packed weights in one session for any number of rows, a larger one in two from its file; both
// draw the same.
import { expect, test } from 'vitest'
import { OrtSession } from '../graph/ortSession.ts'
import { readFixture } from '../models/testing/parityFixtures.ts'
import { openVlm } from '../models/vlm.ts'
import { Rng } from '../rng.ts'
import { Generator, generatorGraphs } from './generate.ts'
import { packsWeights } from './packedWeights.ts'

const source = await openVlm((await readFixture('clip-llama')).folder)

test('tokens and log-probabilities are those of weights that lie in their file, from a session less', async () => {
  const graphs = generatorGraphs(source, null, 'cpu')
  const drawn = async (isPacked: boolean) => {
    const generator = await Generator.of({ ...graphs, isPacked }, { device: 'cpu', threads: 1 })
    const requests = [0, 1, 2].map((row) => ({
      ...{ promptIds: [1, 5 + row, 9], imageFeatures: [], rng: new Rng({ seed: row }) },
    }))
    const sampling = { greedy: false, temperature: 0.8, topK: 0, topP: 1, repetitionPenalty: 1 }
    const stop = { endTokenIds: [], stopStrings: [], maxNewTokens: 8 }
    const said = await generator.generate(requests, { sampling, stop, batchSize: 3 })
    const sessions = OrtSession.openCount
    await generator.release()
    return {
      sessions,
      tokens: said.map(({ tokens }) => tokens),
      logProbs: said.flatMap(({ logProbs }) => [...logProbs]),
    }
  }
  expect(graphs.isPacked).toBe(true)
  const [packed, mapped] = [await drawn(true), await drawn(false)]
  expect([packed.sessions, mapped.sessions]).toEqual([2, 3])
  expect(packed.tokens).toEqual(mapped.tokens)
  packed.logProbs.forEach((logProb, i) => {
    expect(logProb).toBeCloseTo(mapped.logProbs[i] as number, 4)
  })
})

test('a model whose second copy would matter is left in its file', () => {
  const { config } = source
  const ofWidth = (hiddenSize: number) => ({ ...config, decoder: { ...config.decoder, hiddenSize, layers: 12 } })
  expect(packsWeights({ ...source, config: ofWidth(512) })).toBe(true)
  expect(packsWeights({ ...source, config: ofWidth(65_536) })).toBe(false)
})
