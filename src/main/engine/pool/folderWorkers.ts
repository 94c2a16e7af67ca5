// Shares the batches of one run with whoever works on a folder, beside the threads of this machine: a worker whose port is a
// folder. A shard is the same piece of work whoever does it; what is not answered, late, or not what was asked for is computed
// here, so that a lost or hostile worker costs time and nothing else. Before it stands workerPool.ts, after it run/, which knows
// it as `Workers`; at the other end shardWorker.ts.
import { setTimeout as delay } from 'node:timers/promises'
import type { Claims } from '../../files/claims.ts'
import type { Feeds } from '../models/shared/sequenceFeeds.ts'
import type { GenerationOptions, GeneratorGraphs, Response } from '../rollout/generate.ts'
import { drawnAgain, misfitOf, toleranceOf } from './answerCheck.ts'
import { receivedRequest, receivedResponse, sentRequest } from './messages.ts'
import {
  answersAt,
  readAnswer,
  removeAnswer,
  removeOtherPolicies,
  removeShard,
  type Shard,
  writePolicy,
  writeShard,
} from './sharedFiles.ts'
import type { Responder, ResponderOptions, Workers } from './workers.ts'

export interface SharedFolder {
  /** Made ready by `emptyParts` and `makeTokens`. */
  readonly folder: string
  /** Of this start of the learner. */
  readonly shareId: string
  /** This machine's view of who has which shard. */
  readonly claims: Claims
  /** After which a worker that shows no change counts as gone. */
  readonly staleMs: number
  /** Tells a person what was lost. */
  readonly note: (text: string) => void
  /** Tells others that the run has ended. */
  readonly leave: () => Promise<void>
}

/** What became of the shards since it was asked last. */
interface SharingFigures {
  /** Responses that others gave. */
  readonly byOthers: number
  /** Shards whose answer was not what was asked for. */
  readonly refusedShards: number
  /** The largest one between others' log-probabilities and the learner's own, of those compared, nats. */
  readonly differenceNats: number
  /** Policies and shards that were written. */
  readonly writtenBytes: number
}

const none: SharingFigures = { byOthers: 0, refusedShards: 0, differenceNats: 0, writtenBytes: 0 }

/** Between two looks at the folder, from the shortest to the longest. */
const [shortestWaitMs, longestWaitMs] = [10, 250]
/** Tokens are called by at most six digits. */
const mostNumber = 999_999
/** Batches that are read and offered before they are needed, for each other worker; more would only lie in memory. */
const aheadEach = 2
const mostAhead = 64

export class FolderWorkers implements Workers {
  readonly count: number
  readonly atOnce: number
  readonly #own: Workers
  readonly #shared: SharedFolder
  #responder: FolderResponder | null = null

  /** @param own threads of this machine; this releases them */
  constructor(own: Workers, shared: SharedFolder) {
    this.#own = own
    this.#shared = shared
    this.count = own.count
    this.atOnce = own.atOnce
  }

  get batchesAtOnce(): number {
    return this.#own.atOnce + Math.min(mostAhead, aheadEach * Math.max(1, this.#others))
  }

  /** How many others there are; workers that come later find what is for one of them. */
  get #others(): number {
    try {
      return this.#shared.claims.others
    } catch {
      // A folder that cannot be read; whoever asks for batches is told.
      return 0
    }
  }

  openGraph(...args: Parameters<Workers['openGraph']>): ReturnType<Workers['openGraph']> {
    return this.#own.openGraph(...args)
  }

  async openResponder(graphs: GeneratorGraphs, options: ResponderOptions): Promise<Responder> {
    const own = await this.#own.openResponder(graphs, options)
    this.#responder = new FolderResponder(own, this.#own.count, { graphs, device: options.device }, this.#shared)
    return this.#responder
  }

  takeFigures(): Readonly<Record<string, number>> {
    const { byOthers, refusedShards, differenceNats, writtenBytes } = this.#responder?.takeFigures() ?? none
    return {
      'sharing.responsesByOthers': byOthers,
      'sharing.refusedShards': refusedShards,
      'sharing.logProbDifferenceNats': differenceNats,
      'sharing.writtenBytes': writtenBytes,
    }
  }

  async release(): Promise<void> {
    try {
      await this.#own.release()
    } finally {
      await this.#shared.leave()
    }
  }
}

interface OpenedModel {
  readonly graphs: GeneratorGraphs
  readonly device: string
}

/** A shard that waits for its responses. */
interface Asked extends Shard {
  readonly number: number
  /** What an answer has to name. */
  readonly key: string
  readonly options: GenerationOptions
  readonly resolve: (said: Response[]) => void
  readonly reject: (reason: unknown) => void
  /** Raised when there is nothing to wait for any more. */
  readonly settled: AbortController
  isOwn: boolean
  /** Whether an answer is being looked at. */
  isAnswered: boolean
}

