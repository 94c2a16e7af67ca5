// Tensors that live between runs in the memory of a device: changed there by small graphs and never fetched for it.
// Stands beside the host's memory of heldTensors.ts, on ortSession.ts; for rollout/ and align/ on such a device.
import type { DeviceName } from '../../../shared/hardware.ts'
import { GraphBuilder } from './graphBuilder.ts'
import {
  type Arrangement,
  arrangedShape,
  type HeldTensors,
  hostMemory,
  mapTensors,
  requirePart,
  type TensorMemory,
} from './heldTensors.ts'
import type { Graph, Value } from './ir.ts'
import {
  DeviceTensor,
  keepsTensors,
  OrtSession,
  type QueuedTensor,
  type RunInput,
  type RunOutput,
  requireKept,
  type SessionOptions,
} from './ortSession.ts'
import { releaseAll } from './resources.ts'
import { type AnyTensor, namedIn, requireFetched, sizeBytesOf, type Tensor, tensor } from './tensor.ts'
import { tensorOps } from './tensorOps.ts'

/** Where tensors that the sessions of a device read are held; devices that keep none are fed from this process. */
export function openMemory(device: DeviceName): TensorMemory {
  return keepsTensors(device) ? new DeviceMemory(device) : hostMemory
}

/** The option of a session by which these outputs stay where {@link openMemory} holds tensors. */
export function keptOnDevice(device: DeviceName, outputs: readonly string[]): Pick<SessionOptions, 'keepOnDevice'> {
  return keepsTensors(device) ? { keepOnDevice: outputs } : {}
}

type Named<One> = Readonly<Record<string, One>>

/** The memory of a device whose sessions keep outputs there ({@link openMemory}). */
export class DeviceMemory implements TensorMemory {
  readonly #device: DeviceName
  /** Of the graphs that copy and change tensors, by what they do to which kinds of tensors; opened when first needed. */
  readonly #sessions = new Map<string, Promise<OrtSession>>()

  constructor(device: DeviceName) {
    this.#device = device
  }

  hold(tensors: Named<RunOutput>): HeldTensors {
    return new DeviceTensors(this, tensors)
  }

  /** Gives the sessions back; the sets are to be released before. */
  async release(): Promise<void> {
    const sessions = await Promise.allSettled(this.#sessions.values())
    this.#sessions.clear()
    await releaseAll(sessions.map((one) => (one.status === 'fulfilled' ? one.value : null)))
  }

  /** Copies what is in this process to the device; what is there already is taken as it is. */
  async upload(tensors: Named<RunOutput>): Promise<Named<DeviceTensor>> {
    const here = Object.fromEntries(Object.entries(tensors).filter(([, one]) => !(one instanceof DeviceTensor)))
    const sent = await this.#compute('upload', here, {}, copyGraph)
    return mapTensors(tensors, (one, name) => requireKept(sent[name] ?? one, name))
  }

  /** Numbers on the device as tensors of this process: outputs of a graph, because reading a GPU's tensor aborts. */
  async fetch(tensors: Named<DeviceTensor>): Promise<Named<Tensor>> {
    return mapTensors(await this.#compute('fetch', tensors, {}, copyGraph), (one, name) => {
      requireFetched(name, one)
      return one
    })
  }

  /** Copies of the tensors, each with its part at the place `at` of `axis`. */
  async write(
    tensors: Named<DeviceTensor>,
    parts: Named<RunOutput>,
    axis: number,
    at: number,
  ): Promise<Named<DeviceTensor>> {
    const size = Object.values(tensors)[0]?.shape[axis] ?? 0
    const feeds: Record<string, RunInput> = { is_written: maskTensor(size, (place) => place === at) }
    Object.keys(tensors).forEach((name, i) => {
      feeds[`part${i}`] = namedIn(parts, name)
    })
    const written = await this.#compute(`write ${axis}`, tensors, feeds, (kinds) => writeGraph(kinds, axis))
    return mapTensors(written, requireKept)
  }

