// Teaches a new value head what to expect before PPO relies on it: least squares on the discounted rewards of sampled
// responses, from hidden states that stay as they are. Before it stand calibration rollouts, after it ppoLearner.ts.
import type { DeviceName } from '../../../../shared/hardware.ts'
import { gradients } from '../../autodiff/backward.ts'
import { GraphBuilder } from '../../graph/graphBuilder.ts'
import { tensor } from '../../graph/ortSession.ts'
import { tensorOps } from '../../graph/tensorOps.ts'
import { ValueHeadInputs, type ValueHeadParameters, valueHeadShapes } from '../../models/shared/valueHead.ts'
import type { ResponseGraph } from '../../models/vlmGraphs.ts'
import type { AdamWOptions } from '../optimiser/adamw.ts'
import { Training } from '../optimiser/training.ts'

export interface ValueExamples {
  /** Of the column that predicts each token, [rows, hiddenSize] */
  readonly hidden: Float32Array
  /** Σ_k γ^k r_{t+k}, [rows] */
  readonly returns: Float32Array
}

/**
 * Updates the head in place, each step on all examples.
 * @returns mean squared error before and after
 */
export async function warmUpValueHead(
  head: ValueHeadParameters,
  { hidden, returns }: ValueExamples,
  options: {
    readonly device: DeviceName
    readonly threads?: number
    readonly steps: number
    readonly learningRate: number
    readonly optimiser: AdamWOptions
    readonly signal?: AbortSignal
  },
): Promise<{ before: number; after: number }> {
  const hiddenSize = hidden.length / returns.length
  const graph = leastSquaresGraph(hiddenSize, head.get('value_head.fc1.bias')?.length ?? 0)
  const group = { parameters: Object.fromEntries(head), optimiser: options.optimiser }
  const { device, threads } = options
  const training = await Training.open(
    graph,
    { valueHead: group },
    { device, ...(threads !== undefined && { threads }) },
  )
  let [before, after] = [Number.NaN, Number.NaN]
  try {
    const feeds = {
      hidden: tensor('float32', [returns.length, hiddenSize], hidden),
      returns: tensor('float32', [returns.length], returns),
    }
    for (let step = 0; step < options.steps; step++) {
      after = (await training.accumulate(feeds, options.signal))['loss'] as number
      if (step === 0) before = after
      training.step({ valueHead: options.learningRate })
    }
  } finally {
    await training.release()
  }
  return { before, after }
}

/** mean (v - R)² and its gradients. */
function leastSquaresGraph(hiddenSize: number, inner: number): ResponseGraph {
  const g = new GraphBuilder('valueWarmup')
  const { reduceMean, square, sub } = tensorOps(g)
  const hidden = g.input('hidden', 'float32', ['rows', hiddenSize])
  const head = new ValueHeadInputs(g, hiddenSize, inner)
  const loss = reduceMean(square(sub(head.values(hidden), g.input('returns', 'float32', ['rows']))), [0])
  g.output('loss', loss)
  const parameters = [...head.parameters.values()]
  gradients(g, loss, parameters).forEach((gradient, i) => {
    g.output(`grad.${parameters[i]?.name}`, gradient)
  })
  return {
    graph: g.build(),
    trained: parameters.map(({ name }) => name),
    parameters: valueHeadShapes(hiddenSize, inner),
  }
}
