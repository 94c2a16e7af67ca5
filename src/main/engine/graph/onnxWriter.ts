// Writes a verified graph as ONNX protobuf; weights stay in their files and are pointed at.
// Before it stands graphBuilder.ts, after it ortSession.ts.
import { realpathSync } from 'node:fs'
import { dirname, relative, sep } from 'node:path'
import onnxProto from 'onnx-proto'
import { StudioError } from '../../../shared/errors.ts'
import type { Shape } from './dims.ts'
import type { Attribute, DType, Graph, Initializer, Node, Value } from './ir.ts'
import { type Domain, opSpec, opsets } from './ops.ts'

const { onnx } = onnxProto

/** IR version of opset 21 (https://onnx.ai/onnx/repo-docs/Versioning.html). */
const irVersion = 10

/** Element types as ONNX numbers them. */
const elementTypes: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
  uint4: 21,
}

/** A graph ready for a session. */
export interface OnnxModel {
  /** An ONNX ModelProto. */
  readonly bytes: Uint8Array
  /** The folder that the places of external weights are relative to; null when all numbers are inside. */
  readonly weightsFolder: string | null
}

/**
 * The graph as ONNX. Weight files are named by their real paths below their common folder, because
 * ONNX Runtime refuses links, absolute paths and `..`.
 * @throws StudioError `weights.missing` when a weight file is not there, `weights.no-common-folder` when the
 *   files are on different drives
 */
export function writeOnnx(graph: Graph): OnnxModel {
  const files = realPaths(graph.initializers)
  const weightsFolder = files.size > 0 ? commonFolder([...files.values()]) : null
  const names = new Map<Value, string>(graph.outputs.map(({ name, value }) => [value, name]))
  const nameOf = (value: Value | null): string => (value ? (names.get(value) ?? value.name) : '')
  const domains = new Set<Domain>(['', ...graph.nodes.map(({ op }) => opSpec(op).domain)])
  const model = onnx.ModelProto.create({
    irVersion,
    producerName: 'fisao-studio',
    opsetImport: [...domains].map((domain) => ({ domain, version: opsets[domain] })),
    graph: {
      name: graph.name,
      input: graph.inputs.map((value) => valueInfo(value.name, value)),
      output: graph.outputs.map(({ name, value }) => valueInfo(name, value)),
      initializer: graph.initializers.map((initializer) =>
        tensor(initializer, (file) => placeOf(files.get(file) as string, weightsFolder as string)),
      ),
      node: graph.nodes.map((node) => nodeProto(node, nameOf)),
    },
  })
  return { bytes: onnx.ModelProto.encode(model).finish(), weightsFolder }
}

function nodeProto(node: Node, nameOf: (value: Value | null) => string) {
  const { domain, attributes } = opSpec(node.op)
  return {
    name: node.name,
    opType: node.op,
    domain,
    input: node.inputs.map(nameOf),
    output: node.outputs.map(nameOf),
    attribute: Object.entries(node.attributes).map(([name, value]) => ({
      name,
      ...attributeProto((attributes[name] as [string, unknown])[0], value),
    })),
  }
}

function attributeProto(kind: string, value: Attribute) {
  const { AttributeType } = onnx.AttributeProto
  if (kind === 'int') return { type: AttributeType.INT, i: value as number }
  if (kind === 'float') return { type: AttributeType.FLOAT, f: value as number }
  if (kind === 'ints') return { type: AttributeType.INTS, ints: [...(value as readonly number[])] }
  if (kind === 'dtype') return { type: AttributeType.INT, i: elementTypes[value as DType] }
  return { type: AttributeType.STRING, s: Buffer.from(value as string) }
}

function tensor(initializer: Initializer, place: (file: string) => string) {
  const { name, dtype, shape } = initializer.value
  const head = { name, dataType: elementTypes[dtype], dims: shape as readonly number[] as number[] }
  if ('inline' in initializer) {
    const { buffer, byteOffset, byteLength } = initializer.inline
    return { ...head, rawData: new Uint8Array(buffer, byteOffset, byteLength) }
  }
  const { file, offsetBytes, sizeBytes } = initializer.external
  return {
    ...head,
    dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
    externalData: [
      { key: 'location', value: place(file) },
      { key: 'offset', value: `${offsetBytes}` },
      { key: 'length', value: `${sizeBytes}` },
    ],
  }
}

function valueInfo(name: string, { dtype, shape }: { dtype: DType; shape: Shape }) {
  const dim = shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }))
  return { name, type: { tensorType: { elemType: elementTypes[dtype], shape: { dim } } } }
}

function realPaths(initializers: readonly Initializer[]): Map<string, string> {
  const paths = new Map<string, string>()
  for (const initializer of initializers) {
    if ('inline' in initializer || paths.has(initializer.external.file)) continue
    const { file } = initializer.external
    try {
      paths.set(file, realpathSync(file))
    } catch (cause) {
      throw unreadableWeights(file, cause)
    }
  }
  return paths
}

/** `weights.missing` */
export function unreadableWeights(file: string, cause: unknown): StudioError {
  return new StudioError(
    {
      code: 'weights.missing',
      message: `The weight file ${file} cannot be read.`,
      remedy: 'Add the model again, or put the file back.',
      found: cause instanceof Error ? cause.message : String(cause),
      where: file,
    },
    { cause },
  )
}

/** The deepest folder above all files. @throws StudioError `weights.no-common-folder` */
function commonFolder(files: readonly string[]): string {
  let folder = dirname(files[0] as string)
  while (!files.every((file) => isInside(file, folder))) {
    const parent = dirname(folder)
    if (parent === folder) {
      throw new StudioError({
        code: 'weights.no-common-folder',
        message: 'The files of the model lie on different drives.',
        remedy: 'Put all files of the model into one folder.',
        found: files.join(', '),
      })
    }
    folder = parent
  }
  return folder
}

function isInside(file: string, folder: string): boolean {
  return file.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

function placeOf(file: string, folder: string): string {
  return relative(folder, file).split(sep).join('/')
}
