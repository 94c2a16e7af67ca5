// One application of an op, as the rules of the catalogue (ops.ts) see it, and how a rule refuses one.
import { type ErrorCode, StudioError } from '../../../shared/errors.ts'
import { type Dim, formatShape, type Shape } from './dims.ts'
import type { Attributes, DType, Value } from './ir.ts'

/** What a rule says of one output. */
export interface ValueType {
  readonly dtype: DType
  readonly shape: Shape
  readonly content?: readonly Dim[]
}

export interface OpCall {
  readonly op: string
  /** Name of the node, for messages. */
  readonly where: string
  readonly inputs: readonly (Value | null)[]
  /** With the op's defaults filled in. */
  readonly attributes: Attributes
  readonly outputCount: number
}

/** From operands and attributes to the dtype, shape and known content of each output. @throws StudioError */
export type ShapeRule = (call: OpCall) => ValueType[]

/** The operand at `index`. @throws StudioError `graph.arity` when it was left out */
export function operand(call: OpCall, index: number): Value {
  const value = call.inputs[index]
  if (!value) throw refusal(call, 'arity', `needs operand ${index}`, 'a value', 'none')
  return value
}

/** The attribute as a number; the catalogue has checked its kind. */
export function numberAttribute(call: OpCall, name: string): number {
  return call.attributes[name] as number
}

/** A possibly negative axis as an index into `rank` axes. @throws StudioError `graph.shape` */
export function axisIndex(call: OpCall, axis: number, rank: number): number {
  const index = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(index) || index < 0 || index >= rank) {
    throw refusal(call, 'shape', 'names an axis that its operand lacks', `-${rank}..${rank - 1}`, `${axis}`)
  }
  return index
}

/** The known content of an operand such as a shape. @throws StudioError `graph.content` when it is not known */
export function contentOf(call: OpCall, index: number): readonly Dim[] {
  const value = operand(call, index)
  if (value.content) return value.content
  throw refusal(call, 'content', `must know operand ${index} before the run`, 'known content', value.name)
}

/** The content as plain numbers. @throws StudioError `graph.content` */
export function integersOf(call: OpCall, index: number): number[] {
  return contentOf(call, index).map((dim) => {
    if (typeof dim === 'number') return dim
    throw refusal(call, 'content', `needs plain numbers in operand ${index}`, 'a number', dim)
  })
}

/** @throws StudioError `graph.dtype` unless the operands have one dtype, which is returned */
export function sameDtype(call: OpCall, ...values: readonly (Value | null | undefined)[]): DType {
  const present = values.filter((value) => value != null)
  const dtype = (present[0] as Value).dtype
  const other = present.find((value) => value.dtype !== dtype)
  if (other) throw refusal(call, 'dtype', 'mixes element types', dtype, `${other.dtype} (${other.name})`)
  return dtype
}

/** @throws StudioError `graph.dtype` */
export function requireDtype(call: OpCall, value: Value, ...allowed: readonly DType[]): void {
  if (!allowed.includes(value.dtype)) {
    throw refusal(call, 'dtype', `cannot take ${value.name}`, allowed.join(' or '), value.dtype)
  }
}

/** The sizes of two axes that must agree. @throws StudioError `graph.shape` */
export function requireEqual(call: OpCall, what: string, expected: Dim, found: Dim): void {
  if (expected !== found) throw refusal(call, 'shape', `needs equal ${what}`, `${expected}`, `${found}`)
}

/** ONNX multidirectional broadcasting; an axis of unknown size broadcasts only with itself and with 1. */
export function broadcast(call: OpCall, ...shapes: readonly Shape[]): Shape {
  let result: Dim[] = []
  for (const shape of shapes) {
    const [long, short] = shape.length > result.length ? [shape, result] : [result, shape]
    const lead = long.length - short.length
    result = long.map((dim, i) => {
      const other = i < lead ? 1 : (short[i - lead] as Dim)
      if (dim === other || other === 1) return dim
      if (dim === 1) return other
      throw refusal(call, 'shape', 'cannot broadcast its operands', formatShape(long), formatShape(short))
    })
  }
  return result
}

/** An error that names the op, the node and what was wrong with its call. */
export function refusal(
  call: Pick<OpCall, 'op' | 'where'>,
  problem: string,
  what: string,
  expected: string,
  found: string,
): StudioError {
  const code: ErrorCode = `graph.${problem}`
  return new StudioError({
    code,
    message: `The op ${call.op} ${what}: expected ${expected}, found ${found}.`,
    remedy: 'Report this fault with the model’s config.json: the graph was built wrongly.',
    expected,
    found,
    where: call.where,
  })
}
