// AdamW on the adapter's parameters, in typed arrays: on 2.4 million of them that is faster than an ONNX graph on
// the CPU. Before it stands the training graph that gives the gradients, after it the next step's adapter.
import { StudioError } from '../../../../shared/errors.ts'
import type { RunConfig } from '../../../../shared/runConfig.ts'

export interface AdamWOptions {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  /** Decoupled: taken off the parameters themselves, not off the gradient. */
  readonly weightDecay: number
  /** Gradients are scaled down together when their global L2 norm is larger; null for no clipping. */
  readonly maxGradientNorm: number | null
}

/** Parameters or gradients by name; float32, any shape, flattened. */
export type NamedArrays = Readonly<Record<string, Float32Array>>

/** Everything that a resumed run needs; arrays are the optimiser's own, not copies. */
export interface AdamWState {
  /** Steps taken so far, skipped ones not counted. */
  readonly steps: number
  readonly skippedSteps: number
  /** Skipped steps since the last one that was taken. */
  readonly skippedInARow: number
  readonly firstMoments: NamedArrays
  readonly secondMoments: NamedArrays
}

/** What a step did. */
export interface StepReport {
  /** Global L2 norm of the gradients before clipping; NaN or infinite when the step was skipped. */
  readonly gradientNorm: number
  readonly isSkipped: boolean
}

/**
 * Skipped steps in a row after which training ends. One batch may overflow by itself; mixed-precision trainers, which
 * overflow by design, skip two or three in a row while they look for their scale. Five never come back by themselves.
 */
export const mostSkippedInARow = 5

/** As torch.nn.utils.clip_grad_norm_ has it, against a division by zero. */
const normEpsilon = 1e-6

/**
 * Loshchilov & Hutter, "Decoupled Weight Decay Regularization" (ICLR 2019), algorithm 2, in the order of
 * torch.optim.AdamW: θ ← θ − η λ θ, then θ ← θ − η m̂ / (√v̂ + ε).
 */
export class AdamW {
  readonly #options: AdamWOptions
  readonly #parameters: NamedArrays
  readonly #first: Record<string, Float32Array> = {}
  readonly #second: Record<string, Float32Array> = {}
  #steps = 0
  #skippedSteps = 0
  #skippedInARow = 0

  /**
   * @param parameters updated in place by {@link step}
   * @param state of an earlier optimiser of the same parameters, to go on exactly where it was; copied
   * @throws StudioError `run.bad-optimiser-state` when it does not fit the parameters
   */
  constructor(parameters: NamedArrays, options: AdamWOptions, state?: AdamWState) {
    this.#options = options
    this.#parameters = parameters
    this.#steps = state?.steps ?? 0
    this.#skippedSteps = state?.skippedSteps ?? 0
    this.#skippedInARow = state?.skippedInARow ?? 0
    for (const [name, { length }] of Object.entries(parameters)) {
      this.#first[name] = momentsOf(name, length, state?.firstMoments)
      this.#second[name] = momentsOf(name, length, state?.secondMoments)
    }
  }

  get state(): AdamWState {
    return {
      steps: this.#steps,
      skippedSteps: this.#skippedSteps,
      skippedInARow: this.#skippedInARow,
      firstMoments: this.#first,
      secondMoments: this.#second,
    }
  }

  /**
   * One update. Gradients that are not finite change nothing; the step is counted as skipped.
   * @param gradients one for each parameter, of its length
   * @param learningRate η of this step
   * @throws StudioError `run.missing-gradient`; `run.non-finite` at the last of {@link mostSkippedInARow} in a row
   */
  step(gradients: NamedArrays, learningRate: number): StepReport {
    const gradientNorm = this.#globalNorm(gradients)
    if (!Number.isFinite(gradientNorm)) {
      this.#skippedSteps++
      this.#skippedInARow++
      if (this.#skippedInARow >= mostSkippedInARow) throw notFinite(this.#skippedInARow, gradientNorm)
      return { gradientNorm, isSkipped: true }
    }
    this.#skippedInARow = 0
    this.#steps++
    const { maxGradientNorm } = this.#options
    const scale = maxGradientNorm === null ? 1 : Math.min(1, maxGradientNorm / (gradientNorm + normEpsilon))
    for (const name of Object.keys(this.#parameters)) {
      this.#update(name, gradients[name] as Float32Array, scale, learningRate)
    }
    return { gradientNorm, isSkipped: false }
  }

  #update(name: string, gradient: Float32Array, scale: number, learningRate: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.#options
    const parameter = this.#parameters[name] as Float32Array
    const first = this.#first[name] as Float32Array
    const second = this.#second[name] as Float32Array
    const stepSize = learningRate / (1 - beta1 ** this.#steps)
    const secondCorrection = Math.sqrt(1 - beta2 ** this.#steps)
    const kept = 1 - learningRate * weightDecay
    for (let i = 0; i < parameter.length; i++) {
      const g = (gradient[i] as number) * scale
      const m = beta1 * (first[i] as number) + (1 - beta1) * g
      const v = beta2 * (second[i] as number) + (1 - beta2) * g * g
      first[i] = m
      second[i] = v
      parameter[i] = (parameter[i] as number) * kept - (stepSize * m) / (Math.sqrt(v) / secondCorrection + epsilon)
    }
  }

  #globalNorm(gradients: NamedArrays): number {
    let sum = 0
    for (const [name, { length }] of Object.entries(this.#parameters)) {
      const gradient = gradients[name]
      if (gradient?.length !== length) throw missingGradient(name, length, gradient?.length)
      for (let i = 0; i < length; i++) sum += (gradient[i] as number) ** 2
    }
    return Math.sqrt(sum)
  }
}

function momentsOf(name: string, length: number, stored: NamedArrays | undefined): Float32Array {
  if (stored === undefined) return new Float32Array(length)
  const moments = stored[name]
  if (moments?.length === length) return Float32Array.from(moments)
  throw new StudioError({
    code: 'run.bad-optimiser-state',
    message: 'The checkpoint does not fit the adapter: the optimiser cannot go on from it.',
    remedy: 'Go on from another checkpoint of this run, or start the run anew.',
    expected: `${length} numbers`,
    found: moments ? `${moments.length} numbers` : 'none',
    where: name,
  })
}

function notFinite(inARow: number, gradientNorm: number): StudioError {
  return new StudioError({
    code: 'run.non-finite',
    message: `Training has left the numbers that this device can hold: ${inARow} updates in a row had none to go by.`,
    remedy:
      'Start a run with a lower learning rate, or choose another device if it happens in the first steps; the checkpoints so far are kept.',
    expected: 'finite gradients',
    found: `a gradient norm of ${gradientNorm}`,
    where: 'gradients',
  })
}

function missingGradient(name: string, expected: number, found: number | undefined): StudioError {
  return new StudioError({
    code: 'run.missing-gradient',
    message: 'A training step gave no gradient for a part of the adapter.',
    remedy: 'Report this fault: the training graph was built wrongly.',
    expected: `${expected} numbers`,
    found: found === undefined ? 'none' : `${found} numbers`,
    where: name,
  })
}

/** β₁, β₂ and ε of Adam as Kingma & Ba (2015) give them. */
export const adamDefaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const

/** As a run's config has them. */
export function adamOptions({ optimiser }: RunConfig): AdamWOptions {
  return { ...adamDefaults, weightDecay: optimiser.weightDecay, maxGradientNorm: optimiser.maxGradientNorm }
}
