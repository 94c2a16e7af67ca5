// Training for real on the tiny checkpoints: from scratch with every parameter, of an adapter alone, in micro-batches,
// past a step that is not finite, and resumed.
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OrtSession, tensor } from '../../graph/ortSession.ts'
import { floatsOf, tensorOf } from '../../graph/tensor.ts'
import { loraFeeds, loraSlots, newAdapter } from '../../models/shared/lora.ts'
import type { Feeds } from '../../models/shared/sequenceFeeds.ts'
import { fixtureRoot, floats, relativeError } from '../../models/testing/parityFixtures.ts'
import { at, openSequenceCase, type SequenceCase, tokenBatch } from '../../models/testing/sequenceCase.ts'
import { openVlm } from '../../models/vlm.ts'
import { responseGraph } from '../../models/vlmGraphs.ts'
import { Rng } from '../../rng.ts'
import { type PromptedResponse, responseFeeds } from '../../rollout/responseFeeds.ts'
import { likelihoodObjective } from '../ppo/ppoLoss.ts'
import type { AdamWOptions, AdamWState, NamedArrays } from './adamw.ts'
import { Training } from './training.ts'

const adam: AdamWOptions = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 }
const onCpu = { device: 'cpu', threads: 1 } as const
const weightOf = (tokens: number): Feeds => ({ token_weight: tensor('float32', [], [1 / tokens]) })

let given: SequenceCase
beforeAll(async () => {
  given = await openSequenceCase('clip-llama')
})

describe('from scratch', () => {
  /** Normal with deviation 1/√in for matrices, 1 for norms, 0 for biases. */
  function initial(parameters: ReadonlyMap<string, readonly number[]>, rng: Rng): NamedArrays {
    return Object.fromEntries(
      [...parameters].map(([name, shape]) => {
        const count = shape.reduce((a, b) => a * b, 1)
        const deviation = shape.length < 2 ? 0 : 1 / Math.sqrt(name.includes('embed') ? 16 : (shape.at(-1) as number))
        const middle = /norm.*weight/.test(name) ? 1 : 0
        return [name, Float32Array.from({ length: count }, () => middle + deviation * rng.normal())]
      }),
    )
  }

  test('a 2-layer model with a tower and a projector learns 4 captions that only their images tell apart', async () => {
    const { source, fixture } = given
    const graph = responseGraph(source, {
      trainBase: true,
      images: 'pixels',
      objectives: likelihoodObjective(['base']),
    })
    const parameters = initial(graph.parameters, new Rng({ seed: 11 }))
    const training = await Training.open(graph, { base: { parameters, optimiser: adam } }, onCpu)
    const captions = Array.from({ length: 4 }, (_, i) => [...Array.from({ length: 7 }, (_, k) => 20 + 31 * i + k), 2])
    const { ids } = tokenBatch(fixture, 'prompt')
    const prompt = [...ids.subarray(0, fixture.json.response_start)]
    const places = prompt.filter((id) => id === source.config.imageTokenId).length
    const unread = new Float32Array(places * source.config.decoder.hiddenSize)
    const responses = captions.map(
      (tokens): PromptedResponse => ({ promptIds: prompt, tokens, imageFeatures: [unread] }),
    )
    const { image_features: _, ...sequences } = responseFeeds(source.config, responses, 1)
    const photos = floats(fixture.get('pixel_values'))
    const feeds: Feeds = {
      ...sequences,
      // Both photographs, and both of them upside down.
      pixel_values: tensor('float32', [4, 3, 42, 42], Float32Array.from([...photos, ...photos.toReversed()])),
      ...weightOf(32),
    }
    let loss = Number.POSITIVE_INFINITY
    let steps = 0
    for (; steps < 300 && loss >= 0.05; steps++) {
      const figures = await training.accumulate(feeds)
      // Numbers alone, not the gradients of biases, which have one axis.
      expect(Object.keys(figures)).toEqual(['loss'])
      loss = figures['loss'] as number
      training.step({ base: 3e-3 })
    }
    await training.release()
    expect(loss, `after ${steps} steps`).toBeLessThan(0.05)
    // Every parameter took part.
    const fresh = initial(graph.parameters, new Rng({ seed: 11 }))
    const unmoved = Object.entries(parameters).filter(([name, values]) =>
      values.every((x, i) => x === fresh[name]?.[i]),
    )
    expect(unmoved.map(([name]) => name)).toEqual([])
  })
})

