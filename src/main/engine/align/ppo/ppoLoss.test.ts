// Losses and their gradients through the whole decoder, against torch and peft on the tiny checkpoints.
import { describe, expect, test } from 'vitest'
import { readAdapter } from '../../folder/peft.ts'
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import { type Tensor, tensor } from '../../graph/ortSession.ts'
import { floatsOf, namedIn } from '../../graph/tensor.ts'
import { tensorOps } from '../../graph/tensorOps.ts'
import { byDecoderPath, loraFeeds } from '../../models/shared/lora.ts'
import type { Feeds } from '../../models/shared/sequenceFeeds.ts'
import { valueHeadFeeds } from '../../models/shared/valueHead.ts'
import { floats, type ParityFixture, relativeError } from '../../models/testing/parityFixtures.ts'
import { at, openSequenceCase, runOnce, trainedFixtures } from '../../models/testing/sequenceCase.ts'
import { type Objective, type ResponseTerms, responseGraph } from '../../models/vlmGraphs.ts'
import { likelihoodObjective, type PpoLossOptions, ppoObjectives } from './ppoLoss.ts'

const valueHeadWidth = 16
const given: PpoLossOptions = {
  clipRange: 0.2,
  valueClipRange: 0.2,
  valueCoefficient: 0.5,
  klCoefficient: 0.1,
  entropyCoefficient: 0.01,
  detachValue: false,
}
const off: PpoLossOptions = { ...given, valueCoefficient: 0, klCoefficient: 0, entropyCoefficient: 0 }

/** 0.5 mean (v - R)², without the clip: the fixture's loss `value`. */
function plainValue(g: GraphBuilder, { values }: ResponseTerms): Record<string, Objective> {
  const { mul, reduceSum, square, sub } = tensorOps(g)
  const error = square(sub(values as NonNullable<typeof values>, g.input('returns', 'float32', ['rows'])))
  const mean = mul(reduceSum(error, [0]), mul(g.input('token_weight', 'float32', []), 0.5))
  return { loss: { loss: mean, trains: ['adapter', 'valueHead'] } }
}

const objectives = {
  nll: likelihoodObjective(['adapter']),
  value: plainValue,
  policy: ppoObjectives(off),
  ppo: ppoObjectives(given),
}

/** The inputs of the losses, named as the graphs name them. */
function lossFeeds(fixture: ParityFixture, cells: readonly number[]): Feeds {
  const names = {
    old_log_probs: 'old_logprobs',
    reference_log_probs: 'reference_logprobs',
    advantages: 'advantages',
    returns: 'returns',
    old_values: 'old_values',
  }
  const rows = Object.entries(names).map(([input, name]): [string, Tensor] => [
    input,
    tensor('float32', [cells.length], at(floats(fixture.get(`ppo.${name}`)), cells)),
  ])
  return { ...Object.fromEntries(rows), token_weight: tensor('float32', [], [1 / cells.length]) }
}

function valueHeadOf(fixture: ParityFixture, hiddenSize: number): Feeds {
  const names = ['fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias'].map((name) => `value_head.${name}`)
  return valueHeadFeeds(new Map(names.map((name) => [name, floats(fixture.get(name))])), hiddenSize)
}

/** `grad.lora.layers.0.mlp.up_proj.a` is the fixture's `grad.LOSS.layers.0.mlp.up_proj.lora_A`. */
function witnessName(loss: string, output: string): string {
  const parameter = output.replace(/^grad\.(lora\.)?/, '')
  return `grad.${loss}.${parameter.replace(/\.a$/, '.lora_A').replace(/\.b$/, '.lora_B')}`
}

