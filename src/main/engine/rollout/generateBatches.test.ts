// Rows of one batch that share a prompt, an image, or neither: each answers as it would alone. generate.test.ts compares
// the answers themselves with transformers.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { floatsOf } from '../graph/tensor.ts'
import { openSequenceCase } from '../models/testing/sequenceCase.ts'
import { Rng } from '../rng.ts'
import { type GenerationSettings, Generator, type RolloutRequest } from './generate.ts'

let generator: Generator
let images: Float32Array[]
let place: number[]
beforeAll(async () => {
  const { source, feeds } = await openSequenceCase('clip-llama')
  const { decoder, imageTokenId } = source.config
  const features = floatsOf(feeds, 'image_features')
  const size = features.length / 2
  images = [0, 1].map((i) => features.slice(i * size, (i + 1) * size))
  place = new Array(size / decoder.hiddenSize).fill(imageTokenId)
  generator = await Generator.open(source, { device: 'cpu', threads: 1, adapter: null })
})
afterAll(() => generator.release())

const settings = (batchSize: number): GenerationSettings => ({
  sampling: { greedy: true, temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 },
  stop: { endTokenIds: [], stopStrings: [], maxNewTokens: 6 },
  batchSize,
})
const request = (image: number, ...words: number[]): RolloutRequest => ({
  promptIds: [1, ...place, ...words],
  imageFeatures: [images[image] as Float32Array],
  rng: new Rng({ seed: 1 }),
})
/** Every image with prompts of one length and of others, some of them twice. */
const requests = () => [
  ...[request(0, 13, 20), request(1, 13, 20), request(0, 13, 21), request(1, 13, 21)],
  ...[request(0, 13), request(0, 13, 20), request(1, 13, 20), request(0, 13, 20, 30)],
]

test('a row answers by its own image and its own words, whatever rows it shares a batch with', async () => {
  const alone: { tokens: readonly number[]; logProbs: Float32Array }[] = []
  for (const one of requests()) alone.push(...(await generator.generate([one], settings(1))))
  const together = await generator.generate(requests(), settings(8))
  for (const [i, { tokens, logProbs }] of together.entries()) {
    expect(tokens, `row ${i}`).toEqual(alone[i]?.tokens)
    expect([...logProbs]).toEqual([...(alone[i]?.logProbs ?? [])].map((x) => expect.closeTo(x, 4)))
  }
  // Neither the image nor the words may be left out of the comparison of prompts.
  const likelihoods = [0, 1, 2].map((i) => alone[i]?.logProbs[0] as number)
  expect(Math.abs((likelihoods[0] ?? 0) - (likelihoods[1] ?? 0))).toBeGreaterThan(1e-3)
  expect(Math.abs((likelihoods[0] ?? 0) - (likelihoods[2] ?? 0))).toBeGreaterThan(1e-3)
})

test('tokens are told of by the number of their request, over all batches', async () => {
  const told = requests().map((): number[] => [])
  const onToken = ({ request: row, token }: { request: number; token: number }) => void told[row]?.push(token)
  const responses = await generator.generate(requests(), settings(3), { onToken })
  expect(told).toEqual(responses.map(({ tokens }) => tokens))
})

test('greedy rows draw no random number', async () => {
  const [response] = await generator.generate([request(0, 13)], settings(1))
  expect(response?.rngState).toEqual(new Rng({ seed: 1 }).state)
})
