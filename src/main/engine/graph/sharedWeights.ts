// Weights of files that stand on a device once, however many sessions read them there. Asked by ortSession.ts, which also
// says how numbers come to the device; nobody after it knows whose a session's weights are.
import { type FileHandle, open } from 'node:fs/promises'
import type { FileSlice, Graph, Initializer, Value } from './ir.ts'
import { unreadableWeights } from './onnxWriter.ts'
import { type Releasable, releaseAll } from './resources.ts'
import { mostArrayBytes } from './runSizes.ts'

/** A weight of a graph that its session is fed at each run. */
export interface FedWeight {
  readonly value: Value & { readonly dtype: 'float32' | 'uint8'; readonly shape: readonly number[] }
  readonly external: FileSlice
}

/** Smaller ones would save next to nothing, and each input costs a run 4 µs (docs/performance.md). */
export const leastSharedBytes = 2 ** 12

/** The graph with its large weights as inputs, as far as a session can be fed them (ONNX Runtime's binding knows no uint4). */
export function withFedWeights(graph: Graph): { readonly graph: Graph; readonly fed: readonly FedWeight[] } {
  const fed = graph.initializers.filter(isFed)
  const inputs = [...graph.inputs, ...fed.map(({ value }) => value)]
  const initializers = graph.initializers.filter((one) => !isFed(one))
  return { graph: { ...graph, inputs, initializers }, fed }
}

function isFed(one: Initializer): one is FedWeight {
  if ('inline' in one) return false
  const { sizeBytes } = one.external
  const isOfSize = sizeBytes >= leastSharedBytes && sizeBytes <= mostArrayBytes && sizeBytes % wordBytes === 0
  return isOfSize && (one.value.dtype === 'float32' || one.value.dtype === 'uint8')
}

/** Of the numbers as which all weights are sent: whoever reads them there knows what they are. */
const wordBytes = 4

/** Puts numbers on a device. */
export interface WeightStore<Held> extends Releasable {
  /** The words on the device; they may be written over once it has answered. */
  hold(words: Float32Array): Promise<Held>
}

/** Weights that stand on a device until they are released. */
export interface WeightUse<Held> extends Releasable {
  /** In the order of what was asked for. */
  readonly held: readonly Held[]
}

/** A weight on the device, and how many uses it has. */
interface Standing<Held> {
  readonly key: string
  readonly held: Held
  users: number
}

/** The weights on one device. What is asked of it is done in turns, so that this process holds one weight at a time. */
export class SharedWeights<Held extends { dispose(): void }> {
  readonly #openStore: () => Promise<WeightStore<Held>>
  /** Open as long as a weight stands: those that it held go with it. */
  #store: WeightStore<Held> | null = null
  readonly #standing = new Map<string, Standing<Held>>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(openStore: () => Promise<WeightStore<Held>>) {
    this.#openStore = openStore
  }

  /**
   * The slices on the device; those that stand there already are not read again, unless their file is another one by now.
   * @throws StudioError `weights.missing` for a file that cannot be read that far, and what the store throws; nothing is held then
   */
  async take(slices: readonly FileSlice[]): Promise<WeightUse<Held>> {
    return await this.#inTurn(async () => {
      const taken: Standing<Held>[] = []
      const reader = new SliceReader(slices)
      try {
        for (const slice of slices) {
          const key = await reader.keyOf(slice)
          const one = this.#standing.get(key) ?? { key, held: await this.#hold(reader, slice), users: 0 }
          this.#standing.set(key, one)
          one.users++
          taken.push(one)
        }
      } catch (error) {
        await this.#giveBack(taken).catch(() => undefined)
        throw error
      } finally {
        await reader.release()
      }
      const release = () => this.#inTurn(() => this.#giveBack(taken))
      return { held: taken.map(({ held }) => held), release }
    })
  }

  async #hold(reader: SliceReader, slice: FileSlice): Promise<Held> {
    this.#store ??= await this.#openStore()
    return await this.#store.hold(await reader.read(slice))
  }

  async #giveBack(taken: readonly Standing<Held>[]): Promise<void> {
    for (const one of taken) {
      one.users--
      if (one.users > 0) continue
      this.#standing.delete(one.key)
      one.held.dispose()
    }
    if (this.#standing.size > 0) return
    const store = this.#store
    this.#store = null
    await store?.release()
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return await done
  }
}

/** Reads slices one after the other into the same memory. */
class SliceReader implements Releasable {
  readonly #files = new Map<string, Promise<{ readonly handle: FileHandle; readonly identity: string }>>()
  readonly #largestBytes: number
  #memory: ArrayBuffer | null = null

  constructor(slices: readonly FileSlice[]) {
    this.#largestBytes = Math.max(0, ...slices.map(({ sizeBytes }) => sizeBytes))
  }

  /** The same for two slices if they are the same numbers, as far as the file system tells. */
  async keyOf({ file, offsetBytes, sizeBytes }: FileSlice): Promise<string> {
    return `${(await this.#opened(file)).identity} ${offsetBytes} ${sizeBytes}`
  }

  /** Holds until the next one is read. */
  async read({ file, offsetBytes, sizeBytes }: FileSlice): Promise<Float32Array> {
    const { handle } = await this.#opened(file)
    this.#memory ??= new ArrayBuffer(this.#largestBytes)
    const bytes = new Uint8Array(this.#memory, 0, sizeBytes)
    for (let done = 0; done < sizeBytes; ) {
      const { bytesRead } = await handle.read(bytes, done, sizeBytes - done, offsetBytes + done)
      if (bytesRead === 0) throw unreadableWeights(file, new Error(`it ends after ${offsetBytes + done} bytes`))
      done += bytesRead
    }
    return new Float32Array(this.#memory, 0, sizeBytes / wordBytes)
  }

  async release(): Promise<void> {
    const opened = await Promise.allSettled(this.#files.values())
    const handles = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value.handle] : []))
    await releaseAll(handles.map((handle) => ({ release: () => handle.close() })))
  }

  #opened(file: string) {
    const opening = this.#files.get(file) ?? openFile(file)
    this.#files.set(file, opening)
    return opening
  }
}

async function openFile(file: string) {
  try {
    const handle = await open(file)
    const { dev, ino, size, mtimeMs } = await handle.stat()
    return { handle, identity: `${dev} ${ino} ${size} ${mtimeMs}` }
  } catch (cause) {
    throw unreadableWeights(file, cause)
  }
}
