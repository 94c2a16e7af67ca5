// The one file that knows ONNX Runtime: which devices it offers, sessions on them, and runs.
// Before it stands onnxWriter.ts, after it whoever feeds a graph: rollouts, updates, evaluation, the device probe.
import { createRequire } from 'node:module'
import type * as Ort from 'onnxruntime-node'
import { StudioError } from '../../../shared/errors.ts'
import type { DeviceName } from '../../../shared/hardware.ts'
import { GraphBuilder } from './graphBuilder.ts'
import type { Graph } from './ir.ts'
import { writeOnnx } from './onnxWriter.ts'
import { releaseAll } from './resources.ts'
import { requireAffordable, sizesOf } from './runSizes.ts'
import { type FedWeight, SharedWeights, type WeightStore, type WeightUse, withFedWeights } from './sharedWeights.ts'
import { silenceTelemetry } from './silenceTelemetry.ts'
import { type AnyTensor, requireFetched, type Tensor, type TensorDType, tensor } from './tensor.ts'
import { arrayTypes, holds } from './typedValues.ts'

export { requireFinite, type Tensor, type TensorDType, tensor } from './tensor.ts'

// Not an import: a bundle evaluates those before the first statement of any file.
silenceTelemetry()
const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof Ort

/** A tensor that stays in the memory of a GPU: an output to feed back, also to another session. */
export class DeviceTensor<T extends TensorDType = TensorDType> implements AnyTensor<T> {
  static #openCount = 0
  /** Tensors of this process that stay on a device and were not disposed of. */
  static get openCount(): number {
    return DeviceTensor.#openCount
  }

  readonly dtype: T
  readonly shape: readonly number[]
  readonly ortTensor: Ort.Tensor
  #isDisposed = false

  constructor(dtype: T, ortTensor: Ort.Tensor) {
    this.dtype = dtype
    this.shape = ortTensor.dims
    this.ortTensor = ortTensor
    DeviceTensor.#openCount++
  }

  /** Gives its memory back; a second call does nothing, using it afterwards is an error. */
  dispose(): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    DeviceTensor.#openCount--
    this.ortTensor.dispose()
  }
}

/** A tensor of a device whose last change may still be under way (deviceMemory.ts); a run that is fed it waits. */
export interface QueuedTensor<T extends TensorDType = TensorDType> extends AnyTensor<T> {
  /** @throws StudioError what the changes before it threw */
  ready(): Promise<DeviceTensor>
}

/** What a run can be fed. */
export type RunInput = Tensor | DeviceTensor | QueuedTensor

/** What a run answers: {@link DeviceTensor} for the outputs that its session keeps on the device. */
export type RunOutput = Tensor | DeviceTensor

/** The version of ONNX Runtime that runs the graphs. */
export const runtimeVersion: string = ort.env.versions.node ?? ort.env.versions.common

