// What a gradient rule is. The rules stand in *Rules.ts by family, vjpRules.ts is their table, backward.ts asks it.
import type { GraphBuilder } from '../graph/graphBuilder.ts'
import type { Attributes, Value } from '../graph/ir.ts'
import type { TensorOps } from '../graph/tensorOps.ts'

/**
 * The cotangent of one operand, built when it is asked for. It may have the shape of the op's output: backward.ts
 * sums it over the axes along which the operand was broadcast.
 */
export type Plain = () => Value

/** A contribution that adds itself to what has been collected so far, of exactly the operand's shape. */
export interface Accumulating {
  readonly addTo: (sum: Value | undefined) => Value
}

/** One entry for each operand; null where no gradient flows, such as into indices. */
export type Contribution = Plain | Accumulating | null

/** One application of an op as its rule sees it: y = op(x), of which dy = ∂loss/∂y is known. */
export interface Application {
  /** The functions to write gradients with. */
  readonly ops: TensorOps
  /** Operands; one that was left out is undefined. */
  readonly x: readonly Value[]
  /** The first output. */
  readonly y: Value
  readonly outputs: readonly Value[]
  /** Cotangent of the first output, of its dtype and shape. */
  readonly dy: Value
  readonly attributes: Attributes
  /** A node worth building once for all applications, e.g. the negated sines of rotary positions. */
  readonly once: (key: string, build: () => Value) => Value
  readonly g: GraphBuilder
}

/** Vector-Jacobian product: from dy to the cotangents of the operands. */
export type VjpRule = (application: Application) => readonly Contribution[]

/** The op is constant almost everywhere, so its operands get no gradient and nothing is computed for them. */
export const noGradient = 'no gradient'

/** The op has a gradient that is not written down; a graph that must be differentiated may not hold it. */
export interface Refused {
  readonly instead: string
}

export type RuleEntry = VjpRule | typeof noGradient | Refused

/** Zeros of a shape, computed from the cotangent so that ONNX Runtime neither folds nor schedules them early. */
export function zerosAfter({ ops, dy }: Pick<Application, 'ops' | 'dy'>, shape: Value['shape']): Value {
  return ops.expand(ops.zeroAfter(dy), shape)
}
