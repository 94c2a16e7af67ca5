// Rollouts of the tiny checkpoints against transformers' generate: greedy, and sampled with given uniform numbers.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readAdapter } from '../folder/peft.ts'
import { tensor } from '../graph/ortSession.ts'
import { floatsOf } from '../graph/tensor.ts'
import { byDecoderPath, loraFeeds } from '../models/shared/lora.ts'
import { featureFeeds, padTokens, sequenceFeeds } from '../models/shared/sequenceFeeds.ts'
import { floats, integers, maxDifference, type ParityFixture, readFixture } from '../models/testing/parityFixtures.ts'
import {
  imageFeaturesOf,
  oneImageEach,
  plainFixtures,
  rowFeeds,
  runResponse,
  tokenBatch,
  trainedFixtures,
} from '../models/testing/sequenceCase.ts'
import { openVlm } from '../models/vlm.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'
import { Rng } from '../rng.ts'
import { type GenerationSettings, Generator, type Response, type RolloutRequest } from './generate.ts'
import type { SamplingSettings } from './sampler.ts'

const greedy: SamplingSettings = { greedy: true, temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 }
const sampled: SamplingSettings = { ...greedy, greedy: false, temperature: 0.8 }

interface Opened {
  readonly fixture: ParityFixture
  readonly source: VlmSource
  readonly generator: Generator
  readonly prompts: readonly Omit<RolloutRequest, 'rng'>[]
}

const opened = new Map<string, Opened>()
beforeAll(async () => {
  for (const name of plainFixtures) opened.set(name, await open(name))
})
afterAll(async () => {
  for (const { generator } of opened.values()) await generator.release()
})
const get = (name: string): Opened => opened.get(name) as Opened

async function open(name: string): Promise<Opened> {
  const fixture = await readFixture(name)
  const source = await openVlm(fixture.folder)
  const rank = trainedFixtures.includes(name) ? 4 : null
  const adapter = rank ? { rank } : null
  const generator = await Generator.open(source, { device: 'cpu', threads: 1, adapter })
  const features = await imageFeaturesOf(source, fixture)
  const { seq, ids, mask } = tokenBatch(fixture, 'prompt')
  const width = source.config.decoder.hiddenSize
  const prompts = oneImageEach(fixture, features).map((images, row) => ({
    promptIds: [...ids.subarray(row * seq, (row + 1) * seq)].filter((_, column) => mask[row * seq + column]),
    imageFeatures: images.map(({ first, count }) => features.values.slice(first * width, (first + count) * width)),
  }))
  return { fixture, source, generator, prompts }
}

function settingsFor(
  { source }: Opened,
  sampling: SamplingSettings,
  maxNewTokens: number,
  batchSize = 8,
): GenerationSettings {
  return { sampling, batchSize, stop: { endTokenIds: source.config.endTokenIds, stopStrings: [], maxNewTokens } }
}

/** The adapter's inputs, without any effect unless `strength` says so. */
async function adapterOf(name: string, strength = 0) {
  if (!trainedFixtures.includes(name)) return {}
  const adapter = byDecoderPath(get(name).source.architecture, await readAdapter(`${get(name).fixture.folder}/adapter`))
  return { adapter: loraFeeds(adapter, strength) }
}

const tokensOf = (responses: readonly Response[]) => responses.map(({ tokens }) => tokens)