class FolderResponder implements Responder {
  readonly #own: Responder
  readonly #ownAtOnce: number
  readonly #of: OpenedModel
  readonly #shared: SharedFolder
  readonly #asked = new Map<number, Asked>()
  /** Names of answers that were looked at, or are being. */
  readonly #seen = new Set<string>()
  #policy: { adapter: Feeds; sha256: Promise<string> } | null = null
  #next = 1
  #figures = none
  #ownUnderWay = 0
  /** What a shard took here last, and since when there has been nothing to do here but to wait. */
  #ownMs = 0
  #idleSinceMs: number | null = null
  #isTending = false
  /** Between two looks; ended when there is something to do. */
  #pause: AbortController | null = null

  constructor(own: Responder, ownAtOnce: number, of: OpenedModel, shared: SharedFolder) {
    this.#own = own
    this.#ownAtOnce = ownAtOnce
    this.#of = of
    this.#shared = shared
  }

  generate: Responder['generate'] = async (requests, settings, options = {}) => {
    if (options.openTextStream || options.onToken) throw new Error('Others tell of whole responses only.')
    const shards: Shard[] = []
    for (let start = 0; start < requests.length; start += settings.batchSize) {
      shards.push({ requests: requests.slice(start, start + settings.batchSize).map(sentRequest), settings })
    }
    const said = await Promise.all(shards.map((shard) => this.#answer(shard, options)))
    return said.flat()
  }

  takeFigures(): SharingFigures {
    const figures = this.#figures
    this.#figures = none
    return figures
  }

  async release(): Promise<void> {
    await this.#own.release()
  }

  async #answer(shard: Shard, options: GenerationOptions): Promise<Response[]> {
    const number = this.#next
    this.#next = (number % mostNumber) + 1
    let key: string
    try {
      key = await this.#offer(number, shard, options.adapter ?? {})
    } catch (thrown) {
      this.#tell('could not be written to', thrown)
      return await this.#own.generate(shard.requests.map(receivedRequest), shard.settings, options)
    }
    try {
      return await new Promise<Response[]>((resolve, reject) => {
        const settled = new AbortController()
        this.#asked.set(number, {
          ...shard,
          number,
          key,
          options,
          resolve,
          reject,
          settled,
          isOwn: false,
          isAnswered: false,
        })
        this.#pause?.abort()
        void this.#tend()
      })
    } finally {
      this.#asked.get(number)?.settled.abort()
      this.#asked.delete(number)
      await this.#takeAway(number)
    }
  }

  async #offer(number: number, shard: Shard, adapter: Feeds): Promise<string> {
    const { folder, shareId, claims } = this.#shared
    const policySha256 = await this.#policyOf(adapter)
    const { sha256, bytes } = await writeShard(folder, number, { ...shard, shareId, policySha256 })
    this.#count({ writtenBytes: bytes })
    claims.offer(number)
    return sha256
  }

  /** The policy in the folder; batches of one step share it, and it takes the place of the one before. */
  #policyOf(adapter: Feeds): Promise<string> {
    if (this.#policy?.adapter !== adapter) {
      const written = writePolicy(this.#shared.folder, adapter).then(async ({ sha256, bytes }) => {
        this.#count({ writtenBytes: bytes })
        await removeOtherPolicies(this.#shared.folder, sha256)
        return sha256
      })
      this.#policy = { adapter, sha256: written }
    }
    return this.#policy.sha256
  }

  async #takeAway(number: number): Promise<void> {
    const { folder, claims } = this.#shared
    try {
      // In this order: who sees that a shard is still asked for may give its token back, which then goes with the others.
      await removeShard(folder, number)
      claims.withdraw(number)
      for (const one of await answersAt(folder)) if (one.number === number) await this.#forget(one.name)
    } catch (thrown) {
      this.#tell('could not be tidied', thrown)
    }
  }

  async #forget(name: string): Promise<void> {
    await removeAnswer(this.#shared.folder, name)
    this.#seen.delete(name)
  }

  /** Looks at the folder until nothing is asked for any more. */
  async #tend(): Promise<void> {
    if (this.#isTending) return
    this.#isTending = true
    this.#idleSinceMs = null
    let waitMs = shortestWaitMs
    while (this.#asked.size > 0) {
      let hasMoved = false
      try {
        hasMoved = await this.#look()
      } catch (thrown) {
        this.#tell('could not be read', thrown)
        for (const asked of this.#asked.values()) this.#compute(asked)
      }
      waitMs = hasMoved ? shortestWaitMs : Math.min(longestWaitMs, waitMs * 1.5)
      this.#pause = new AbortController()
      await delay(waitMs, undefined, { signal: this.#pause.signal }).catch(() => undefined)
    }
    this.#isTending = false
  }

  /** @returns whether anything is new */
  async #look(): Promise<boolean> {
    const { folder, claims, staleMs } = this.#shared
    // Before the answers, so that a shard which was closed without one is seen as such.
    const closed = claims.closed
    const answers = await answersAt(folder)
    let hasMoved = false
    // Whoever is stopped waits for nobody: computing says so at once.
    for (const asked of this.#asked.values()) if (asked.options.signal?.aborted) this.#compute(asked)
    for (const { name, number } of answers) {
      if (this.#seen.has(name)) continue
      hasMoved = true
      this.#seen.add(name)
      const asked = this.#asked.get(number)
      if (asked) void this.#take(asked, name)
      else await this.#forget(name)
    }
    for (const number of closed) {
      const asked = this.#asked.get(number)
      if (!asked) claims.withdraw(number)
      else if (!answers.some((one) => one.number === number)) this.#compute(asked)
    }
    claims.reclaim(staleMs)
    while (this.#ownUnderWay < this.#ownAtOnce) {
      const number = claims.take()
      if (number === null) break
      hasMoved = true
      const asked = this.#asked.get(number)
      if (asked) this.#compute(asked)
      else claims.withdraw(number)
    }
    this.#computeWhatIsLate()
    return hasMoved
  }

  /**
   * Whoever has nothing to do waits for others no longer than computing it here takes, and then computes it here: that costs at
   * most twice the time of whoever knew what comes (Karlin et al., Competitive Snoopy Caching, 1988).
   */
  #computeWhatIsLate(): void {
    if (this.#ownUnderWay > 0) {
      this.#idleSinceMs = null
      return
    }
    this.#idleSinceMs ??= performance.now()
    if (performance.now() - this.#idleSinceMs < this.#ownMs) return
    const late = [...this.#asked.values()].find(({ isOwn, isAnswered }) => !isOwn && !isAnswered)
    if (late) this.#compute(late)
  }

  /** Computes a shard here, unless that is under way; an answer of somebody else that comes first ends it. */
  #compute(asked: Asked): void {
    if (asked.isOwn) return
    asked.isOwn = true
    this.#ownUnderWay++
    this.#idleSinceMs = null
    const { requests, settings, options, settled } = asked
    const signal = AbortSignal.any([settled.signal, ...(options.signal ? [options.signal] : [])])
    const startMs = performance.now()
    this.#own
      .generate(requests.map(receivedRequest), settings, { ...options, signal })
      .then((said) => {
        this.#ownMs = performance.now() - startMs
        asked.resolve(said)
      })
      // Without effect where somebody else answered.
      .catch(asked.reject)
      .finally(() => {
        this.#ownUnderWay--
        this.#pause?.abort()
      })
  }

  /** Takes somebody else's answer, if it is one. */
  async #take(asked: Asked, name: string): Promise<void> {
    const { graphs, device } = this.#of
    asked.isAnswered = true
    try {
      const said = await readAnswer(this.#shared.folder, name, asked.key)
      const wrong = misfitOf(asked, said, graphs.config)
      if (wrong !== null) throw new Error(wrong)
      const { imageTokenId } = graphs.config
      const tolerance = toleranceOf(graphs, device)
      let nats = Number.POSITIVE_INFINITY
      for (let draw = 0; draw < tolerance.draws && nats > tolerance.nats; draw++)
        nats = await drawnAgain(this.#own, asked, said, imageTokenId, asked.options)
      if (nats > tolerance.nats) throw new Error(`a token differs by ${nats} nats`)
      if (!this.#asked.has(asked.number) || asked.settled.signal.aborted) return
      this.#count({ byOthers: said.length, differenceNats: nats })
      asked.resolve(said.map(receivedResponse))
      asked.settled.abort()
    } catch (thrown) {
      asked.isAnswered = false
      if (!this.#asked.has(asked.number)) return
      if (asked.options.signal?.aborted) return asked.reject(thrown)
      this.#count({ refusedShards: 1 })
      this.#shared.note(`the answer ${name} is not used: ${(thrown as Error).message.slice(0, 300)}`)
      this.#compute(asked)
    }
  }

  #count({ differenceNats = 0, ...more }: Partial<SharingFigures>): void {
    const sums = { ...this.#figures }
    for (const [name, value] of Object.entries(more)) sums[name as keyof typeof more] += value
    this.#figures = { ...sums, differenceNats: Math.max(sums.differenceNats, differenceNats) }
  }

  #tell(what: string, thrown: unknown): void {
    this.#shared.note(`the shared folder ${what}, so this machine computes alone: ${(thrown as Error).message}`)
  }
}
