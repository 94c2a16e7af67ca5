// What sessions over one weight of 64 MB take on the software adapter, whose memory is this process's own: the weight as an
// initialiser of each, or held on the device once and fed to all. Prints MB, one JSON line. Linux, by hand:
//   node --expose-gc --import tsx src/main/engine/graph/testing/measureDeviceWeights.ts (initialisers|inputs) SESSIONS [8]
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { DeviceMemory } from '../deviceMemory.ts'
import { GraphBuilder } from '../graphBuilder.ts'
import type { Graph } from '../ir.ts'
import { OrtSession } from '../ortSession.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { tensorOps } from '../tensorOps.ts'
import { holdDevice } from './holdDevice.ts'

const [how = 'initialisers', count = '1', bits = '32'] = process.argv.slice(2)
const isFed = how === 'inputs'
const width = 4096
const folder = mkdtempSync(join(tmpdir(), 'fisao-device-weights-'))
const file = join(folder, 'weights')
const sizeBytes = 4 * width ** 2

/** y = x Wᵀ with 4096 x 4096 numbers of float32, or four times as many of 8 bits. */
function product(): Graph {
  const g = new GraphBuilder('product')
  const x = g.input('x', 'float32', [1, width])
  const [dtype, shape] =
    bits === '8' ? (['uint8', [4 * width, width / 128, 128]] as const) : (['float32', [width, width]] as const)
  const w = isFed ? g.input('w', dtype, shape) : g.external('w', dtype, shape, { file, offsetBytes: 0, sizeBytes })
  if (bits === '8') {
    const scales = g.constant('float32', [4 * width, width / 128], new Float32Array(width ** 2 / 32).fill(0.01))
    const attributes = { K: width, N: 4 * width, bits: 8, block_size: 128, accuracy_level: 1 }
    g.output('y', g.emit('MatMulNBits', [x, w, scales], attributes))
  } else g.output('y', tensorOps(g).gemm(x, w, { transB: true }))
  return g.build()
}

function weight(): Tensor {
  const bytes = new Uint8Array(readFileSync(file))
  if (bits === '8') return tensor('uint8', [4 * width, width / 128, 128], bytes)
  return tensor('float32', [width, width], new Float32Array(bytes.buffer))
}

/** Once the arrays of this script are gone, which another thread frees. */
async function residentMb(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await setTimeout(200)
  }
  return (1024 / 1e6) * Number(/RssAnon:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
}

const x = tensor('float32', [1, width], new Float32Array(width).fill(1))
writeFileSync(file, new Uint8Array(new Float32Array(width ** 2).fill(0.01).buffer))
const device = await holdDevice('webgpu')
await device.run({ x: tensor('float32', [1], [1]) })
const before = await residentMb()
const memory = new DeviceMemory('webgpu')
const held = isFed ? memory.hold({ w: weight() }) : null
const sessions: OrtSession[] = []
for (let i = 0; i < Number(count); i++) {
  const session = await OrtSession.open(product(), { device: 'webgpu' })
  sessions.push(session)
  await session.compute({ x, ...held?.feeds() })
}
process.stdout.write(`${JSON.stringify({ how, bits, count, mb: Math.round((await residentMb()) - before) })}\n`)
for (const one of [...sessions, held, memory, device]) await one?.release()
rmSync(folder, { recursive: true })
