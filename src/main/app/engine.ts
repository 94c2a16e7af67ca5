// Main's view of the engine process: its supervisor, and the device probe, which its restarts do not lose.
import type { AppState } from '../../shared/contract.ts'
import { StudioError, toErrorRecord } from '../../shared/errors.ts'
import type { DeviceName, DeviceReport, HardwareReport } from '../../shared/hardware.ts'
import { engineMethods } from '../../shared/workerProtocol.ts'
import type { WorkerStatus } from '../../shared/workerStatus.ts'
import { WorkerClient, type WorkerPort } from '../worker/workerClient.ts'

type Hardware = Pick<AppState, 'hardware' | 'hardwareError'>

/** A device is left out after it ended the process this often: once may have been anybody's doing. */
const endsToBlame = 2
/** A probe is given up when the process ended this often in its middle, whatever it was trying. */
const mostAttempts = 8

export interface EngineOptions {
  readonly onChange: () => void
  readonly spawn: () => WorkerPort
  readonly log: (line: string) => void
  /** A probe that says nothing for this long, though its process lives, has lost its way in a driver. */
  readonly probeStallMs?: number
  readonly backoffMs?: number
}

/**
 * The engine, supervised. Its devices are measured whenever the process is ready and no finding is known, so an end
 * in the middle of a probe is followed by another probe. A device whose driver brings it down is left out of the next.
 */
export class Engine {
  readonly client: WorkerClient<typeof engineMethods>
  readonly #options: EngineOptions
  readonly #ends = new Map<DeviceName, number>()
  #hardware: Hardware = { hardware: null, hardwareError: null }
  #probingSinceMs: number | null = null

  constructor(options: EngineOptions) {
    this.#options = options
    this.client = new WorkerClient({
      name: 'engine',
      area: 'engine',
      methods: engineMethods,
      spawn: options.spawn,
      onStatus: (status) => this.#onStatus(status),
      log: options.log,
      ...(options.backoffMs !== undefined && { backoffMs: options.backoffMs }),
    })
  }

  get hardware(): Hardware {
    return this.#hardware
  }

  /** Since when the devices are being measured; null while they are not. */
  get probingSinceMs(): number | null {
    return this.#probingSinceMs
  }

  /** Starts the process and measures the devices. */
  start(): void {
    this.client.start()
    void this.probe()
  }

  stop(): void {
    this.client.stop()
  }

  /** Measures the devices anew, as often as it takes to come to an end. Null when it cannot, or when a probe is under way. */
  async probe(): Promise<HardwareReport | null> {
    if (this.#probingSinceMs !== null) return null
    this.#probingSinceMs = Date.now()
    this.#setHardware({ hardware: null, hardwareError: null })
    try {
      const hardware = await this.#probeToTheEnd()
      for (const { device, state, reason } of hardware.devices) {
        if (state !== 'not-offered') this.#options.log(`device ${device}: ${reason}`)
      }
      this.#setHardware({ hardware, hardwareError: null })
      return hardware
    } catch (thrown) {
      // One that was stopped on purpose is measured when it is started again; anything else waits for a person.
      const wasStopped = thrown instanceof StudioError && thrown.code === 'engine.stopped'
      const hardwareError = wasStopped ? null : toErrorRecord(thrown, 'device.probe-failed')
      this.#setHardware({ hardware: null, hardwareError })
      return null
    } finally {
      this.#probingSinceMs = null
      this.#options.onChange()
    }
  }

  async #probeToTheEnd(): Promise<HardwareReport> {
    for (let attempt = 1; ; attempt++) {
      const tried: { device: DeviceName | null } = { device: null }
      try {
        const report = await this.#probeOnce(tried)
        return { ...report, devices: [...report.devices, ...this.#leftOut().map(crashedReport)] }
      } catch (thrown) {
        const hasEnded = thrown instanceof StudioError && thrown.code === 'engine.crashed'
        if (!hasEnded || this.client.status.state === 'failed' || attempt >= mostAttempts) throw thrown
        this.#blame(tried.device)
      }
    }
  }

  async #probeOnce(tried: { device: DeviceName | null }): Promise<HardwareReport> {
    const { log, probeStallMs = 180_000 } = this.#options
    const stall = setTimeout(() => {
      log(`the probe of ${tried.device ?? 'the devices'} does not come to an end`)
      this.client.restart('did not come to the end of a device')
    }, probeStallMs)
    try {
      return await this.client.request(
        'probeDevices',
        { skip: this.#leftOut() },
        {
          onProgress: ({ device, phase }) => {
            stall.refresh()
            tried.device = phase === 'done' ? null : device
          },
        },
      )
    } finally {
      clearTimeout(stall)
    }
  }

  /** The processor is never left out: without it there is nothing to work on. */
  #blame(device: DeviceName | null): void {
    if (device === null || device === 'cpu') return
    const ends = (this.#ends.get(device) ?? 0) + 1
    this.#ends.set(device, ends)
    if (ends >= endsToBlame) this.#options.log(`the engine ended while trying ${device}; it is left out from now on`)
  }

  #leftOut(): DeviceName[] {
    return [...this.#ends].filter(([, ends]) => ends >= endsToBlame).map(([device]) => device)
  }

  #onStatus({ state }: WorkerStatus): void {
    const { hardware, hardwareError } = this.#hardware
    if (state === 'ready' && !hardware && !hardwareError) void this.probe()
    this.#options.onChange()
  }

  #setHardware(hardware: Hardware): void {
    this.#hardware = hardware
    this.#options.onChange()
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