/** Execution providers that this build of ONNX Runtime has on this platform; having one is not yet opening it. */
export function offeredDevices(): DeviceName[] {
  const names = new Set(ort.listSupportedBackends().map(({ name }) => name))
  return (['cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const).filter((device) => names.has(device))
}

/** Whether sessions of a device keep outputs there and read what others keep: ONNX Runtime for Node does on WebGPU alone. */
export function keepsTensors(device: DeviceName): boolean {
  return device === 'webgpu'
}

export interface SessionOptions {
  readonly device: DeviceName
  /** Off, the session has its weights for itself also on a device where all could read the same (`keepsTensors`). */
  readonly shareWeights?: boolean
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
  /** Of others too; null where all are the session's own. */
  readonly #weights: WeightUse<DeviceTensor> | null
  readonly #weightFeeds: Readonly<Record<string, Ort.Tensor>>
  #isReleased = false

  private constructor(
    device: DeviceName,
    graph: Graph,
    session: Ort.InferenceSession,
    weights: WeightUse<DeviceTensor> | null,
    fed: readonly FedWeight[],
  ) {
    this.device = device
    this.#graph = graph
    this.#session = session
    this.#weights = weights
    this.#weightFeeds = Object.fromEntries(
      fed.map(({ value }, i) => [value.name, viewOf(weights?.held[i] as DeviceTensor, value)]),
    )
    OrtSession.#openCount++
  }

  /**
   * Loads a graph on a device. No other device takes over when it cannot be opened, but single ops that the
   * device lacks run on the CPU (profile.ts lists them). Weights that other sessions have on the device are not loaded again.
   * @throws StudioError `weights.missing`, `device.open-failed` with what ONNX Runtime said, `device.out-of-memory`
   */
  static async open(graph: Graph, options: SessionOptions): Promise<OrtSession> {
    const { device, shareWeights = keepsTensors(device) } = options
    const { graph: loaded, fed } = shareWeights ? withFedWeights(graph) : { graph, fed: [] }
    const session = await createSession(loaded, options)
    if (fed.length === 0) return new OrtSession(device, graph, session, null, [])
    try {
      const weights = await sharedWeights(device).take(fed.map(({ external }) => external))
      return new OrtSession(device, graph, session, weights, fed)
    } catch (error) {
      // What went wrong first is what a person has to know.
      await session.release().catch(() => undefined)
      throw error
    }
  }
  /**
   * Runs the graph; blocks this thread until the device has answered. Fetched CPU outputs are fresh copies.
   * @throws StudioError `run.cancelled` when the signal was aborted before, `graph.feed` for inputs that do not fit
   *   the graph or each other, `device.out-of-memory`, and with what ONNX Runtime said
   *   `graph.run-failed` for what no device could compute, else `device.run-failed`
   */
  async run(
    inputs: Readonly<Record<string, RunInput>>,
    { outputs, signal }: RunOptions = {},
  ): Promise<Record<string, RunOutput>> {
    throwIfCancelled(signal)
    requireAffordable(this.#graph, sizesOf(this.#graph, inputs), this.device)
    const feeds: Record<string, Ort.Tensor> = { ...this.#weightFeeds }
    for (const [name, input] of Object.entries(inputs))
      feeds[name] = toOrt('ready' in input ? await input.ready() : input)
    let results: Ort.InferenceSession.OnnxValueMapType
    try {
      results = outputs ? await this.#session.run(feeds, outputs) : await this.#session.run(feeds)
    } catch (cause) {
      throw deviceError('run-failed', this.device, 'failed while it was computing', cause)
    }
    return Object.fromEntries(Object.entries(results).map(([name, result]) => [name, fromOrt(name, result)]))
  }

  /** As {@link run}, for sessions whose outputs all come back to this process's memory. */
  async compute(inputs: Readonly<Record<string, RunInput>>, options: RunOptions = {}): Promise<Record<string, Tensor>> {
    const fetched: Record<string, Tensor> = {}
    for (const [name, result] of Object.entries(await this.run(inputs, options))) {
      requireFetched(name, result)
      fetched[name] = result
    }
    return fetched
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
    await releaseAll([this.#session, this.#weights])
  }
}

async function createSession(graph: Graph, options: SessionOptions): Promise<Ort.InferenceSession> {
  const { bytes, weightsFolder } = writeOnnx(graph)
  // cuBLAS rounds float32 factors to 10 bits of mantissa unless told not to: gradients were then 2e-2 from the CPU's,
  // with it 1e-5 (docs/performance.md). It reads the variable when the first session opens.
  if (options.device === 'cuda') process.env['NVIDIA_TF32_OVERRIDE'] ??= '0'
  try {
    return await ort.InferenceSession.create(bytes, sessionOptions(options, weightsFolder))
  } catch (cause) {
    throw deviceError('open-failed', options.device, 'could not be opened', cause)
  }
}

const sharedOnDevices = new Map<DeviceName, SharedWeights<DeviceTensor>>()

/** The weights of all sessions of this process on a device. */
function sharedWeights(device: DeviceName): SharedWeights<DeviceTensor> {
  const shared = sharedOnDevices.get(device) ?? new SharedWeights(() => openWeightStore(device))
  sharedOnDevices.set(device, shared)
  return shared
}

/** A session that copies what it is fed to the device; what is there goes with it, as every output of a session does. */
async function openWeightStore(device: DeviceName): Promise<WeightStore<DeviceTensor>> {
  const g = new GraphBuilder('weights')
  g.output('held', g.input('words', 'float32', ['words']))
  const session = await OrtSession.open(g.build(), { device, keepOnDevice: ['held'], threads: 1 })
  return {
    hold: async (words) => {
      const { held } = await session.run({ words: { dtype: 'float32', shape: [words.length], values: words } })
      return requireKept(held, 'held')
    },
    release: () => session.release(),
  }
}

/** @throws StudioError `device.not-kept`: else a device that keeps nothing would read everything back without a word */
export function requireKept(one: RunOutput | undefined, name: string): DeviceTensor {
  if (one instanceof DeviceTensor) return one
  throw new StudioError({
    code: 'device.not-kept',
    message: `The tensor ${name} did not stay on the device.`,
    remedy: 'Choose another device in the settings, and report this fault.',
    where: name,
  })
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
  return new ort.Tensor(dtype, values, shape)
}

/** The same memory of a device as numbers of another dtype and shape. */
function viewOf(held: DeviceTensor, { dtype, shape }: FedWeight['value']): Ort.Tensor {
  return ort.Tensor.fromGpuBuffer(held.ortTensor.gpuBuffer, { dataType: dtype, dims: shape })
}

function fromOrt(name: string, result: Ort.OnnxValue): RunOutput {
  const dtype = result.type
  if (!isTensorDType(dtype)) throw unreadableDType(name, dtype)
  if (result.location === 'gpu-buffer') return new DeviceTensor(dtype, result)
  if (!holds(dtype, result.data)) throw unreadableDType(name, dtype)
  return tensor(dtype, result.dims, result.data)
}

function isTensorDType(type: string): type is TensorDType {
  return type in arrayTypes && type !== 'bfloat16' && type !== 'uint4'
}

function unreadableDType(name: string, found: string): StudioError {
  return new StudioError({
    code: 'graph.dtype',
    message: `The output ${name} has a dtype that cannot be read.`,
    remedy: 'Report this fault: the graph was built wrongly.',
    found,
    where: name,
  })
}

/** What ONNX Runtime says of a graph or of feeds that no device could compute. */
const ownFault =
  /out of (data )?bounds|INVALID_ARGUMENT|invalid dimension|invalid rank|dimension mismatch|cannot broadcast|shape mismatch/i

/**
 * An error of a device, in words. Only what cannot be the fault of the graph, its feeds or its weights is laid to a driver,
 * and never on the CPU, which has none.
 */
function deviceError(
  problem: 'open-failed' | 'run-failed',
  device: DeviceName,
  what: string,
  cause: unknown,
): StudioError {
  const found = cause instanceof Error ? cause.message : String(cause)
  const told = { found, where: device }
  if (/bad_alloc|failed to allocate|out of memory|OOM|allocate memory/i.test(found)) {
    const message = `The device ${device} has too little memory for this step.`
    const remedy = 'Lower the batch size or the sequence length, turn recomputation on, or close other programs.'
    return new StudioError({ code: 'device.out-of-memory', message, remedy, ...told }, { cause })
  }
  if (device === 'cpu' || ownFault.test(found)) {
    const [code, message] =
      problem === 'open-failed'
        ? (['device.open-failed', `The model could not be loaded on the device ${device}.`] as const)
        : (['graph.run-failed', 'The model asked for what cannot be computed.'] as const)
    const remedy = 'Add the model again, which checks its files; if they are right, report this fault with its text.'
    return new StudioError({ code, message, remedy, ...told }, { cause })
  }
  const remedy = 'Update its driver, or go on with another device.'
  return new StudioError(
    { code: `device.${problem}`, message: `The device ${device} ${what}.`, remedy, ...told },
    { cause },
  )
}
