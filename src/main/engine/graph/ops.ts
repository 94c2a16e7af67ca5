// The op catalogue: every op that a graph may hold, its domain, operands, attributes and shape rule.
// graphBuilder.ts asks it for the type of each new value, verify.ts asks it again, onnxWriter.ts for domains.
import type { Attribute, Attributes, Value } from './ir.ts'
import * as move from './moveRules.ts'
import { type OpCall, refusal, type ShapeRule, type ValueType } from './opCall.ts'
import * as shape from './shapeRules.ts'

/** Operator sets that graphs are written for: the newest versions of each op that ORT 1.30 has on CPU and WebGPU. */
export const opsets = { '': 21, 'com.microsoft': 1 } as const
export type Domain = keyof typeof opsets

type AttributeKind = 'int' | 'float' | 'ints' | 'string' | 'dtype'
/** A kind and the default that ONNX documents; null where the attribute must be given. */
type AttributeSpec = readonly [AttributeKind, Attribute | null]

export interface OpSpec {
  readonly domain: Domain
  /** Fewest and most operands. */
  readonly inputs: readonly [number, number]
  /** Fewest and most outputs. */
  readonly outputs: readonly [number, number]
  readonly attributes: Readonly<Record<string, AttributeSpec>>
  readonly infer: ShapeRule
}

type AttributeSpecs = OpSpec['attributes']

function op(inputs: number | [number, number], infer: ShapeRule, attributes: AttributeSpecs = {}): OpSpec {
  const range: [number, number] = typeof inputs === 'number' ? [inputs, inputs] : inputs
  return { domain: '', inputs: range, outputs: [1, 1], attributes, infer }
}

function contrib(inputs: [number, number], infer: ShapeRule, attributes: AttributeSpecs): OpSpec {
  return { ...op(inputs, infer, attributes), domain: 'com.microsoft' }
}

const axis = (fallback: number | null): AttributeSpecs => ({ axis: ['int', fallback] })
const keepdims: AttributeSpecs = { keepdims: ['int', 1] }
const epsilon: AttributeSpecs = { axis: ['int', -1], epsilon: ['float', 1e-5] }

/** Ops by name. Semantics: https://onnx.ai/onnx/operators and onnxruntime's docs/ContribOperators.md. */
export const catalogue = {
  // Elementwise, one operand.
  Abs: op(1, shape.likeFirst),
  Cast: op(1, shape.cast, { to: ['dtype', null] }),
  Ceil: op(1, shape.floatUnary),
  Cos: op(1, shape.floatUnary),
  Erf: op(1, shape.floatUnary),
  Exp: op(1, shape.floatUnary),
  Floor: op(1, shape.floatUnary),
  Gelu: op(1, shape.floatUnary, { approximate: ['string', 'none'] }),
  Identity: op(1, shape.likeFirst),
  IsInf: op(1, shape.floatTest),
  IsNaN: op(1, shape.floatTest),
  Log: op(1, shape.floatUnary),
  Neg: op(1, shape.likeFirst),
  Not: op(1, shape.logicalNot),
  QuickGelu: contrib([1, 1], shape.floatUnary, { alpha: ['float', 1.702] }),
  Reciprocal: op(1, shape.floatUnary),
  Relu: op(1, shape.floatUnary),
  Round: op(1, shape.floatUnary),
  Sigmoid: op(1, shape.floatUnary),
  Sign: op(1, shape.likeFirst),
  Sin: op(1, shape.floatUnary),
  Softplus: op(1, shape.floatUnary),
  Sqrt: op(1, shape.floatUnary),
  Tanh: op(1, shape.floatUnary),
  // Elementwise, several operands.
  Add: op(2, shape.binary),
  And: op(2, shape.logical),
  Clip: op([1, 3], shape.clip),
  Div: op(2, shape.binary),
  Equal: op(2, shape.comparison),
  Greater: op(2, shape.comparison),
  GreaterOrEqual: op(2, shape.comparison),
  Less: op(2, shape.comparison),
  LessOrEqual: op(2, shape.comparison),
  Max: op(2, shape.binary),
  Min: op(2, shape.binary),
  Mul: op(2, shape.binary),
  Or: op(2, shape.logical),
  Pow: op(2, shape.binary),
  Sub: op(2, shape.binary),
  Where: op(3, shape.select),
  // Products.
  DequantizeLinear: op(3, shape.dequantize, { axis: ['int', 0] }),
  Gemm: op([2, 3], shape.gemm, {
    alpha: ['float', 1],
    beta: ['float', 1],
    transA: ['int', 0],
    transB: ['int', 0],
  }),
  MatMul: op(2, shape.matMul),
  MatMulNBits: contrib([3, 4], shape.matMulNBits, {
    K: ['int', null],
    N: ['int', null],
    bits: ['int', 4],
    block_size: ['int', null],
    accuracy_level: ['int', 0],
  }),
  // Along axes.
  ArgMax: op(1, shape.argMax, { ...axis(0), ...keepdims }),
  ReduceLogSumExp: op(2, shape.reduce, keepdims),
  ReduceMax: op(2, shape.reduce, keepdims),
  ReduceMean: op(2, shape.reduce, keepdims),
  ReduceMin: op(2, shape.reduce, keepdims),
  ReduceSum: op(2, shape.reduce, keepdims),
  ReduceSumSquare: op(2, shape.reduce, keepdims),
  Softmax: op(1, shape.alongAxis, axis(-1)),
  TopK: { ...op(2, shape.topK, { ...axis(-1), largest: ['int', 1], sorted: ['int', 1] }), outputs: [2, 2] },
  // Normalisation and attention.
  GroupQueryAttention: {
    ...contrib([7, 9], shape.groupQueryAttention, {
      num_heads: ['int', null],
      kv_num_heads: ['int', null],
      scale: ['float', 0],
      do_rotary: ['int', 0],
      rotary_interleaved: ['int', 0],
      local_window_size: ['int', -1],
    }),
    outputs: [3, 3],
  },
  LayerNormalization: op([2, 3], shape.normalization, epsilon),
  RotaryEmbedding: contrib([4, 4], shape.rotaryEmbedding, { interleaved: ['int', 0] }),
  /** An ONNX Runtime op that lives in the default domain: root-mean-square normalisation. */
  SimplifiedLayerNormalization: op(2, shape.normalization, epsilon),
  // Moving elements.
  Concat: op([1, 4096], move.concat, axis(null)),
  Expand: op(2, move.expand),
  Gather: op(2, move.gather, axis(0)),
  GatherElements: op(2, move.gatherElements, axis(0)),
  GatherND: op(2, move.gatherNd),
  Pad: op([2, 3], move.pad, { mode: ['string', 'constant'] }),
  Range: op(3, move.range),
  Reshape: op(2, move.reshape),
  ScatterElements: op(3, move.scatterElements, { ...axis(0), reduction: ['string', 'none'] }),
  ScatterND: op(3, move.scatterNd, { reduction: ['string', 'none'] }),
  Shape: op(1, move.shapeOf, { start: ['int', 0], end: ['int', 2 ** 31] }),
  Slice: op(4, move.slice),
  Squeeze: op(2, move.squeeze),
  Transpose: op(1, move.transpose, { perm: ['ints', null] }),
  Trilu: op([1, 2], move.trilu, { upper: ['int', 1] }),
  Unsqueeze: op(2, move.unsqueeze),
} as const satisfies Record<string, OpSpec>

