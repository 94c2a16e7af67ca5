// Checks a whole graph: after build, after differentiation, after adapters. It trusts nothing the builder did,
// so a pass that breaks the rules of ir.ts fails here by name and not in the middle of a run.
import { StudioError } from '../../../shared/errors.ts'
import { dimTerms, elementCount, formatShape } from './dims.ts'
import { elementBytes, type Graph, type Initializer, type Node, type Value } from './ir.ts'
import { inferTypes } from './ops.ts'
import { arrayTypes } from './typedValues.ts'

/**
 * @throws StudioError `graph.duplicate-name` (a name assigned twice), `graph.undefined-value` (used before it is
 *   assigned), `graph.dangling` (an input, weight or node that nothing uses), `graph.type` (declared and inferred
 *   type differ), `graph.dim` (a size that no input has), `graph.initializer`, `graph.output`, and what
 *   {@link inferTypes} throws
 */
export function verify(graph: Graph): void {
  const assigned = new Map<string, Value>()
  const sizes = new Set(graph.inputs.flatMap(({ shape }) => shape).flatMap(namesOf))
  const assign = (value: Value) => {
    if (assigned.has(value.name)) throw fault('duplicate-name', 'is assigned twice', 'one assignment', value.name)
    assigned.set(value.name, value)
    const unknown = value.shape.flatMap(namesOf).find((name) => !sizes.has(name))
    if (unknown) throw fault('dim', `has an axis ${unknown} that no input has`, [...sizes].join(), value.name)
  }
  const used = new Set<string>()
  const use = (value: Value, where: string) => {
    if (assigned.get(value.name) !== value)
      throw fault('undefined-value', `is not assigned at ${where}`, 'a value', value.name)
    used.add(value.name)
  }

  for (const input of graph.inputs) assign(input)
  for (const initializer of graph.initializers) {
    assign(initializer.value)
    verifyInitializer(initializer)
  }
  for (const node of graph.nodes) {
    for (const value of node.inputs) if (value) use(value, node.name)
    verifyNode(node)
    for (const value of node.outputs) assign(value)
  }
  verifyOutputs(graph, use)
  verifyUse(graph, used)
}

function verifyInitializer(initializer: Initializer): void {
  const { name, dtype, shape } = initializer.value
  const count = elementCount(shape)
  if ('inline' in initializer) {
    const { inline } = initializer
    if (!(inline instanceof arrayTypes[dtype]) || inline.length !== count) {
      throw fault('initializer', 'does not hold its type', `${count} ${dtype}`, name, `${inline.length}`)
    }
  } else if (typeof count !== 'number' || initializer.external.sizeBytes !== count * elementBytes[dtype]) {
    const { sizeBytes } = initializer.external
    throw fault('initializer', 'has another size in its file', `${count} ${dtype}`, name, `${sizeBytes} bytes`)
  }
}

function verifyNode(node: Node): void {
  const types = inferTypes(node.op, node.name, node.inputs, node.attributes, node.outputs.length)
  node.outputs.forEach((value, i) => {
    const expected = formatType(types[i] as Omit<Value, 'name'>)
    const found = formatType(value)
    if (expected !== found) throw fault('type', 'does not have the type that its op gives', expected, value.name, found)
  })
}

function verifyOutputs(graph: Graph, use: (value: Value, where: string) => void): void {
  const produced = new Set(graph.nodes.flatMap(({ outputs }) => outputs))
  const names = new Set<string>()
  const values = new Set<Value>()
  if (graph.outputs.length === 0) throw fault('output', 'has no output', 'an output', graph.name)
  for (const { name, value } of graph.outputs) {
    use(value, `output ${name}`)
    if (names.has(name)) throw fault('duplicate-name', 'names two outputs', 'one output', name)
    if (values.has(value)) throw fault('output', 'is an output under two names', 'one name', value.name)
    if (!produced.has(value)) throw fault('output', 'is an output that no node makes', 'a node', value.name)
    names.add(name)
    values.add(value)
  }
}

function verifyUse(graph: Graph, used: ReadonlySet<string>): void {
  const values = [...graph.inputs, ...graph.initializers.map(({ value }) => value)]
  const unused =
    values.find(({ name }) => !used.has(name)) ??
    graph.nodes.find(({ outputs }) => outputs.every(({ name }) => !used.has(name)))
  if (unused) throw fault('dangling', 'feeds nothing', 'a node or output that uses it', unused.name)
}

function namesOf(dim: Parameters<typeof dimTerms>[0]): string[] {
  return typeof dim === 'number' ? [] : dimTerms(dim).flatMap(({ names }) => names)
}

function formatType({ dtype, shape, content }: Omit<Value, 'name'>): string {
  return `${dtype}${formatShape(shape)}${content ? ` = ${formatShape(content)}` : ''}`
}

function fault(problem: string, what: string, expected: string, where: string, found = where): StudioError {
  return new StudioError({
    code: `graph.${problem}`,
    message: `${where} ${what}.`,
    remedy: 'Report this fault with the model’s config.json: the graph was built wrongly.',
    expected,
    found,
    where,
  })
}