describe.each(plainFixtures)('%s', (name) => {
  test('greedy tokens are those of transformers, at batch 1, 2 and 8 alike', async () => {
    const { fixture, source, generator, prompts } = get(name)
    const { shape } = fixture.get('greedy.tokens')
    const steps = shape[1] as number
    const expected = prompts.map((_, row) => {
      const tokens = integers(fixture.get('greedy.tokens')).slice(row * steps, (row + 1) * steps)
      const end = tokens.findIndex((token) => source.config.endTokenIds.includes(token))
      return end < 0 ? tokens : tokens.slice(0, end + 1)
    })
    const requests = prompts.map((prompt) => ({ ...prompt, rng: new Rng({ seed: 1 }) }))
    for (const batchSize of [1, 2, 8]) {
      const all = Array.from({ length: 8 }, (_, i) => requests[i % 2] as RolloutRequest)
      const settings = settingsFor(get(name), greedy, steps, batchSize)
      const responses = await generator.generate(all, settings, await adapterOf(name))
      expect(tokensOf(responses)).toEqual(all.map((_, i) => expected[i % 2]))
    }
  })

  test('sampled tokens and their log-probabilities are those of transformers', async () => {
    const { fixture, generator, prompts } = get(name)
    for (const [number, setting] of fixture.json.sampling.entries()) {
      const { temperature, top_k, top_p, repetition_penalty } = setting
      const sampling = {
        ...{ greedy: false, temperature },
        ...{ topK: top_k, topP: top_p, repetitionPenalty: repetition_penalty },
      }
      const expected = (row: number, part: string) => fixture.get(`sampled.${number}.${row}.${part}`)
      const requests = prompts.map((prompt, row) => {
        const uniforms = floats64(fixture, `sampled.${number}.${row}.uniforms`)
        let drawn = 0
        return { ...prompt, rng: { uniform: () => uniforms[drawn++] as number, state: new Rng({ seed: 0 }).state } }
      })
      const settings = settingsFor(get(name), sampling, 20)
      const responses = await generator.generate(requests, settings, await adapterOf(name))
      responses.forEach(({ tokens, logProbs, logProbsAtTemperature }, row) => {
        expect(tokens).toEqual(integers(expected(row, 'tokens')))
        expect(maxDifference(logProbs, floats(expected(row, 'logprobs')))).toBeLessThan(1e-4)
        const atTemperature = floats(expected(row, 'logprobs_at_temperature'))
        expect(maxDifference(logProbsAtTemperature, atTemperature)).toBeLessThan(1e-4)
      })
    }
  })
})

const floats64 = (fixture: ParityFixture, name: string) => fixture.get(name).values as Float64Array

describe('chance', () => {
  const forks = (prompts: Opened['prompts'], seed: number) =>
    Array.from({ length: 8 }, (_, i) => ({
      ...(prompts[i % 2] as (typeof prompts)[number]),
      rng: new Rng({ seed }).fork(i),
    }))

  test('the same seed gives the same responses, in any batch; another seed gives others', async () => {
    const { generator, prompts } = get('clip-llama')
    const run = async (seed: number, batchSize: number) =>
      tokensOf(
        await generator.generate(
          forks(prompts, seed),
          settingsFor(get('clip-llama'), sampled, 12, batchSize),
          await adapterOf('clip-llama'),
        ),
      )
    const first = await run(7, 8)
    expect(await run(7, 8)).toEqual(first)
    expect(await run(7, 1)).toEqual(first)
    expect(await run(7, 3)).toEqual(first)
    expect(await run(8, 8)).not.toEqual(first)
    expect(new Set(first.map(String)).size).toBe(8)
  })

  test('a generator that was saved goes on with the same sequence', async () => {
    const { generator, prompts } = get('siglip-qwen2')
    const settings = settingsFor(get('siglip-qwen2'), sampled, 6)
    const adapter = await adapterOf('siglip-qwen2')
    const rng = new Rng({ seed: 5, stream: 3 })
    const request = prompts[0] as (typeof prompts)[number]
    const [one] = await generator.generate([{ ...request, rng }], settings, adapter)
    const [two] = await generator.generate([{ ...request, rng }], settings, adapter)
    const stored = JSON.parse(JSON.stringify(one?.rngState))
    const [again] = await generator.generate([{ ...request, rng: new Rng(stored) }], settings, adapter)
    expect(again?.tokens).toEqual(two?.tokens)
    expect(again?.tokens).not.toEqual(one?.tokens)
  })
})

