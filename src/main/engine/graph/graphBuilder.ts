// Builds graphs: each value gets its type from the op catalogue at once, so a mistake fails at the line that makes it.
// Model authors write through tensorOps.ts, autodiff adds its nodes to the same builder; build() freezes the graph.
import { StudioError } from '../../../shared/errors.ts'
import { canonicalDim, type Dim, dimTerms, elementCount, formatShape, type Shape } from './dims.ts'
import {
  type Attributes,
  type DType,
  elementBytes,
  type FileSlice,
  type Graph,
  type GraphOutput,
  type Initializer,
  type Node,
  type TypedValues,
  type Value,
} from './ir.ts'
import type { ValueType } from './opCall.ts'
import { inferTypes, type OpName } from './ops.ts'
import { typedValues } from './typedValues.ts'
import { verify } from './verify.ts'

/** Integer constants of at most this many elements keep their content for shape rules. */
const knownContentLimit = 64

export class GraphBuilder {
  readonly name: string
  readonly #inputs: Value[] = []
  readonly #initializers = new Map<Value, Initializer>()
  readonly #nodes: Node[] = []
  readonly #outputs: GraphOutput[] = []
  readonly #producers = new Map<Value, Node>()
  readonly #names = new Set<string>()
  readonly #counts = new Map<string, number>()
  /** Constants and run-time sizes that exist already, by what they hold. */
  readonly #shared = new Map<string, Value>()
  #scope: readonly string[] = []
  #segment: string | null = null

  constructor(name: string) {
    this.name = name
  }

  /** Nodes so far, operands before users. */
  get nodes(): readonly Node[] {
    return this.#nodes
  }

  /** The node that assigns the value; undefined for inputs and initializers. */
  producer(value: Value): Node | undefined {
    return this.#producers.get(value)
  }

  /** A tensor fed at each run. Names in its shape are sizes that each run may choose. */
  input(name: string, dtype: DType, shape: Shape): Value {
    const value = this.#declare(name, { dtype, shape: shape.map(canonicalDim) })
    this.#inputs.push(value)
    return value
  }

  /** Numbers stored in the graph itself, row-major; equal small ones are shared. @throws StudioError `graph.shape` */
  constant(dtype: DType, shape: readonly number[], numbers: TypedValues | readonly number[]): Value {
    if (numbers.length !== elementCount(shape)) {
      throw misuse('shape', 'A constant has the wrong number of elements.', formatShape(shape), `${numbers.length}`)
    }
    const small = numbers.length <= knownContentLimit
    const key = small ? `${dtype}${formatShape(shape)}${numbers.join()}` : null
    const known = key !== null && this.#shared.get(key)
    if (known) return known
    const content = small && dtype === 'int64' ? { content: Array.from(numbers, Number) } : {}
    const value = this.#declare(this.#fresh('constant', false), { dtype, shape, ...content })
    this.#initializers.set(value, Object.freeze({ value, inline: typedValues(dtype, numbers) }))
    if (key !== null) this.#shared.set(key, value)
    return value
  }

  /** One number, as a tensor without axes. */
  scalar(number: number, dtype: DType = 'float32'): Value {
    return this.constant(dtype, [], [number])
  }

  /** A weight that stays in its file and is mapped from there. @throws StudioError `graph.shape` */
  external(name: string, dtype: DType, shape: readonly number[], slice: FileSlice): Value {
    const expected = (elementCount(shape) as number) * elementBytes[dtype]
    if (slice.sizeBytes !== expected) {
      throw misuse('shape', `The weight ${name} has the wrong size.`, `${expected} bytes`, `${slice.sizeBytes} bytes`)
    }
    const value = this.#declare(name, { dtype, shape })
    this.#initializers.set(value, Object.freeze({ value, external: Object.freeze({ ...slice }) }))
    return value
  }

  /**
   * Applies an op with one output; its type follows from the catalogue.
   * @throws StudioError as {@link inferTypes} does
   */
  emit(op: OpName, inputs: readonly (Value | null)[], attributes: Attributes = {}): Value {
    return this.emitMany(op, inputs, attributes, 1)[0] as Value
  }