test('of a projector alone the gradients are those that training everything gives it, and no others come out', async () => {
  const { source, fixture } = given
  const { image_features: _, ...sequences } = given.feeds
  const photos = {
    pixel_values: tensor('float32', fixture.get('pixel_values').shape, floats(fixture.get('pixel_values'))),
  }
  const gradientsOf = async (trainBase: true | readonly ['projector']) => {
    const objectives = likelihoodObjective(['base'])
    const { graph, trained, parameters } = responseGraph(source, { trainBase, images: 'pixels', objectives })
    const stored: Feeds = {}
    for (const [name, shape] of parameters) {
      const bytes = new Uint8Array(await source.weights.bytes(name))
      stored[name] = tensor('float32', shape, new Float32Array(bytes.buffer))
    }
    const session = await OrtSession.open(graph, onCpu)
    const results = await session.compute({ ...sequences, ...photos, ...stored, ...weightOf(given.cells.length) })
    await session.release()
    return new Map(trained.map((name) => [name, floatsOf(results, `grad.${name}`)]))
  }
  const [all, some] = [await gradientsOf(true), await gradientsOf(['projector'])]
  const names = source.weights.names.filter((name) => name.startsWith('multi_modal_projector.'))
  expect([...some.keys()].toSorted()).toEqual(names.toSorted())
  for (const [name, gradient] of some) {
    expect(relativeError(gradient, all.get(name) as Float32Array), name).toBeLessThan(1e-5)
  }
})

