// Every tiny checkpoint of tools/parity against transformers and peft: features, logits, log-probabilities, adapters,
// on the CPU in float32. Losses and gradients follow in align/ppoLoss.test.ts.
import { describe, expect, test } from 'vitest'
import { readAdapter } from '../folder/peft.ts'
import { floatsOf } from '../graph/tensor.ts'
import { byDecoderPath, loraFeeds } from './shared/lora.ts'
import { floats, maxDifference } from './testing/parityFixtures.ts'
import { at, openSequenceCase, plainFixtures, rowFeeds, runResponse, trainedFixtures } from './testing/sequenceCase.ts'
import { stepGraph } from './vlmGraphs.ts'

describe.each(plainFixtures)('%s', (name) => {
  test('image features, logits and log-probabilities are those of transformers', async () => {
    const { fixture, source, batch, feeds, cells } = await openSequenceCase(name)
    const projected = fixture.get('vision.projected')
    expect(maxDifference(floatsOf(feeds, 'image_features'), floats(projected))).toBeLessThan(1e-4)

    const real = [...batch.mask.keys()].filter((i) => batch.mask[i])
    const all = await runResponse(source, { ...feeds, ...rowFeeds(real, () => 0) }, { outputs: ['logits'] })
    const logits = at(floats(fixture.get('sequence.logits')), real, source.config.decoder.vocabSize)
    expect(maxDifference(floatsOf(all, 'logits'), logits)).toBeLessThan(1e-4)

    const some = await runResponse(source, feeds, { outputs: ['hidden'] })
    const logProbs = at(floats(fixture.get('sequence.response_logprobs')), cells)
    expect(maxDifference(floatsOf(some, 'logProbs'), logProbs)).toBeLessThan(1e-4)
    const hidden = at(floats(fixture.get('sequence.response_hidden')), cells, source.config.decoder.hiddenSize)
    expect(maxDifference(floatsOf(some, 'hidden'), hidden)).toBeLessThan(1e-4)
  })
})

// ONNX Runtime makes a factor right before a product a part of it, and then copies the keys to multiply (docs/performance.md).
test('no product over the cache has a factor right before it where each head has its own keys', async () => {
  const { nodes } = stepGraph((await openSequenceCase('llava-phi3-bf16')).source, null)
  const scaled = new Set(nodes.filter(({ op }) => op === 'Mul').flatMap(({ outputs }) => outputs))
  const products = nodes.filter(({ op }) => op === 'MatMul')
  expect(products.length).toBeGreaterThan(0)
  expect(products.filter(({ inputs }) => inputs.some((value) => value && scaled.has(value)))).toEqual([])
})

describe.each(trainedFixtures)('%s with its adapter', (name) => {
  test('logits follow the adapter, and scale 0 is the reference', async () => {
    const { fixture, source, feeds, cells } = await openSequenceCase(name)
    const adapter = byDecoderPath(source.architecture, await readAdapter(`${fixture.folder}/adapter`))
    const options = { adapter: { rank: adapter.rank }, outputs: ['logits'] } as const
    const on = await runResponse(source, { ...feeds, ...loraFeeds(adapter) }, options)
    const expected = at(floats(fixture.get('adapter.response_logits')), cells, source.config.decoder.vocabSize)
    expect(maxDifference(floatsOf(on, 'logits'), expected)).toBeLessThan(1e-4)
    const off = await runResponse(source, { ...feeds, ...loraFeeds(adapter, 0) }, options)
    const reference = at(floats(fixture.get('sequence.response_logprobs')), cells)
    expect(maxDifference(floatsOf(off, 'logProbs'), reference)).toBeLessThan(1e-4)
  })
})
