// The engine process: the only part of the engine that knows Electron. Owns the devices.
import { engineMethods } from '../../shared/workerProtocol.ts'
import { parentPort } from '../worker/parentPort.ts'
import { serveMethods } from '../worker/serveMethods.ts'
import { probeDevices } from './graph/deviceProbe.ts'

/** A device that compiles its first shaders, or a slow one, blocks this thread for up to this long. */
const deviceQuietMs = 120_000

serveMethods(
  engineMethods,
  {
    probeDevices: ({ skip }, { report, quietFor }) =>
      probeDevices({
        skip,
        onProgress: (device, phase) => {
          report({ device, phase })
          quietFor(deviceQuietMs)
        },
      }),
  },
  parentPort(),
)