export type OpName = keyof typeof catalogue

/** The op's entry. @throws StudioError `graph.unknown-op` */
export function opSpec(name: string, where = name): OpSpec {
  if (Object.hasOwn(catalogue, name)) return catalogue[name as OpName]
  throw refusal({ op: name, where }, 'unknown-op', 'is not in the catalogue', 'an op of the catalogue', name)
}

/**
 * Types of the outputs of one application.
 * @throws StudioError `graph.unknown-op`, `graph.arity`, `graph.attribute`, `graph.dtype`, `graph.shape`,
 *   `graph.content`, each naming op and node
 */
export function inferTypes(
  name: string,
  where: string,
  inputs: readonly (Value | null)[],
  attributes: Attributes,
  outputCount: number,
): ValueType[] {
  const spec = opSpec(name, where)
  requireCount(name, where, 'operands', spec.inputs, inputs.length)
  requireCount(name, where, 'outputs', spec.outputs, outputCount)
  const call: OpCall = { op: name, where, inputs, attributes: withDefaults(name, where, spec, attributes), outputCount }
  for (let i = 0; i < spec.inputs[0]; i++) {
    if (!inputs[i]) throw refusal(call, 'arity', 'misses an operand', 'a value', 'none')
  }
  return spec.infer(call)
}

function requireCount(
  op: string,
  where: string,
  what: string,
  [least, most]: readonly [number, number],
  count: number,
) {
  if (count >= least && count <= most) return
  throw refusal({ op, where }, 'arity', `has the wrong number of ${what}`, `${least} to ${most}`, `${count}`)
}

function withDefaults(op: string, where: string, spec: OpSpec, given: Attributes): Attributes {
  const filled: Record<string, Attribute> = {}
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(spec.attributes, name)) {
      throw refusal({ op, where }, 'attribute', 'has an unknown attribute', Object.keys(spec.attributes).join(), name)
    }
  }
  for (const [name, [kind, fallback]] of Object.entries(spec.attributes)) {
    const value = given[name] ?? fallback
    if (value === null) throw refusal({ op, where }, 'attribute', `needs ${name}`, kind, 'none')
    if (!isOfKind(kind, value)) throw refusal({ op, where }, 'attribute', `needs ${name}`, kind, `${value}`)
    filled[name] = value
  }
  return filled
}

function isOfKind(kind: AttributeKind, value: Attribute): boolean {
  if (kind === 'int') return Number.isInteger(value)
  if (kind === 'float') return typeof value === 'number'
  if (kind === 'ints') return Array.isArray(value) && value.every(Number.isInteger)
  return typeof value === 'string'
}