  /** As {@link emit}, for ops with several outputs. */
  emitMany(op: OpName, inputs: readonly (Value | null)[], attributes: Attributes, outputCount: number): Value[] {
    const name = this.#fresh(op, true)
    const types = inferTypes(op, name, inputs, attributes, outputCount)
    const outputs = types.map((type, i) => this.#declare(i === 0 ? name : `${name}:${i}`, type))
    const node: Node = Object.freeze({
      name,
      op,
      inputs: Object.freeze([...inputs]),
      outputs: Object.freeze(outputs),
      attributes: Object.freeze({ ...attributes }),
      segment: this.#segment,
    })
    this.#nodes.push(node)
    for (const output of outputs) this.#producers.set(output, node)
    return outputs
  }

  /** Names what a run fetches. A value may be an output under one name only; a second name gets a copy. */
  output(name: string, value: Value): void {
    const taken = !this.#producers.has(value) || this.#outputs.some((output) => output.value === value)
    this.#outputs.push(Object.freeze({ name, value: taken ? this.emit('Identity', [value]) : value }))
  }

  /** Nodes built inside carry the name in front of theirs, e.g. `layers.0/`. */
  scope<Result>(name: string, build: () => Result): Result {
    const outer = this.#scope
    this.#scope = [...outer, name]
    try {
      return build()
    } finally {
      this.#scope = outer
    }
  }

  /** As {@link scope}, and the backward pass may recompute the nodes inside instead of keeping their results. */
  segment<Result>(name: string, build: () => Result): Result {
    const outer = this.#segment
    this.#segment = name
    try {
      return this.scope(name, build)
    } finally {
      this.#segment = outer
    }
  }

  /** Nodes built inside belong to no segment: what autodiff adds is not recomputed. */
  outsideSegments<Result>(build: () => Result): Result {
    const outer = this.#segment
    this.#segment = null
    try {
      return build()
    } finally {
      this.#segment = outer
    }
  }

  /** A shape or other list of sizes as an int64 vector; what is not a plain number is read from inputs at each run. */
  sizes(shape: Shape): Value {
    if (shape.every((dim) => typeof dim === 'number')) return this.constant('int64', [shape.length], shape)
    return this.#once(`sizes${formatShape(shape)}`, () =>
      shape.length === 1
        ? this.#size(shape[0] as Dim)
        : this.emit(
            'Concat',
            shape.map((dim) => this.#size(dim)),
            { axis: 0 },
          ),
    )
  }

  /**
   * Freezes and verifies the graph. Nodes and weights that no output needs are left out.
   * @throws StudioError as {@link verify} does
   */
  build(): Graph {
    const needed = new Set<Value>(this.#outputs.map(({ value }) => value))
    const nodes: Node[] = []
    for (const node of this.#nodes.toReversed()) {
      if (!node.outputs.some((value) => needed.has(value))) continue
      nodes.push(node)
      for (const value of node.inputs) if (value) needed.add(value)
    }
    const graph: Graph = Object.freeze({
      name: this.name,
      inputs: Object.freeze([...this.#inputs]),
      initializers: Object.freeze([...this.#initializers.values()].filter(({ value }) => needed.has(value))),
      nodes: Object.freeze(nodes.reverse()),
      outputs: Object.freeze([...this.#outputs]),
    })
    verify(graph)
    return graph
  }

  /** One size as an int64 vector of length 1. */
  #size(dim: Dim): Value {
    if (typeof dim === 'number') return this.constant('int64', [1], [dim])
    return this.#once(`size ${dim}`, () =>
      dimTerms(dim)
        .map(({ coefficient, names }) => {
          const factors = names.map((name) => this.#namedSize(name))
          if (coefficient !== 1 || factors.length === 0) factors.push(this.constant('int64', [1], [coefficient]))
          return factors.reduce((a, b) => this.emit('Mul', [a, b]))
        })
        .reduce((a, b) => this.emit('Add', [a, b])),
    )
  }

  #namedSize(name: string): Value {
    return this.#once(`size ${name}`, () => {
      for (const input of this.#inputs) {
        const axis = input.shape.indexOf(name)
        if (axis >= 0) return this.emit('Shape', [input], { start: axis, end: axis + 1 })
      }
      throw misuse('dim', `No input has an axis of size ${name}.`, `an input with the axis ${name}`, 'none')
    })
  }

  /** Builds a size once, outside of any scope, and shares it. */
  #once(key: string, build: () => Value): Value {
    const known = this.#shared.get(key)
    if (known) return known
    const outer = this.#scope
    this.#scope = ['sizes']
    try {
      const value = this.outsideSegments(build)
      this.#shared.set(key, value)
      return value
    } finally {
      this.#scope = outer
    }
  }

  #declare(name: string, { dtype, shape, content }: ValueType): Value {
    if (this.#names.has(name)) throw misuse('duplicate-name', `The name ${name} is taken.`, 'a new name', name)
    this.#names.add(name)
    return Object.freeze({
      name,
      dtype,
      shape: Object.freeze([...shape]),
      ...(content && { content: Object.freeze([...content]) }),
    })
  }

  #fresh(stem: string, scoped: boolean): string {
    const path = scoped ? [...this.#scope, stem].join('/') : stem
    const count = this.#counts.get(path) ?? 0
    this.#counts.set(path, count + 1)
    return `${path}.${count}`
  }
}

function misuse(problem: string, message: string, expected: string, found: string): StudioError {
  return new StudioError({
    code: `graph.${problem}`,
    message,
    remedy: 'Report this fault with the model’s config.json: the graph was built wrongly.',
    expected,
    found,
  })
}
