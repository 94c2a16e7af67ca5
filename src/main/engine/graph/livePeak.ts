// How much memory a run of a graph takes, found without opening it: what stays as long as its session is open, and the values
// that are alive together, in the order in which ONNX Runtime computes them on the CPU. Read by run/memoryPlan.ts.
import { Arena } from './arena.ts'
import { elementCount, evaluateDim } from './dims.ts'
import { elementBytes, type Graph, type Node, type Value } from './ir.ts'
import { largestArray } from './runSizes.ts'

/** Bytes of one graph, in sessions as ortSession.ts opens them on the CPU (no memory pattern). */
export interface GraphMemory {
  /** Weights that are read where they lie in their files; sessions over the same files share them. */
  readonly mappedBytes: number
  /**
   * Numbers of the session's own: inline ones, what is computed from weights alone when it opens (wider copies), and weights in
   * the layout of its products where it prepacks them.
   */
  readonly privateBytes: number
  /** What its runs have ever touched for computed values; the session keeps it. */
  readonly computedBytes: number
  /** Copies of all outputs in this process, a run's worth. */
  readonly outputBytes: number
  /** Of the arrays that it is fed or answers, the largest. */
  readonly largestArrayBytes: number
}

/** Their output is the operand's own bytes, under another shape. */
const views: ReadonlySet<string> = new Set(['Identity', 'Reshape', 'Squeeze', 'Unsqueeze'])

/**
 * @param sizes of the graph's named axes, in the largest run
 * @param isPrepacked whether the session is opened with `prepackWeights`
 * @throws StudioError `graph.dim` for an axis without a size
 */
export function graphMemory(graph: Graph, sizes: ReadonlyMap<string, number>, isPrepacked = false): GraphMemory {
  const bytesOf = ({ shape, dtype }: Value): number => evaluateDim(elementCount(shape), sizes) * elementBytes[dtype]
  const constants = constantNodes(graph)
  const read = valuesReadIn(graph.nodes.filter((node) => !constants.has(node)))
  const packed = isPrepacked ? factorsIn(graph) : new Set<string>()
  let [mappedBytes, privateBytes] = [0, 0]
  for (const initializer of graph.initializers) {
    if (!read.has(initializer.value.name)) continue
    if (packed.has(initializer.value.name)) privateBytes += bytesOf(initializer.value)
    else if ('external' in initializer) mappedBytes += initializer.external.sizeBytes
    else privateBytes += initializer.inline.byteLength
  }
  for (const { op, outputs } of constants) {
    if (views.has(op)) continue
    for (const value of outputs) if (read.has(value.name)) privateBytes += bytesOf(value)
  }
  const outputBytes = graph.outputs.reduce((sum, { value }) => sum + bytesOf(value), 0)
  const largestArrayBytes = largestArray(graph, bytesOf)
  return {
    mappedBytes,
    privateBytes,
    outputBytes,
    largestArrayBytes,
    computedBytes: touchedBytes(graph, constants, bytesOf),
  }
}

/** What the products of a session lay out anew when it opens; the pages of its file are then read no more. */
function factorsIn({ nodes }: Graph): ReadonlySet<string> {
  const places: Readonly<Record<string, readonly number[]>> = { Gemm: [1], MatMul: [1], MatMulNBits: [1, 2, 3] }
  return new Set(nodes.flatMap(({ op, inputs }) => (places[op] ?? []).flatMap((at) => inputs[at]?.name ?? [])))
}

/** Nodes whose operands are all weights or follow from weights; ONNX Runtime computes them once and forgets the operands. */
function constantNodes(graph: Graph): ReadonlySet<Node> {
  const known = new Set(graph.initializers.map(({ value }) => value.name))
  const constants = new Set<Node>()
  for (const node of graph.nodes) {
    if (node.inputs.length === 0 || !node.inputs.every((value) => value === null || known.has(value.name))) continue
    constants.add(node)
    for (const { name } of node.outputs) known.add(name)
  }
  return constants
}

function valuesReadIn(nodes: readonly Node[]): ReadonlySet<string> {
  return new Set(nodes.flatMap(({ inputs }) => inputs.flatMap((value) => (value ? [value.name] : []))))
}

/**
 * A run's computed values in ONNX Runtime's arena: each takes its place before its node runs and leaves it after the last
 * node that reads it. Values that the runtime computes in place of an operand are counted apart: it does so rarely, where it
 * knows both shapes to be equal beforehand.
 */
function touchedBytes(graph: Graph, constants: ReadonlySet<Node>, bytesOf: (value: Value) => number): number {
  const order = executionOrder(graph).filter((node) => !constants.has(node))
  const isOutput = new Set(graph.outputs.map(({ value }) => value.name))
  const left = new Map<string, number>()
  /** A view's bytes are those of what it is a view of. */
  const holders = new Map<string, string>()
  const holderOf = (name: string): string => holders.get(name) ?? name
  for (const { op, inputs, outputs } of order) {
    const [whole] = inputs
    if (views.has(op) && whole) for (const { name } of outputs) holders.set(name, holderOf(whole.name))
    for (const value of inputs) if (value) left.set(holderOf(value.name), (left.get(holderOf(value.name)) ?? 0) + 1)
  }
  for (const name of isOutput) left.set(holderOf(name), Number.POSITIVE_INFINITY)
  const arena = new Arena()
  for (const { op, inputs, outputs } of order) {
    if (!views.has(op)) for (const value of outputs) arena.allocate(value.name, bytesOf(value))
    for (const value of inputs) {
      if (!value) continue
      const holder = holderOf(value.name)
      const uses = (left.get(holder) ?? 0) - 1
      left.set(holder, uses)
      if (uses === 0) arena.free(holder)
    }
    for (const { name } of outputs) if (!left.has(holderOf(name))) arena.free(name)
  }
  return arena.touchedBytes
}

/**
 * The order in which ONNX Runtime computes nodes (`ExecutionOrder::DEFAULT`): depth first from those that feed no other,
 * the last first, each after what it needs (`ReverseDFSFrom` in onnxruntime/core/graph/graph.cc).
 */
export function executionOrder(graph: Graph): Node[] {
  const madeBy = new Map<string, number>()
  graph.nodes.forEach(({ outputs }, i) => {
    for (const { name } of outputs) madeBy.set(name, i)
  })
  const needs = graph.nodes.map(({ inputs }) => {
    const makers = inputs.flatMap((value) => (value ? (madeBy.get(value.name) ?? []) : []))
    return [...new Set(makers)].sort((a, b) => a - b)
  })
  const isNeeded = new Set(needs.flat())
  const order: Node[] = []
  const seen = new Set<number>()
  const stack = graph.nodes.flatMap((_, at) => (isNeeded.has(at) ? [] : [{ at, isDone: false }]))
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { at, isDone } = next
    if (isDone) {
      order.push(graph.nodes[at] as Node)
      continue
    }
    if (seen.has(at)) continue
    seen.add(at)
    stack.push({ at, isDone: true })
    for (const maker of needs[at] ?? []) if (!seen.has(maker)) stack.push({ at: maker, isDone: false })
  }
  return order
}