  /** Copies of the tensors, arranged. */
  async arrange(tensors: Named<DeviceTensor>, arrangement: Arrangement): Promise<Named<DeviceTensor>> {
    const { rows, axis, kept, size } = arrangement
    // Places after the kept ones repeat the first, which the mask then sets to zero.
    const places = Array.from({ length: size }, (_, place) => (place < kept ? place : 0))
    const feeds = {
      rows: tensor('int64', [rows.length], rows),
      places: tensor('int64', [size], places),
      is_kept: maskTensor(size, (place) => place < kept),
    }
    const moved = await this.#compute(`arrange ${axis}`, tensors, feeds, (kinds) => arrangeGraph(kinds, axis))
    return mapTensors(moved, requireKept)
  }

  /** Feeds the tensors as `x0`, `x1`, ... to one graph for all of them and answers its outputs `y0`, `y1`, ... */
  async #compute(
    work: string,
    tensors: Named<RunOutput>,
    feeds: Named<RunInput>,
    graphOf: (kinds: readonly AnyTensor[]) => Graph,
  ): Promise<Named<RunOutput>> {
    const names = Object.keys(tensors)
    if (names.length === 0) return {}
    const session = await this.#session(work, Object.values(tensors), graphOf)
    const inputs = names.map((name, i) => [`x${i}`, namedIn(tensors, name)] as const)
    const results = await session.run({ ...feeds, ...Object.fromEntries(inputs) })
    return Object.fromEntries(names.map((name, i) => [name, namedIn(results, `y${i}`)]))
  }

  #session(work: string, kinds: readonly AnyTensor[], graphOf: (kinds: readonly AnyTensor[]) => Graph) {
    const key = `${work} ${kinds.map(({ dtype, shape }) => `${dtype}/${shape.length}`)}`
    const known = this.#sessions.get(key)
    if (known) return known
    const graph = graphOf(kinds)
    const keepOnDevice = work === 'fetch' ? [] : graph.outputs.map(({ name }) => name)
    const opening = OrtSession.open(graph, { device: this.#device, keepOnDevice })
    this.#sessions.set(key, opening)
    // What could not be opened now, for want of memory, may be opened later.
    opening.catch(() => this.#sessions.delete(key))
    return opening
  }
}

/** A set on the device. Changes are queued, so that asking for one blocks nobody. */
class DeviceTensors implements HeldTensors {
  readonly #memory: DeviceMemory
  /** What is on the device now. */
  #live: Named<DeviceTensor> = {}
  /** What is there once the queue is done. */
  #planned: Named<AnyTensor>
  #queue: Promise<void> = Promise.resolve()

  constructor(memory: DeviceMemory, tensors: Named<RunOutput>) {
    this.#memory = memory
    this.#planned = tensors
    this.#enqueue(tensors, () => memory.upload(tensors))
  }

  get sizeBytes(): number {
    return Object.values(this.#planned).reduce((sum, one) => sum + sizeBytesOf(one), 0)
  }

  feeds(): Named<QueuedTensor> {
    const done = this.#queue
    return mapTensors(this.#planned, ({ dtype, shape }, name) => ({
      ...{ dtype, shape },
      ready: async () => {
        await done
        return namedIn(this.#live, name)
      },
    }))
  }

  replace(tensors: Named<RunOutput>): void {
    const chosen = mapTensors(this.#planned, (_, name) => namedIn(tensors, name))
    this.#planned = chosen
    // Nothing of what was there is needed, so it does not matter whether a change before went wrong.
    this.#queue = this.#queue.catch(() => undefined)
    this.#enqueue(chosen, () => this.#memory.upload(chosen))
  }

  write(parts: Named<RunOutput>, axis: number, at: number): void {
    for (const [name, whole] of Object.entries(this.#planned)) {
      requirePart(name, whole, namedIn(parts, name), axis, at)
    }
    this.#enqueue(parts, () => this.#memory.write(this.#live, parts, axis, at))
  }

  arrange(arrangement: Arrangement): void {
    this.#planned = mapTensors(this.#planned, (one, name) => ({
      dtype: one.dtype,
      shape: arrangedShape(name, one, arrangement),
    }))
    this.#enqueue({}, () => this.#memory.arrange(this.#live, arrangement))
  }

  async read(): Promise<Named<Tensor>> {
    await this.#queue
    return await this.#memory.fetch(this.#live)
  }

  async release(): Promise<void> {
    await this.#queue.catch(() => undefined)
    disposeAll(this.#live)
    this.#live = {}
    this.#planned = {}
  }

  /** Does the work after what was asked before; what it takes over and does not keep is disposed of, also if it fails. */
  #enqueue(taken: Named<RunOutput>, work: () => Promise<Named<DeviceTensor>>): void {
    const done = this.#queue
      .then(work)
      .then((next) => {
        const before = this.#live
        this.#live = next
        disposeAll(before, next)
      })
      .finally(() => disposeAll(taken, this.#live))
    // Whoever is fed the tensors or reads them is told.
    done.catch(() => undefined)
    this.#queue = done
  }
}

function disposeAll(tensors: Named<RunOutput>, kept: Named<DeviceTensor> = {}): void {
  const staying = new Set<RunOutput>(Object.values(kept))
  for (const one of Object.values(tensors)) if (one instanceof DeviceTensor && !staying.has(one)) one.dispose()
}

/** `y` = `x` for each. */
function copyGraph(kinds: readonly AnyTensor[]): Graph {
  const g = new GraphBuilder('copy')
  kinds.forEach((kind, i) => {
    g.output(`y${i}`, inputOf(g, kind, i))
  })
  return g.build()
}

/** `y` = `part` where `is_written` [places], else `x`. */
function writeGraph(kinds: readonly AnyTensor[], axis: number): Graph {
  const g = new GraphBuilder('write')
  const isWritten = g.input('is_written', 'bool', ['places'])
  kinds.forEach((kind, i) => {
    const x = inputOf(g, kind, i, axis)
    const part = g.input(`part${i}`, kind.dtype, x.shape.with(axis, 1))
    g.output(`y${i}`, tensorOps(g).where(along(g, isWritten, x, axis), part, x))
  })
  return g.build()
}

/** `y` = the `rows` of `x` and of these the `places`, zero where they are not `is_kept`. */
function arrangeGraph(kinds: readonly AnyTensor[], axis: number): Graph {
  const g = new GraphBuilder('arrange')
  const { gather, where } = tensorOps(g)
  const rows = g.input('rows', 'int64', ['rows'])
  const places = g.input('places', 'int64', ['places'])
  const isKept = g.input('is_kept', 'bool', ['places'])
  kinds.forEach((kind, i) => {
    const picked = gather(gather(inputOf(g, kind, i), rows), places, axis)
    g.output(`y${i}`, where(along(g, isKept, picked, axis), picked, 0))
  })
  return g.build()
}

/** The input `x` of a kind; all its sizes are open, those of the axis that all share are called `places`. */
function inputOf(g: GraphBuilder, { dtype, shape }: AnyTensor, i: number, axis?: number): Value {
  const dims = shape.map((_, dim) => (dim === axis ? 'places' : `x${i}_${dim}`))
  return g.input(`x${i}`, dtype, dims)
}

/** A mask [places] that lies along an axis of x. */
function along(g: GraphBuilder, mask: Value, x: Value, axis: number): Value {
  return tensorOps(g).reshape(mask, ['places', ...x.shape.slice(axis + 1).map(() => 1)])
}

function maskTensor(size: number, isSet: (place: number) => boolean): Tensor<'bool'> {
  return tensor(
    'bool',
    [size],
    Array.from({ length: size }, (_, place) => (isSet(place) ? 1 : 0)),
  )
}
