// The one file that knows ONNX Runtime: which devices it offers, sessions on them, and runs.
// Before it stands onnxWriter.ts, after it whoever feeds a graph: rollouts, updates, evaluation, the device probe.
import { createRequire } from 'node:module'
import type * as Ort from 'onnxruntime-node'
import { type ErrorCode, StudioError } from '../../../shared/errors.ts'
import type { DeviceName } from '../../../shared/hardware.ts'
import type { DType, Graph, TypedValues } from './ir.ts'
import { writeOnnx } from './onnxWriter.ts'
import { requireAffordable, sizesOf } from './runSizes.ts'
import { silenceTelemetry } from './silenceTelemetry.ts'
import { typedValues } from './typedValues.ts'

// Not an import: a bundle evaluates those before the first statement of any file.
silenceTelemetry()
const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof Ort

/** Element types that can be fed and fetched; bfloat16 lives in weight files only. */
export type TensorDType = Exclude<DType, 'bfloat16'>

/** A tensor in this process's memory, row-major. Feeding it copies nothing on the CPU. */
export interface Tensor {
  readonly dtype: TensorDType
  readonly shape: readonly number[]
  readonly values: TypedValues
}

/** A tensor that stays in the memory of a GPU: an output to feed back, also to another session. */
export class DeviceTensor {
  readonly dtype: TensorDType
  readonly shape: readonly number[]
  readonly ortTensor: Ort.Tensor

  constructor(ortTensor: Ort.Tensor) {
    this.dtype = ortTensor.type as TensorDType
    this.shape = ortTensor.dims
    this.ortTensor = ortTensor
  }

  /** Gives its memory back; using it afterwards is an error. */
  dispose(): void {
    this.ortTensor.dispose()
  }
}

/** `shape` times `dtype`; numbers are rounded to it. */
export function tensor(dtype: TensorDType, shape: readonly number[], numbers: TypedValues | readonly number[]): Tensor {
  return { dtype, shape, values: typedValues(dtype, numbers) }
}

/** The version of ONNX Runtime that runs the graphs. */
export const runtimeVersion: string = ort.env.versions.node ?? ort.env.versions.common

/** Execution providers that this build of ONNX Runtime has on this platform; having one is not yet opening it. */
export function offeredDevices(): DeviceName[] {
  const names = new Set(ort.listSupportedBackends().map(({ name }) => name))
  return (['cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const).filter((device) => names.has(device))
}

export interface SessionOptions {
  readonly device: DeviceName
  /**
   * Lets ONNX Runtime keep weights in a private, faster layout: 5-12 % less time a step on the CPU, at the price
   * of a copy of the weights and a slow start. Off, sessions over the same weight files share one copy.
   */
  readonly prepackWeights?: boolean
  /**
   * Converts half-precision weights to a private float32 copy when the session opens. Off, they are converted
   * at each use: no copy, but about a third of the speed.
   */
  readonly foldConstants?: boolean
  /** Outputs that stay on the device as {@link DeviceTensor}; a run then fetches all outputs. */
  readonly keepOnDevice?: readonly string[]
  /** Threads that compute one op; one for each core when left out. */
  readonly threads?: number
  /** Off, the graph runs node by node as written; for checks of single ops. */
  readonly optimize?: boolean
  /** Where {@link OrtSession.endProfiling} finds its figures: the beginning of a file's path. */
  readonly profilePrefix?: string
}

export interface RunOptions {
  /** Outputs to fetch; all when left out. */
  readonly outputs?: readonly string[]
  /** A run cannot be stopped once it has begun; this one does not begin when the signal is already aborted. */
  readonly signal?: AbortSignal
}

/** A graph that is loaded on a device. */
export class OrtSession {
  static #openCount = 0
  /** Sessions of this process that were opened and not released. */
  static get openCount(): number {
    return OrtSession.#openCount
  }

  readonly device: DeviceName
  readonly #graph: Graph
  readonly #session: Ort.InferenceSession
  #isReleased = false

  private constructor(device: DeviceName, graph: Graph, session: Ort.InferenceSession) {
    this.device = device
    this.#graph = graph
    this.#session = session
    OrtSession.#openCount++
  }

  /**
   * Loads a graph on a device. No other device takes over when it cannot be opened, but single ops that the
   * device lacks run on the CPU (profile.ts lists them).
   * @throws StudioError `device.open-failed` with what ONNX Runtime said, `device.out-of-memory`
   */
  static async open(graph: Graph, options: SessionOptions): Promise<OrtSession> {
    const { bytes, weightsFolder } = writeOnnx(graph)
    // cuBLAS rounds float32 factors to 10 bits of mantissa unless told not to: gradients were then 2e-2 from the CPU's,
    // with it 1e-5 (docs/performance.md). It reads the variable when the first session opens.
    if (options.device === 'cuda') process.env['NVIDIA_TF32_OVERRIDE'] ??= '0'
    try {
      const session = await ort.InferenceSession.create(bytes, sessionOptions(options, weightsFolder))
      return new OrtSession(options.device, graph, session)
    } catch (cause) {
      throw deviceError('open-failed', options.device, 'could not be opened', cause)
    }
  }

  /**
   * Runs the graph; blocks this thread until the device has answered. Fetched CPU outputs are fresh copies.
   * @throws StudioError `run.cancelled` when the signal was aborted before, `graph.feed` for inputs that do not fit
   *   the graph or each other, `device.out-of-memory`, `device.run-failed` with what ONNX Runtime said
   */
  async run(
    inputs: Readonly<Record<string, Tensor | DeviceTensor>>,
    { outputs, signal }: RunOptions = {},
  ): Promise<Record<string, Tensor | DeviceTensor>> {
    throwIfCancelled(signal)
    requireAffordable(this.#graph, sizesOf(this.#graph, inputs), this.device)
    const feeds: Record<string, Ort.Tensor> = {}
    for (const [name, input] of Object.entries(inputs)) feeds[name] = toOrt(input)
    let results: Ort.InferenceSession.OnnxValueMapType
    try {
      results = outputs ? await this.#session.run(feeds, outputs) : await this.#session.run(feeds)
    } catch (cause) {
      throw deviceError('run-failed', this.device, 'failed while it was computing', cause)
    }
    return Object.fromEntries(Object.entries(results).map(([name, result]) => [name, fromOrt(result)]))
  }

  /** As {@link run}, for sessions whose outputs all come back to this process's memory. */
  async compute(
    inputs: Readonly<Record<string, Tensor | DeviceTensor>>,
    options: RunOptions = {},
  ): Promise<Record<string, Tensor>> {
    const results = await this.run(inputs, options)
    for (const [name, result] of Object.entries(results)) {
      if (result instanceof DeviceTensor) {
        throw new StudioError({
          code: 'device.not-fetched',
          message: `The output ${name} stays on the device and cannot be read here.`,
          remedy: 'Report this fault: a session was asked for numbers that it keeps on the device.',
          where: name,
        })
      }
    }
    return results as Record<string, Tensor>
  }

  /** Ends the profile that {@link SessionOptions.profilePrefix} asked for and writes its file. */
  endProfiling(): void {
    this.#session.endProfiling()
  }

  /** Gives the session's memory back; a second call does nothing. */
  async release(): Promise<void> {
    if (this.#isReleased) return
    this.#isReleased = true
    OrtSession.#openCount--
    await this.#session.release()
  }
}

/**
 * Checks numbers before they are used: NaN passes silently through every op.
 * @throws StudioError `run.non-finite` naming the tensor and the first place
 */
export function requireFinite(name: string, { values, shape }: Tensor): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value === 'bigint' || Number.isFinite(value)) continue
    throw new StudioError({
      code: 'run.non-finite',
      message: `${name} hold a number that is not finite.`,
      remedy: 'Lower the learning rate, or choose another device if it happens in the first step.',
      expected: 'finite numbers',
      found: `${value} at element ${i} of [${shape.join(', ')}]`,
      where: name,
    })
  }
}

/** @throws StudioError `run.cancelled` */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return
  throw new StudioError({
    code: 'run.cancelled',
    message: 'The run was cancelled.',
    remedy: 'Start it again to go on.',
  })
}

