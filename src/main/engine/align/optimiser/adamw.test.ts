// AdamW and the schedules against torch and transformers, and what no library shows: skipping and resuming exactly.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { presetConfig } from '../../../../shared/runConfig.ts'
import { readSafetensors, readTensorBytes } from '../../folder/safetensors.ts'
import { AdamW, type AdamWOptions, adamDefaults, adamOptions, type NamedArrays } from './adamw.ts'
import { learningRate } from './learningRate.ts'

const folder = join(import.meta.dirname, '../../../../../tools/parity/fixtures/optimizer')
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'))
const stored = await readSafetensors(join(folder, 'expected.safetensors'))
const names = ['lora_A', 'lora_B']

async function witness(name: string): Promise<Float32Array> {
  const tensor = stored.find((one) => one.name === `adamw.${name}`)
  if (!tensor) throw new Error(`the fixture has no adamw.${name}`)
  const bytes = await readTensorBytes(tensor)
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

async function witnesses(suffix: string): Promise<Record<string, Float32Array>> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await witness(`${name}.${suffix}`)])))
}

const { betas, eps, weight_decay: weightDecay, max_grad_norm: maxGradientNorm, lr, steps } = expected.adamw
const options: AdamWOptions = { beta1: betas[0], beta2: betas[1], epsilon: eps, weightDecay, maxGradientNorm }

/** Float32 rounding of torch's own, step after step. */
function expectClose(found: NamedArrays, wanted: NamedArrays): void {
  for (const name of names) {
    wanted[name]?.forEach((value, i) => {
      expect(Math.abs((found[name]?.[i] ?? Number.NaN) - value), `${name}[${i}]`).toBeLessThan(1e-6)
    })
  }
}

describe('AdamW', () => {
  test('takes the steps of torch.optim.AdamW after clip_grad_norm_', async () => {
    const parameters = await witnesses('0')
    const optimiser = new AdamW(parameters, options)
    for (let step = 1; step <= steps; step++) {
      const { gradientNorm, isSkipped } = optimiser.step(await witnesses(`grad.${step}`), lr)
      expect(isSkipped).toBe(false)
      expect(gradientNorm).toBeCloseTo(expected.adamw.grad_norms_before_clipping[step - 1], 5)
      expectClose(parameters, await witnesses(String(step)))
    }
    expectClose(optimiser.state.firstMoments, await witnesses('exp_avg'))
    expectClose(optimiser.state.secondMoments, await witnesses('exp_avg_sq'))
  })

  test('scales gradients by the largest norm over their norm + 1e-6', () => {
    const clipped = { beta1: 0.5, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 4e-6 }
    const optimiser = new AdamW({ a: Float32Array.of(0, 0) }, clipped)
    expect(optimiser.step({ a: Float32Array.of(3e-6, 4e-6) }, 1).gradientNorm).toBeCloseTo(5e-6, 12)
    // 4e-6 / (5e-6 + 1e-6) of each, half of it into the first moment.
    const [first, second] = optimiser.state.firstMoments['a'] ?? []
    expect(first).toBeCloseTo(1e-6, 12)
    expect(second).toBeCloseTo(4e-6 / 3, 12)
  })

  test('leaves what has no gradient where it is, but for the decay', () => {
    const parameters = { a: Float32Array.of(2, 2) }
    const optimiser = new AdamW(parameters, { ...adamDefaults, weightDecay: 0.5, maxGradientNorm: null })
    optimiser.step({ a: Float32Array.of(0, 1) }, 0.5)
    expect([...parameters.a]).toEqual([1.5, expect.closeTo(1, 6)])
  })

  test('has the decay and the clipping of the run, and the rest of Kingma & Ba', () => {
    const config = presetConfig('quick-look', { optimiser: { weightDecay: 0.25, maxGradientNorm: 0.5 } })
    expect(adamOptions(config)).toEqual({
      ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      ...{ weightDecay: 0.25, maxGradientNorm: 0.5 },
    })
  })

  test('goes on from a stored state bit for bit', async () => {
    const [whole, resumed] = [await witnesses('0'), await witnesses('0')]
    const first = new AdamW(whole, options)
    let second = new AdamW(resumed, options)
    for (let step = 1; step <= steps; step++) {
      const gradients = await witnesses(`grad.${step}`)
      first.step(gradients, lr)
      second = new AdamW(resumed, options, structuredClone(second.state))
      second.step(gradients, lr)
    }
    expect(resumed).toEqual(whole)
    expect(second.state).toEqual(first.state)
    // A state that was given is copied: stepping on leaves it as it was.
    const kept = structuredClone(second.state)
    new AdamW(resumed, options, second.state).step(await witnesses('grad.1'), lr)
    expect(second.state).toEqual(kept)
  })

  test('skips and counts a step whose gradients are not finite', async () => {
    const parameters = await witnesses('0')
    const optimiser = new AdamW(parameters, options)
    const gradients = await witnesses('grad.1')
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      ;(gradients['lora_B'] as Float32Array)[3] = bad
      expect(optimiser.step(gradients, lr).isSkipped).toBe(true)
    }
    expect(parameters).toEqual(await witnesses('0'))
    expect(optimiser.state).toMatchObject({ steps: 0, skippedSteps: 2 })
  })

  test('gives up after five such steps in a row, counted through a checkpoint; a good one begins the count anew', async () => {
    const good = await witnesses('grad.1')
    const bad = { ...good, lora_B: good['lora_B']?.map(() => Number.NaN) as Float32Array }
    let optimiser = new AdamW(await witnesses('0'), options)
    const skip = (times: number) => {
      for (let time = 0; time < times; time++) expect(optimiser.step(bad, lr).isSkipped).toBe(true)
    }
    skip(4)
    expect(optimiser.step(good, lr).isSkipped).toBe(false)
    skip(2)
    optimiser = new AdamW(await witnesses('0'), options, structuredClone(optimiser.state))
    skip(2)
    expect(() => optimiser.step(bad, lr)).toThrow(
      expect.objectContaining({ code: 'run.non-finite', message: expect.stringContaining('5 updates in a row') }),
    )
    expect(optimiser.state).toMatchObject({ steps: 1, skippedSteps: 9, skippedInARow: 5 })
  })

  test('refuses a gradient or a state that does not fit', async () => {
    const parameters = await witnesses('0')
    const optimiser = new AdamW(parameters, options)
    expect(() => optimiser.step({ lora_A: new Float32Array(1) }, lr)).toThrow(
      expect.objectContaining({ code: 'run.missing-gradient', where: 'lora_A' }),
    )
    const state = { ...optimiser.state, secondMoments: {} }
    expect(() => new AdamW(parameters, options, state)).toThrow(
      expect.objectContaining({ code: 'run.bad-optimiser-state' }),
    )
  })
})