describe('an adapter alone', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'fisao-training-'))
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))

  const adapterOf = (seed: number) => {
    const rng = new Rng({ seed })
    return newAdapter(loraSlots(given.source.config.decoder), { rank: 4, alpha: 8 }, () => rng.uniform())
  }
  type Adapter = ReturnType<typeof adapterOf>
  const parametersOf = (adapter: Adapter): NamedArrays => {
    const { 'lora.scale': _, ...factors } = loraFeeds(adapter)
    return Object.fromEntries(Object.keys(factors).map((name) => [name, floatsOf(factors, name)]))
  }
  const scaleOf = (adapter: Adapter): Feeds => ({ 'lora.scale': tensorOf(loraFeeds(adapter), 'lora.scale', 'float32') })
  const graphOf = (source: SequenceCase['source']) =>
    responseGraph(source, { adapter: { rank: 4 }, objectives: likelihoodObjective(['adapter']) })
  const tokens = () => given.cells.length

  test('learns, and leaves the weights on disk as they are, byte for byte', async () => {
    const folder = join(scratch, 'model')
    cpSync(join(fixtureRoot, 'clip-llama'), folder, { recursive: true })
    const digest = () =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) =>
          createHash('sha256')
            .update(readFileSync(join(parentPath, name)))
            .digest('hex'),
        )
    const before = digest()
    const adapter = adapterOf(3)
    const group = { parameters: parametersOf(adapter), optimiser: adam }
    const training = await Training.open(graphOf(await openVlm(folder)), { adapter: group }, onCpu)
    const losses: number[] = []
    for (let step = 0; step < 30; step++) {
      const feeds = { ...given.feeds, ...scaleOf(adapter), ...weightOf(tokens()) }
      losses.push((await training.accumulate(feeds))['loss'] as number)
      training.step({ adapter: 1e-2 })
    }
    await training.release()
    // B is zero at first, so the first loss is that of the model alone.
    const alone = at(floats(given.fixture.get('sequence.response_logprobs')), given.cells)
    expect(losses[0]).toBeCloseTo(-alone.reduce((sum, x) => sum + x, 0) / alone.length, 4)
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 3)
    expect(digest()).toEqual(before)
  })

  test('two micro-batches give the gradient of their batch', async () => {
    const { source } = given
    const responses = [0, 1].map((row): PromptedResponse => {
      const features = tensorOf(given.feeds, 'image_features', 'float32')
      const size = features.values.length / 2
      return {
        promptIds: [1, ...new Array(9).fill(400), 13 + row, 20],
        tokens: row === 0 ? [30, 31, 32, 2] : [40, 2],
        imageFeatures: [features.values.slice(row * size, (row + 1) * size)],
      }
    })
    const trainedOn = async (batches: PromptedResponse[][]) => {
      const adapter = adapterOf(4)
      const parameters = parametersOf(adapter)
      // A new adapter's B is zero, which keeps every gradient of A at zero: what does not move compares equal to anything.
      const rng = new Rng({ seed: 12 })
      for (const [name, values] of Object.entries(parameters)) {
        if (name.endsWith('.b')) values.set(values.map(() => 0.1 * rng.normal()))
      }
      const training = await Training.open(graphOf(source), { adapter: { parameters, optimiser: adam } }, onCpu)
      let loss = 0
      for (const batch of batches) {
        const feeds = { ...responseFeeds(source.config, batch, 1), ...scaleOf(adapter), ...weightOf(6) }
        loss += (await training.accumulate(feeds))['loss'] as number
      }
      const report = training.step({ adapter: 1e-2 })
      // After one step the first moments are the gradients, scaled; the step itself has only their signs.
      const moments = structuredClone(training.states['adapter']?.firstMoments ?? {})
      await training.release()
      return { loss, report, moments }
    }
    const whole = await trainedOn([responses])
    const parts = await trainedOn(responses.map((one) => [one]))
    const first = await trainedOn([responses.slice(0, 1)])
    expect(parts.loss).toBeCloseTo(whole.loss, 5)
    const norms = [parts, whole].map(({ report }) => report['adapter']?.gradientNorm as number)
    expect(norms[0]).toBeCloseTo(norms[1] as number, 4)
    expect(Object.keys(whole.moments)).toHaveLength(28)
    for (const [name, values] of Object.entries(whole.moments)) {
      expect(relativeError(parts.moments[name] as Float32Array, values), name).toBeLessThan(1e-4)
      // Each half counts: what one of them gives alone is something else.
      expect(relativeError(first.moments[name] as Float32Array, values), name).toBeGreaterThan(1e-2)
    }
  })

  test('what is discarded has no part in the step', async () => {
    const stepped = async (discards: boolean) => {
      const adapter = adapterOf(4)
      const parameters = parametersOf(adapter)
      const training = await Training.open(graphOf(given.source), { adapter: { parameters, optimiser: adam } }, onCpu)
      const feeds = { ...given.feeds, ...scaleOf(adapter), ...weightOf(tokens()) }
      if (discards) {
        await training.accumulate({ ...feeds, temperature: tensor('float32', [], [3]) })
        training.discard()
      }
      await training.accumulate(feeds)
      training.step({ adapter: 1e-2 })
      const { firstMoments } = structuredClone(training.states['adapter'] as AdamWState)
      await training.release()
      return firstMoments
    }
    expect(await stepped(true)).toEqual(await stepped(false))
  })

  test('a step that is not finite changes nothing and is counted', async () => {
    const adapter = adapterOf(5)
    const parameters = parametersOf(adapter)
    const copies = structuredClone(parameters)
    const training = await Training.open(graphOf(given.source), { adapter: { parameters, optimiser: adam } }, onCpu)
    const feeds = { ...given.feeds, ...scaleOf(adapter), ...weightOf(tokens()) }
    await training.accumulate({ ...feeds, temperature: tensor('float32', [], [0]) })
    expect(training.step({ adapter: 1e-2 })['adapter']?.isSkipped).toBe(true)
    expect(parameters).toEqual(copies)
    await training.accumulate(feeds)
    expect(training.step({ adapter: 1e-2 })['adapter']?.isSkipped).toBe(false)
    expect(training.states['adapter']).toMatchObject({ steps: 1, skippedSteps: 1 })
    await training.release()
  })

  test('a resumed training ends bit for bit where one without a break does', async () => {
    const run = async (stops: readonly number[]) => {
      const adapter = adapterOf(6)
      let parameters = parametersOf(adapter)
      let state: Parameters<typeof Training.open>[1][string]['state'] | undefined
      for (const steps of stops) {
        const group = { parameters, optimiser: adam, ...(state && { state }) }
        const training = await Training.open(graphOf(given.source), { adapter: group }, onCpu)
        for (let step = 0; step < steps; step++) {
          await training.accumulate({ ...given.feeds, ...scaleOf(adapter), ...weightOf(tokens()) })
          training.step({ adapter: 5e-3 })
        }
        // As a checkpoint keeps them.
        state = structuredClone(training.states['adapter'])
        parameters = structuredClone(parameters)
        await training.release()
      }
      return parameters
    }
    expect(await run([2, 3])).toEqual(await run([5]))
  })
})
