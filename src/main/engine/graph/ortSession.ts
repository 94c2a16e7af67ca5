// The one file that knows ONNX Runtime: which devices it offers, sessions on them, and runs.
import ort from 'onnxruntime-node'
import { StudioError } from '../../../shared/errors.ts'
import type { DeviceName } from '../../../shared/hardware.ts'

/** A float32 tensor in row-major order. */
export interface FloatTensor {
  readonly values: Float32Array
  readonly shape: readonly number[]
}

/** The version of ONNX Runtime that runs the graphs. */
export const runtimeVersion: string = ort.env.versions.node ?? ort.env.versions.common

/** Execution providers that this build of ONNX Runtime has on this platform; having one is not yet opening it. */
export function offeredDevices(): DeviceName[] {
  const names = new Set(ort.listSupportedBackends().map(({ name }) => name))
  return (['cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const).filter((device) => names.has(device))
}

/** A graph that is loaded on a device. */
export class OrtSession {
  readonly device: DeviceName
  readonly #session: ort.InferenceSession

  private constructor(device: DeviceName, session: ort.InferenceSession) {
    this.device = device
    this.#session = session
  }

  /**
   * Loads an ONNX model on a device. No other device takes over when it cannot be opened.
   * @throws StudioError `device.open-failed` with what ONNX Runtime said
   */
  static async open(model: Uint8Array, device: DeviceName): Promise<OrtSession> {
    try {
      const session = await ort.InferenceSession.create(model, {
        executionProviders: [device],
        // A machine that is also used for something else runs faster without spinning threads.
        extra: { session: { intra_op: { allow_spinning: '0' } } },
        enableMemPattern: false,
      })
      return new OrtSession(device, session)
    } catch (cause) {
      throw deviceError('open-failed', device, 'could not be opened', cause)
    }
  }

  /**
   * Runs the graph; blocks this thread until the device has answered.
   * @throws StudioError `device.run-failed` with what ONNX Runtime said
   */
  async run(inputs: Readonly<Record<string, FloatTensor>>): Promise<Record<string, FloatTensor>> {
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, { values, shape }]) => [name, new ort.Tensor('float32', values, shape)]),
    )
    try {
      const results = await this.#session.run(feeds)
      return Object.fromEntries(
        Object.entries(results).map(([name, tensor]) => [
          name,
          { values: tensor.data as Float32Array, shape: tensor.dims },
        ]),
      )
    } catch (cause) {
      throw deviceError('run-failed', this.device, 'failed while it was computing', cause)
    }
  }

  /** Gives the session's memory back. */
  async release(): Promise<void> {
    await this.#session.release()
  }
}

function deviceError(problem: string, device: DeviceName, what: string, cause: unknown): StudioError {
  return new StudioError(
    {
      code: `device.${problem}`,
      message: `The device ${device} ${what}.`,
      remedy: 'Update its driver, or go on with another device.',
      found: cause instanceof Error ? cause.message : String(cause),
      where: device,
    },
    { cause },
  )
}
