// Recomputation (gradient checkpointing, Chen et al. 2016) inside one graph: the backward pass of a segment reads
// copies of its nodes instead of their first results, so those can be freed. Asked by backward.ts node by node.
import type { GraphBuilder } from '../graph/graphBuilder.ts'
import { isFloat, type Node, type Value } from '../graph/ir.ts'
import type { TensorOps } from '../graph/tensorOps.ts'

/** The operands and results that a rule shall read in place of a node's own. */
export type Primal = (node: Node, dy: Value) => Pick<Node, 'inputs' | 'outputs'>

/**
 * Copies are built when first asked for. ONNX Runtime would compute them as early as it can, which saves nothing;
 * so what enters a segment is read as x + 0 · dy, dy being the first cotangent that reaches the segment: its nodes
 * cannot run before the backward pass arrives there.
 */
export function recomputation(g: GraphBuilder, ops: TensorOps): Primal {
  const readers = segmentsThatRead(g)
  const segments = new Map<string, (value: Value) => Value>()

  return (node, dy) => {
    if (node.segment === null) return node
    const again = segments.get(node.segment) ?? copier(g, ops, node.segment, dy, readers)
    segments.set(node.segment, again)
    return { inputs: node.inputs.map((value) => value && again(value)), outputs: node.outputs.map(again) }
  }
}

/** From a value that a segment reads or makes to its copy. */
function copier(
  g: GraphBuilder,
  ops: TensorOps,
  segment: string,
  dy: Value,
  readers: ReadonlyMap<Value, ReadonlySet<string | null>>,
): (value: Value) => Value {
  const copies = new Map<Value, Value>()
  const zero = ops.zeroAfter(dy)
  const copy = (value: Value): Value => {
    const known = copies.get(value)
    if (known) return known
    const made = make(value)
    copies.set(value, made)
    return made
  }
  const make = (value: Value): Value => {
    const node = g.producer(value)
    // Inputs and weights are there anyway.
    if (!node) return value
    if (node.segment !== segment) {
      // What other segments read too, such as masks, is kept for them; tying it would only copy it.
      const own = (readers.get(value)?.size ?? 0) === 1 && isFloat(value.dtype) && value.shape.length > 0
      return own ? ops.add(value, ops.cast(zero, value.dtype)) : value
    }
    const outputs = g.emitMany(
      node.op as Parameters<GraphBuilder['emitMany']>[0],
      node.inputs.map((input) => input && copy(input)),
      node.attributes,
      node.outputs.length,
    )
    node.outputs.forEach((output, i) => {
      copies.set(output, outputs[i] as Value)
    })
    return copies.get(value) as Value
  }
  return copy
}

/** The segments, null among them, whose nodes read each value. */
function segmentsThatRead(g: GraphBuilder): Map<Value, Set<string | null>> {
  const readers = new Map<Value, Set<string | null>>()
  for (const { inputs, segment } of g.nodes) {
    for (const value of inputs) {
      if (!value) continue
      const known = readers.get(value)
      if (known) known.add(segment)
      else readers.set(value, new Set([segment]))
    }
  }
  return readers
}
