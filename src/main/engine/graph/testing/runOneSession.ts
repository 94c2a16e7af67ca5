// Opens one real session and runs it, as the least that loads everything of ONNX Runtime; silenceTelemetry.test.ts
// looks at what it left behind. With `bare` it goes past ortSession.ts, as any other program would.
import { GraphBuilder } from '../graphBuilder.ts'
import { writeOnnx } from '../onnxWriter.ts'
import { tensorOps } from '../tensorOps.ts'

const g = new GraphBuilder('once')
const ops = tensorOps(g)
g.output('y', ops.add(g.input('x', 'float32', [1]), ops.full([1], 1)))
const graph = g.build()
if (process.argv[2] === 'bare') {
  const { InferenceSession } = await import('onnxruntime-node')
  await InferenceSession.create(writeOnnx(graph).bytes)
} else {
  const { OrtSession, tensor } = await import('../ortSession.ts')
  const session = await OrtSession.open(graph, { device: 'cpu' })
  const { y } = await session.compute({ x: tensor('float32', [1], [1]) })
  await session.release()
  process.stdout.write(`${y?.values[0]}\n`)
}
