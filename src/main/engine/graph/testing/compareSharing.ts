// Sessions of a device over the same two weights: how many tensors stand there, whether each answers what the processor does,
// and what is left when one cannot be opened, as one JSON line. A process of its own: the software adapter must be named in
// the environment before it starts. By hand, on a GPU:
//   npx tsx src/main/engine/graph/testing/compareSharing.ts webgpu
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toErrorRecord } from '../../../../shared/errors.ts'
import { deviceNameSchema } from '../../../../shared/hardware.ts'
import { GraphBuilder } from '../graphBuilder.ts'
import type { FileSlice, Graph } from '../ir.ts'
import { DeviceTensor, OrtSession } from '../ortSession.ts'
import { floatsOf, tensor } from '../tensor.ts'
import { tensorOps } from '../tensorOps.ts'

interface LeftOpen {
  readonly tensors: number
  readonly sessions: number
}

export interface SharingAnswer {
  /** Tensors on the device after each session was opened. */
  readonly held: readonly number[]
  readonly areEqual: readonly boolean[]
  /** After one more could not be opened, with the store's session counted. */
  readonly afterFailure: LeftOpen & { readonly code: string }
  /** After all but the last session were released. */
  readonly afterOne: { readonly tensors: number; readonly areEqual: boolean }
  readonly open: LeftOpen
}

const device = deviceNameSchema.parse(process.argv[2] ?? 'webgpu')
const folder = mkdtempSync(join(tmpdir(), 'fisao-sharing-'))
const file = join(folder, 'weights')
const [rows, columns] = [64, 256]
const floatBytes = 4 * rows ** 2
writeFileSync(
  file,
  Float32Array.from({ length: rows ** 2 }, (_, i) => (1 + (i % 5)) / 64),
)
writeFileSync(
  file,
  Uint8Array.from({ length: rows * columns }, (_, i) => (i * 37) % 251),
  { flag: 'a' },
)
const bytes = { file, offsetBytes: floatBytes, sizeBytes: rows * columns }
const floats = { file, offsetBytes: 0, sizeBytes: floatBytes }

/** y = x Qᵀ Wᵀ, with the 8-bit numbers of Q lying in blocks of this size. */
function product(block: number, q: FileSlice = bytes): Graph {
  const g = new GraphBuilder('product')
  const { gemm, reshape } = tensorOps(g)
  const x = g.input('x', 'float32', ['n', columns])
  const blocks = (rows * columns) / block
  const scales = g.constant('float32', [blocks], new Float32Array(blocks).fill(0.01))
  const zeros = g.constant('uint8', [blocks], new Uint8Array(blocks).fill(128))
  const numbers = g.external('q', 'uint8', [blocks, block], q)
  const dequantised = reshape(g.emit('DequantizeLinear', [numbers, scales, zeros], { axis: 0 }), [rows, columns])
  const w = g.external('w', 'float32', [rows, rows], floats)
  g.output('y', gemm(gemm(x, dequantised, { transB: true }), w, { transB: true }))
  return g.build()
}

const x = tensor(
  'float32',
  [3, columns],
  Float32Array.from({ length: 3 * columns }, (_, i) => Math.sin(i)),
)
const cpu = await OrtSession.open(product(256), { device: 'cpu' })
const expected = floatsOf(await cpu.compute({ x }), 'y')
await cpu.release()
const largest = Math.max(...expected.map(Math.abs))
const isEqual = async (session: OrtSession): Promise<boolean> => {
  const found = floatsOf(await session.compute({ x }), 'y')
  return expected.every((value, i) => Math.abs(value - (found[i] ?? Number.NaN)) < 1e-5 * largest)
}

const graphs = [product(256), product(128), product(256)]
const sessions: OrtSession[] = []
const held: number[] = []
for (const graph of graphs) {
  sessions.push(await OrtSession.open(graph, { device }))
  held.push(DeviceTensor.openCount)
}
const areEqual: boolean[] = []
for (const session of sessions) areEqual.push(await isEqual(session))
const cutOff = { ...bytes, offsetBytes: floatBytes + 4 }
const code = await OrtSession.open(product(256, cutOff), { device }).then(
  () => 'none',
  (error: unknown) => toErrorRecord(error).code,
)
const afterFailure = { code, ...leftOpen() }
const last = sessions.pop() as OrtSession
await Promise.all(sessions.map((session) => session.release()))
const afterOne = { tensors: leftOpen().tensors, areEqual: await isEqual(last) }
await last.release()
const answer: SharingAnswer = { held, areEqual, afterFailure, afterOne, open: leftOpen() }
process.stdout.write(`${JSON.stringify(answer)}\n`)
rmSync(folder, { recursive: true })

function leftOpen(): LeftOpen {
  return { tensors: DeviceTensor.openCount, sessions: OrtSession.openCount }
}
