// The intermediate representation: what a model author writes, autodiff extends, and onnxWriter.ts serialises.
//
//   graph       ::= inputs initializers nodes outputs
//   input       ::= value                              fed at each run
//   initializer ::= value source                       source ::= inline numbers | slice of a file
//   node        ::= values = op(operand ...) {attribute ...} [segment]
//   operand     ::= value | null                       null: an optional operand left out
//   output      ::= name value                         fetched at each run
//   value       ::= name ":" dtype shape [content]     assigned once
//   shape       ::= [dim ...]                          dim ::= number | polynomial in named sizes (dims.ts)
//
// Nodes stand in an order in which every operand is assigned before it is used. All parts are frozen.
// How to write a graph:
//
//   const g = new GraphBuilder('scores')                                        graphBuilder.ts
//   const { gemm, softmax } = tensorOps(g)                                      tensorOps.ts
//   const x = g.input('x', 'float32', ['batch', 64])
//   const w = g.external('head.weight', 'float32', [10, 64], { file, offsetBytes, sizeBytes })
//   g.output('probabilities', softmax(gemm(x, w, { transB: true }), -1))
//   const [dw] = gradients(g, loss, [w])                                        ../autodiff/backward.ts
//   const session = await OrtSession.open(g.build(), { device: 'cpu' })         ortSession.ts
import type { Dim, Shape } from './dims.ts'

/** Element types, by ONNX Runtime's names; two of `uint4` share a byte, the first of them in its lower half. */
export type DType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int8'
  | 'uint8'
  | 'uint4'
  | 'bool'

/** A tensor that exists while a graph runs. */
export interface Value {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  /** The numbers of a small integer tensor where they are known before the run: shapes, axes, slice bounds. */
  readonly content?: readonly Dim[]
}

/** A dtype stands for itself (`Cast`'s `to`); whether a number is an int or a float is the op catalogue's to say. */
export type Attribute = number | string | readonly number[]
export type Attributes = Readonly<Record<string, Attribute>>

export interface Node {
  readonly name: string
  /** An op of the catalogue (ops.ts). */
  readonly op: string
  readonly inputs: readonly (Value | null)[]
  readonly outputs: readonly Value[]
  readonly attributes: Attributes
  /** The part of the model that is recomputed as one in the backward pass, usually a layer; null for none. */
  readonly segment: string | null
}

/** The array that holds each dtype's numbers; float16 and bfloat16 as their 16 bits, uint4 as its bytes, bool as 0 and 1. */
export interface ValueArrays {
  readonly float32: Float32Array
  readonly float64: Float64Array
  readonly float16: Uint16Array
  readonly bfloat16: Uint16Array
  readonly int64: BigInt64Array
  readonly int32: Int32Array
  readonly int8: Int8Array
  readonly uint8: Uint8Array
  readonly uint4: Uint8Array
  readonly bool: Uint8Array
}

/** Numbers of a dtype, row-major. */
export type TypedValues<T extends DType = DType> = ValueArrays[T]

/** A slice of a file that holds a tensor row-major and little-endian, e.g. of a `.safetensors` file. */
export interface FileSlice {
  /** Absolute path. */
  readonly file: string
  readonly offsetBytes: number
  readonly sizeBytes: number
}

export type Initializer =
  | { readonly value: Value; readonly inline: TypedValues }
  | { readonly value: Value; readonly external: FileSlice }

export interface GraphOutput {
  readonly name: string
  readonly value: Value
}

export interface Graph {
  readonly name: string
  readonly inputs: readonly Value[]
  readonly initializers: readonly Initializer[]
  readonly nodes: readonly Node[]
  readonly outputs: readonly GraphOutput[]
}

/** Bytes of one element. */
export const elementBytes: Readonly<Record<DType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int8: 1,
  uint8: 1,
  uint4: 0.5,
  bool: 1,
}

export function isFloat(dtype: DType): boolean {
  return dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16'
}
