// Main's view of the engine process: its supervisor, and the device probe that runs whenever it starts anew.
import type { AppState } from '../../shared/contract.ts'
import { toErrorRecord } from '../../shared/errors.ts'
import type { DeviceName, DeviceReport, HardwareReport } from '../../shared/hardware.ts'
import { engineMethods } from '../../shared/workerProtocol.ts'
import { logger } from '../log.ts'
import { WorkerClient } from '../worker/workerClient.ts'
import { startWorkerProcess } from './workerProcess.ts'

type Hardware = Pick<AppState, 'hardware' | 'hardwareError'>

/** The engine, supervised. A device whose driver brings the process down is left out of the next probe. */
export class Engine {
  readonly client: WorkerClient<typeof engineMethods>
  readonly #onChange: () => void
  readonly #crashed = new Set<DeviceName>()
  #hardware: Hardware = { hardware: null, hardwareError: null }
  #probing = false

  constructor(onChange: () => void) {
    this.#onChange = onChange
    this.client = new WorkerClient({
      name: 'engine',
      area: 'engine',
      methods: engineMethods,
      spawn: () => startWorkerProcess('engine'),
      onStatus: onChange,
      log: logger.warn,
    })
  }

  get hardware(): Hardware {
    return this.#hardware
  }

  /** Starts the process and measures the devices. */
  start(): void {
    this.client.start()
    void this.probe()
  }

  stop(): void {
    this.client.stop()
  }

  /** Measures the devices anew; once more without a device that brings the process down. */
  async probe(): Promise<HardwareReport | null> {
    if (this.#probing) return null
    this.#probing = true
    this.#setHardware({ hardware: null, hardwareError: null })
    try {
      for (;;) {
        let trying: DeviceName | null = null
        try {
          const report = await this.client.request(
            'probeDevices',
            { skip: [...this.#crashed] },
            {
              onProgress: ({ device, phase }) => {
                trying = phase === 'done' ? null : device
              },
            },
          )
          const hardware = { ...report, devices: [...report.devices, ...[...this.#crashed].map(crashedReport)] }
          this.#setHardware({ hardware, hardwareError: null })
          return hardware
        } catch (thrown) {
          const culprit = trying as DeviceName | null
          if (culprit === null || culprit === 'cpu' || this.#crashed.has(culprit)) throw thrown
          logger.warn(`the engine ended while trying ${culprit}; it is left out from now on`)
          this.#crashed.add(culprit)
        }
      }
    } catch (thrown) {
      this.#setHardware({ hardware: null, hardwareError: toErrorRecord(thrown, 'device.probe-failed') })
      return null
    } finally {
      this.#probing = false
    }
  }

  #setHardware(hardware: Hardware): void {
    this.#hardware = hardware
    this.#onChange()
  }
}

function crashedReport(device: DeviceName): DeviceReport {
  return {
    device,
    state: 'crashed',
    gemmGflops: null,
    relativeError: null,
    reason: 'Its driver ended the engine process, so it is left alone until the app starts again.',
  }
}