test('an adapter changes the responses, and its strength 0 does not', async () => {
  const { generator, prompts } = get('clip-llama')
  const requests = prompts.map((prompt) => ({ ...prompt, rng: new Rng({ seed: 1 }) }))
  const settings = settingsFor(get('clip-llama'), greedy, 10)
  const off = tokensOf(await generator.generate(requests, settings, await adapterOf('clip-llama', 0)))
  const on = tokensOf(await generator.generate(requests, settings, await adapterOf('clip-llama', 1)))
  expect(on).not.toEqual(off)
})

describe('the end of a response', () => {
  /** Writes each token as its number between spaces. */
  const openTextStream = () => ({ push: (token: number) => ` ${token} `, finish: () => '' })

  test('a stop string cuts the text before it and keeps the tokens', async () => {
    const { generator, prompts } = get('clip-llama')
    const requests = prompts.map((prompt) => ({ ...prompt, rng: new Rng({ seed: 1 }) }))
    const adapter = await adapterOf('clip-llama')
    const settings = settingsFor(get('clip-llama'), greedy, 10)
    const [whole] = await generator.generate(requests, settings, { ...adapter, openTextStream })
    const [first, second, third] = (whole as Response).tokens as [number, number, number]
    const stopStrings = [`${second}  ${third}`]
    const stopped = { ...settings, stop: { ...settings.stop, stopStrings } }
    const [cut, other] = await generator.generate(requests, stopped, { ...adapter, openTextStream })
    expect(cut).toMatchObject({ tokens: [first, second, third], text: ` ${first}  `, reason: 'stop-string' })
    // The other row goes on alone.
    expect(other?.tokens.length).toBeGreaterThan(3)
  })

  test('cancelling takes effect before the next step', async () => {
    const { generator, prompts } = get('clip-mistral')
    const requests = prompts.map((prompt) => ({ ...prompt, rng: new Rng({ seed: 1 }) }))
    const controller = new AbortController()
    let tokens = 0
    const onToken = () => {
      if (++tokens === 5) controller.abort()
    }
    const options = { ...(await adapterOf('clip-mistral')), onToken, signal: controller.signal }
    const run = generator.generate(requests, settingsFor(get('clip-mistral'), greedy, 20), options)
    await expect(run).rejects.toMatchObject({ code: 'run.cancelled' })
    // The fifth token is the first of the third step, whose two rows are still sampled from one run.
    expect(tokens).toBe(6)
  })

  test('a cache that grows several times: 150 tokens are those that one pass over them predicts', async () => {
    const { generator, prompts, source } = get('clip-llama-linear')
    const requests = prompts.map((prompt) => ({ ...prompt, rng: new Rng({ seed: 1 }) }))
    const settings = (batchSize: number) => ({
      ...settingsFor(get('clip-llama-linear'), greedy, 150, batchSize),
      stop: { endTokenIds: [], stopStrings: [], maxNewTokens: 150 },
    })
    const together = tokensOf(await generator.generate(requests, settings(2)))
    expect(together).toEqual(tokensOf(await generator.generate(requests, settings(1))))
    expect(together[0]?.length).toBe(150)
    // A whole pass over prompt and response must predict every token again.
    const { promptIds, imageFeatures } = prompts[0] as (typeof prompts)[number]
    const batch = padTokens([[...promptIds, ...(together[0] as number[])]], source.config.padTokenId, 'right')
    const rows = Array.from({ length: 150 }, (_, i) => promptIds.length - 1 + i)
    const results = await runResponse(
      source,
      {
        ...sequenceFeeds(source.config.decoder, batch),
        ...featureFeeds(source.config, batch, [imageFeatures]),
        temperature: tensor('float32', [], [1]),
        ...rowFeeds(rows, () => 0),
      },
      { outputs: ['logits'] },
    )
    const { vocabSize } = source.config.decoder
    const values = floatsOf(results, 'logits')
    const predicted = rows.map((_, i) => {
      const row = values.subarray(i * vocabSize, (i + 1) * vocabSize)
      return row.indexOf(Math.max(...row))
    })
    expect(predicted).toEqual(together[0])
  })
})