describe.each(trainedFixtures)('%s', (name) => {
  test.each([false, true])('losses and gradients are those of torch, recomputed: %s', async (recompute) => {
    const { fixture, source, feeds, cells } = await openSequenceCase(name)
    const adapter = byDecoderPath(source.architecture, await readAdapter(`${fixture.folder}/adapter`))
    const everything: Feeds = {
      ...feeds,
      ...loraFeeds(adapter),
      ...valueHeadOf(fixture, source.config.decoder.hiddenSize),
      ...lossFeeds(fixture, cells),
    }
    for (const [loss, build] of Object.entries(objectives)) {
      const { graph, trained } = responseGraph(source, {
        adapter: { rank: adapter.rank },
        valueHead: loss === 'nll' ? null : valueHeadWidth,
        objectives: build,
        recompute,
      })
      const inputs = graph.inputs.map((input) => [input.name, namedIn(everything, input.name)])
      const results = await runOnce(graph, Object.fromEntries(inputs))
      expect(results['loss']?.values[0]).toBeCloseTo(fixture.json.losses[loss] as number, 4)
      for (const parameter of trained) {
        const witness = witnessName(loss, `grad.${parameter}`)
        const found = floatsOf(results, `grad.${parameter}`)
        // The policy loss alone does not reach the value head, so torch has no gradient there.
        const isOff = loss === 'policy' && parameter.startsWith('value_head.')
        if (isOff) expect(Math.max(...found.map(Math.abs)), witness).toBe(0)
        else expect(relativeError(found, floats(fixture.get(witness))), witness).toBeLessThan(1e-3)
      }
    }
  })

  test('a value loss that is kept off the adapter leaves its gradients to the policy', async () => {
    const { fixture, source, feeds, cells } = await openSequenceCase(name)
    const adapter = byDecoderPath(source.architecture, await readAdapter(`${fixture.folder}/adapter`))
    const { graph } = responseGraph(source, {
      adapter: { rank: adapter.rank },
      valueHead: valueHeadWidth,
      objectives: ppoObjectives({ ...off, valueCoefficient: 1, detachValue: true }),
    })
    const results = await runOnce(graph, {
      ...feeds,
      ...loraFeeds(adapter),
      ...valueHeadOf(fixture, source.config.decoder.hiddenSize),
      ...lossFeeds(fixture, cells),
      reference_log_probs: tensor('float32', [cells.length], new Float32Array(cells.length)),
    })
    // exp r - 1 - r, which is never negative, of r = log π - log π_old.
    const ratioLogs = Array.from(
      results['logProbs']?.values as Float32Array,
      (logProb, i) => logProb - Number(lossFeeds(fixture, cells)['old_log_probs']?.values[i]),
    )
    const approximateKl = ratioLogs.reduce((sum, r) => sum + Math.exp(r) - 1 - r, 0) / cells.length
    expect(approximateKl).toBeGreaterThan(1e-3)
    expect(results['approximateKl']?.values[0]).toBeCloseTo(approximateKl, 4)
    // exp d - 1 - d of d = log π_ref - log π, the reference's being 0 here; no entropy is above that of equal tokens.
    const logProbs = Array.from(results['logProbs']?.values as Float32Array)
    const kl = logProbs.reduce((sum, x) => sum + Math.exp(-x) - 1 + x, 0) / cells.length
    expect((results['kl']?.values[0] as number) / kl).toBeCloseTo(1, 4)
    const most = Math.log(source.config.decoder.vocabSize)
    expect(kl, 'the two can be told apart').toBeGreaterThan(most)
    expect(results['entropy']?.values[0]).toBeGreaterThan(0)
    expect(results['entropy']?.values[0]).toBeLessThan(most)
    expect(results['policy']?.values[0]).toBeCloseTo(fixture.json.losses['policy'] as number, 4)
    const path = 'layers.1.mlp.down_proj'
    const expected = floats(fixture.get(`grad.policy.${path}.lora_A`))
    expect(relativeError(floatsOf(results, `grad.lora.${path}.a`), expected)).toBeLessThan(1e-3)
    expect(results['clipFraction']?.values[0]).toBeCloseTo(fixture.json.losses['clip_fraction'] as number, 5)
    expect(results['value']?.values[0]).toBeCloseTo(fixture.json.losses['value_clipped'] as number, 4)
  })
})
