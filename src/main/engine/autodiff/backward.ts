// Reverse-mode differentiation on the IR. Before it stands a forward graph with a loss, in its builder; it adds the
// nodes of the gradients to the same builder, which are then outputs or feed an optimiser's nodes.
import { StudioError } from '../../../shared/errors.ts'
import { type Dim, formatShape, type Shape } from '../graph/dims.ts'
import type { GraphBuilder } from '../graph/graphBuilder.ts'
import { isFloat, type Node, type Value } from '../graph/ir.ts'
import { type TensorOps, tensorOps } from '../graph/tensorOps.ts'
import { recomputation } from './recompute.ts'
import type { Application, Contribution } from './rule.ts'
import { stopsGradient, vjpRule } from './vjpRules.ts'

export interface GradientOptions {
  /** ∂/∂loss, of the loss's dtype and shape; 1 for a scalar loss when left out. */
  readonly cotangent?: Value
  /**
   * Computes what the backward pass needs from inside each segment (GraphBuilder.segment) again instead of keeping
   * it: memory for one segment and the values between segments, for one more forward pass.
   */
  readonly recompute?: boolean
}

/**
 * ∂loss/∂x for each x of `wrt`, with x's dtype and shape. Only what lies between them and the loss is visited, so
 * nothing is computed for frozen parts.
 * @throws StudioError `graph.no-path` when the loss does not depend on one of them, `graph.loss` when the loss has
 *   axes and no cotangent is given, and what {@link vjpRule} throws
 */
export function gradients(
  g: GraphBuilder,
  loss: Value,
  wrt: readonly Value[],
  { cotangent, recompute = false }: GradientOptions = {},
): Value[] {
  return g.outsideSegments(() => {
    const ops = tensorOps(g)
    const path = nodesBetween(g, wrt, loss)
    const sums = new CotangentSums(ops)
    sums.add(loss, () => cotangent ?? seed(g, loss))
    const primal = recompute ? recomputation(g, ops) : (node: Node) => node
    const shared = new Map<string, Value>()
    const once = (key: string, build: () => Value) => {
      const known = shared.get(key) ?? build()
      shared.set(key, known)
      return known
    }
    for (const node of path.nodes.toReversed()) {
      const dy = sums.take(node.outputs[0] as Value)
      if (!dy) continue
      g.scope(`backward/${node.name}`, () => {
        const { inputs, outputs } = primal(node, dy)
        const application: Application = {
          ops,
          g,
          x: inputs as readonly Value[],
          y: outputs[0] as Value,
          outputs,
          dy,
          attributes: node.attributes,
          once,
        }
        const contributions = vjpRule(node.op, node.name)(application)
        node.inputs.forEach((value, i) => {
          if (value && path.active.has(value)) sums.add(value, contributions[i] ?? null, node)
        })
      })
    }
    return wrt.map((value) => sums.take(value) ?? noPath(value))
  })
}

/** Values that depend on `wrt`, and the nodes through which they reach the loss, operands before users. */
function nodesBetween(g: GraphBuilder, wrt: readonly Value[], loss: Value): { nodes: Node[]; active: Set<Value> } {
  const active = new Set(wrt)
  const dependent: Node[] = []
  for (const node of g.nodes) {
    if (stopsGradient(node.op) || !node.inputs.some((value) => value && active.has(value))) continue
    const outputs = node.outputs.filter(({ dtype }) => isFloat(dtype))
    if (outputs.length === 0) continue
    dependent.push(node)
    for (const value of outputs) active.add(value)
  }
  const needed = new Set([loss])
  const nodes: Node[] = []
  for (const node of dependent.toReversed()) {
    if (!node.outputs.some((value) => needed.has(value))) continue
    nodes.push(node)
    for (const value of node.inputs) if (value && active.has(value)) needed.add(value)
  }
  return { nodes: nodes.reverse(), active }
}

/** The contributions to each value's cotangent, summed when they are taken. */
class CotangentSums {
  readonly #ops: TensorOps
  readonly #pending = new Map<Value, Exclude<Contribution, null>[]>()

  constructor(ops: TensorOps) {
    this.#ops = ops
  }

  /** @throws StudioError `graph.no-gradient-rule` when the rule gives nothing for an operand that needs it */
  add(value: Value, contribution: Contribution, node?: Node): void {
    if (contribution === null) throw noContribution(value, node)
    const pending = this.#pending.get(value)
    if (pending) pending.push(contribution)
    else this.#pending.set(value, [contribution])
  }

  /** The sum, or undefined when nothing was contributed. What can add itself comes last, onto what is there. */
  take(value: Value): Value | undefined {
    const pending = this.#pending.get(value) ?? []
    let sum: Value | undefined
    for (const part of pending) {
      if (typeof part !== 'function') continue
      const cotangent = sumTo(this.#ops, part(), value.shape)
      sum = sum ? this.#ops.add(sum, cotangent) : cotangent
    }
    for (const part of pending) if (typeof part !== 'function') sum = part.addTo(sum)
    if (sum) requireLike(value, sum)
    // A value may be taken again, as one of `wrt` that is also an operand of others.
    if (sum) this.#pending.set(value, [() => sum])
    return sum
  }
}

/** The cotangent summed over the axes along which a value of this shape was broadcast. */
function sumTo(ops: TensorOps, cotangent: Value, shape: Shape): Value {
  const lead = cotangent.shape.length - shape.length
  const axes = cotangent.shape.flatMap((dim, i) => (i < lead || (shape[i - lead] as Dim) !== dim ? [i] : []))
  if (axes.length === 0) return cotangent
  return ops.reshape(ops.reduceSum(cotangent, axes, { keepDims: true }), shape)
}

function seed(g: GraphBuilder, loss: Value): Value {
  if (loss.shape.length === 0) return g.scalar(1, loss.dtype)
  throw new StudioError({
    code: 'graph.loss',
    message: `The loss ${loss.name} is not a single number.`,
    remedy: 'Report this fault: a training graph was built wrongly.',
    expected: 'a scalar, or a cotangent',
    found: formatShape(loss.shape),
    where: loss.name,
  })
}

function requireLike(value: Value, cotangent: Value): void {
  const [expected, found] = [value, cotangent].map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`)
  if (expected === found) return
  throw new StudioError({
    code: 'graph.cotangent',
    message: `The gradient of ${value.name} has the wrong type.`,
    remedy: 'Report this fault: a gradient rule is wrong.',
    expected: expected as string,
    found: found as string,
    where: cotangent.name,
  })
}

function noPath(value: Value): never {
  throw new StudioError({
    code: 'graph.no-path',
    message: `The loss does not depend on ${value.name}.`,
    remedy: 'Report this fault: a training graph was built wrongly.',
    expected: 'a parameter on the way to the loss',
    found: value.name,
    where: value.name,
  })
}

function noContribution(value: Value, node: Node | undefined): StudioError {
  return new StudioError({
    code: 'graph.no-gradient-rule',
    message: `The op ${node?.op} has no gradient rule for its operand ${value.name}.`,
    remedy: 'Report this fault: a training graph holds an op that cannot be differentiated.',
    expected: 'a contribution for each operand that needs one',
    found: 'none',
    where: node?.name ?? value.name,
  })
}