describe('the learning rate', () => {
  test.each([
    ['constant_with_warmup', 'constant'],
    ['cosine', 'cosine'],
  ] as const)("is transformers' %s, whose warm-up comes one update later", (name, kind) => {
    const schedule = expected.schedules.find((one: { name: string }) => one.name === name)
    const rates = schedule.lr as number[]
    const [warmupSteps, totalSteps] = [schedule.warmup_steps as number, schedule.total_steps as number]
    for (let step = 0; step <= totalSteps; step++) {
      const found = learningRate({ kind, peak: schedule.base_lr, warmupSteps, totalSteps }, step)
      const witness = rates[step < warmupSteps ? step + 1 : step] as number
      expect(Math.abs(found - witness), `step ${step}`).toBeLessThan(1e-15)
    }
  })

  test('is above zero at the first update of a warm-up, and at its peak at the last', () => {
    const rates = [0, 1, 2, 3, 4].map((step) =>
      learningRate({ kind: 'constant', peak: 2, warmupSteps: 4, totalSteps: 16 }, step),
    )
    expect(rates).toEqual([0.5, 1, 1.5, 2, 2])
  })

  test('stays at zero after the end of the cosine, also where that would have risen again', () => {
    for (const step of [16, 17, 22, 28, 40]) {
      expect(learningRate({ kind: 'cosine', peak: 1, warmupSteps: 4, totalSteps: 16 }, step)).toBe(0)
    }
  })

  test('begins at its peak without a warm-up, and has one even where the warm-up is all', () => {
    for (const kind of ['constant', 'cosine'] as const) {
      expect(learningRate({ kind, peak: 2, warmupSteps: 0, totalSteps: 16 }, 0)).toBe(2)
      expect(learningRate({ kind, peak: 2, warmupSteps: 4, totalSteps: 4 }, 4)).toBe(2)
    }
  })
})
