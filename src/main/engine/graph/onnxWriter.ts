// Writes graphs as ONNX protobuf. Before it stands whoever describes a graph, after it ortSession.ts.
import onnxProto from 'onnx-proto'

const { onnx } = onnxProto

/** ONNX operator set that every graph is written for. */
export const opset = 21
/** IR version that goes with it (https://onnx.ai/onnx/repo-docs/Versioning.html). */
const irVersion = 10

/** A float32 tensor that enters or leaves a graph; a dimension is a size or the name of one. */
export interface TensorSpec {
  readonly name: string
  readonly shape: readonly (number | string)[]
}

/** One operator application. */
export interface NodeSpec {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** A graph in topological order. */
export interface GraphSpec {
  readonly name: string
  readonly inputs: readonly TensorSpec[]
  readonly nodes: readonly NodeSpec[]
  readonly outputs: readonly TensorSpec[]
}

/** The graph as bytes of an ONNX ModelProto. */
export function writeOnnx(graph: GraphSpec): Uint8Array {
  const model = onnx.ModelProto.create({
    irVersion,
    producerName: 'fisao-studio',
    opsetImport: [{ domain: '', version: opset }],
    graph: {
      name: graph.name,
      input: graph.inputs.map(valueInfo),
      output: graph.outputs.map(valueInfo),
      node: graph.nodes.map(({ op, inputs, outputs }) => ({
        name: outputs[0] ?? op,
        opType: op,
        input: [...inputs],
        output: [...outputs],
      })),
    },
  })
  return onnx.ModelProto.encode(model).finish()
}

function valueInfo({ name, shape }: TensorSpec): { name: string; type: object } {
  const dim = shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }))
  return { name, type: { tensorType: { elemType: onnx.TensorProto.DataType.FLOAT, shape: { dim } } } }
}
