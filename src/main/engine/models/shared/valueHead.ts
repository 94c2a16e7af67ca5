// The value head of PPO: the expected return after a prefix, from the language model's last hidden state. After it
// stands the value loss of align/.
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'
import { type Tensor, tensor } from '../../graph/ortSession.ts'
import { tensorOps } from '../../graph/tensorOps.ts'

/** Parameters by name: fc1 [inner, hidden] with bias, fc2 [1, inner] with bias. */
export type ValueHeadParameters = ReadonlyMap<string, Float32Array>

export function valueHeadShapes(hiddenSize: number, inner: number): ReadonlyMap<string, readonly number[]> {
  return new Map([
    ['value_head.fc1.weight', [inner, hiddenSize]],
    ['value_head.fc1.bias', [inner]],
    ['value_head.fc2.weight', [1, inner]],
    ['value_head.fc2.bias', [1]],
  ])
}

/** The head's inputs in one graph. */
export class ValueHeadInputs {
  readonly parameters: ReadonlyMap<string, Value>
  readonly #g: GraphBuilder

  constructor(g: GraphBuilder, hiddenSize: number, inner: number) {
    this.#g = g
    this.parameters = new Map(
      [...valueHeadShapes(hiddenSize, inner)].map(([name, shape]) => [name, g.input(name, 'float32', shape)]),
    )
  }

  /** w₂ tanh(W₁ h + b₁) + b₂ for hidden states [rows, hidden]: [rows]. */
  values(hidden: Value): Value {
    const { gemm, reshape, tanh } = tensorOps(this.#g)
    const [w1, b1, w2, b2] = [...this.parameters.values()] as [Value, Value, Value, Value]
    const inner = tanh(gemm(hidden, w1, { transB: true, c: b1 }))
    return reshape(gemm(inner, w2, { transB: true, c: b2 }), [hidden.shape[0] ?? 0])
  }
}

/** A new head: W₁ as PyTorch initialises a linear layer, w₂ zero, so that the first values are 0. */
export function newValueHead(hiddenSize: number, inner: number, uniform: () => number): Map<string, Float32Array> {
  const bound = 1 / Math.sqrt(hiddenSize)
  return new Map(
    [...valueHeadShapes(hiddenSize, inner)].map(([name, shape]) => {
      const count = shape.reduce((a, b) => a * b, 1)
      const first = name.includes('fc1')
      return [name, Float32Array.from({ length: count }, () => (first ? (2 * uniform() - 1) * bound : 0))]
    }),
  )
}

export function valueHeadFeeds(parameters: ValueHeadParameters, hiddenSize: number): Record<string, Tensor> {
  const inner = parameters.get('value_head.fc1.bias')?.length ?? 0
  return Object.fromEntries(
    [...valueHeadShapes(hiddenSize, inner)].map(([name, shape]) => [
      name,
      tensor('float32', shape, parameters.get(name) ?? []),
    ]),
  )
}