/** Why each is set is measured: docs/performance.md. */
function sessionOptions(options: SessionOptions, weightsFolder: string | null): Ort.InferenceSession.SessionOptions {
  const { device, prepackWeights = false, foldConstants = true, optimize = true, keepOnDevice, profilePrefix } = options
  const disabled = [...(foldConstants ? [] : ['ConstantFolding'])]
  return {
    executionProviders: [device],
    graphOptimizationLevel: optimize ? 'all' : 'disabled',
    enableMemPattern: false,
    // Errors come back as exceptions; warnings about ops placed on the CPU would only repeat profile.ts.
    logSeverityLevel: 4,
    ...(options.threads !== undefined && { intraOpNumThreads: options.threads }),
    ...(keepOnDevice && {
      preferredOutputLocation: Object.fromEntries(keepOnDevice.map((name) => [name, 'gpu-buffer'])),
    }),
    ...(profilePrefix !== undefined && { enableProfiling: true, profileFilePrefix: profilePrefix }),
    extra: {
      session: {
        // A machine that is also used for something else runs faster without spinning threads.
        intra_op: { allow_spinning: '0' },
        ...(!prepackWeights && { disable_prepacking: '1' }),
        ...(weightsFolder !== null && { model_external_initializers_file_folder_path: weightsFolder }),
      },
      ...(disabled.length > 0 && { optimization: { disable_specified_optimizers: disabled.join(';') } }),
    },
  }
}

function toOrt(input: Tensor | DeviceTensor): Ort.Tensor {
  if (input instanceof DeviceTensor) return input.ortTensor
  const { dtype, values, shape } = input
  return new ort.Tensor(dtype as 'float32', values as Float32Array, shape)
}

function fromOrt(result: Ort.OnnxValue): Tensor | DeviceTensor {
  const ortTensor = result as Ort.Tensor
  if (ortTensor.location === 'gpu-buffer') return new DeviceTensor(ortTensor)
  return {
    dtype: ortTensor.type as TensorDType,
    shape: ortTensor.dims,
    values: ortTensor.data as unknown as TypedValues,
  }
}

function deviceError(problem: string, device: DeviceName, what: string, cause: unknown): StudioError {
  const found = cause instanceof Error ? cause.message : String(cause)
  const outOfMemory = /bad_alloc|failed to allocate|out of memory|OOM|allocate memory/i.test(found)
  const code: ErrorCode = outOfMemory ? 'device.out-of-memory' : `device.${problem}`
  return new StudioError(
    {
      code,
      message: outOfMemory
        ? `The device ${device} has too little memory for this step.`
        : `The device ${device} ${what}.`,
      remedy: outOfMemory
        ? 'Lower the batch size or the sequence length, turn recomputation on, or close other programs.'
        : 'Update its driver, or go on with another device.',
      found,
      where: device,
    },
    { cause },
  )
}
