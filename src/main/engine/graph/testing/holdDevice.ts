// Keeps a device open while a script opens and releases its own sessions: ONNX Runtime forgets compiled shaders with the
// last session on a GPU, and compiling them is nearly all the work of a comparison of tiny graphs.
import type { DeviceName } from '../../../../shared/hardware.ts'
import { GraphBuilder } from '../graphBuilder.ts'
import { OrtSession } from '../ortSession.ts'
import { tensorOps } from '../tensorOps.ts'

/** To be released at the end of the script. */
export async function holdDevice(device: DeviceName): Promise<OrtSession> {
  const g = new GraphBuilder('held')
  g.output('y', tensorOps(g).mul(g.input('x', 'float32', ['n']), 2))
  return await OrtSession.open(g.build(), { device })
}
