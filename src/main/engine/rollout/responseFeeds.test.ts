// What is scored is what was drawn, whatever was said.
import { expect, test } from 'vitest'
import { floatsOf } from '../graph/tensor.ts'
import { maxDifference } from '../models/testing/parityFixtures.ts'
import { imageFeaturesOf, openSequenceCase, runResponse } from '../models/testing/sequenceCase.ts'
import { Rng } from '../rng.ts'
import { Generator } from './generate.ts'
import { responseFeeds } from './responseFeeds.ts'

test('an image token in a response is a word like any other, as it was while it was said', async () => {
  const { source, fixture } = await openSequenceCase('clip-llama')
  const { imageTokenId, decoder } = source.config
  const features = await imageFeaturesOf(source, fixture)
  const prompt = {
    promptIds: fixture.json.prompts[0]?.input_ids as number[],
    imageFeatures: [features.values.slice(0, features.values.length / 2)],
  }
  // Drawn uniformly from the whole vocabulary, where the image's token begins at its share.
  const uniforms = [(imageTokenId + 0.5) / decoder.vocabSize, 0.1, 0.5]
  const rng = { uniform: () => uniforms.shift() as number, state: new Rng({ seed: 0 }).state }
  const generator = await Generator.open(source, { device: 'cpu', threads: 1, adapter: null })
  const sampling = { greedy: false, temperature: 1e6, topK: 0, topP: 1, repetitionPenalty: 1 }
  const stop = { endTokenIds: [], stopStrings: [], maxNewTokens: 3 }
  const [said] = await generator.generate([{ ...prompt, rng }], { sampling, stop, batchSize: 1 })
  await generator.release()
  expect(said?.tokens[0]).toBe(imageTokenId)
  const scored = await runResponse(
    source,
    responseFeeds(source.config, [{ ...prompt, tokens: said?.tokens ?? [] }], 1),
    {},
  )
  expect(maxDifference(floatsOf(scored, 'logProbs'), said?.logProbs as Float32Array)).toBeLessThan(1e-4)
})
