// The other end of folderWorkers.ts: takes shards out of a folder one after the other, answers them and commits the answers.
// Killed at any moment it leaves a claim that others take over. Before it stands whoever opened the model, after it nothing.
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { StudioError } from '../../../shared/errors.ts'
import type { Claims } from '../../files/claims.ts'
import type { Feeds } from '../models/shared/sequenceFeeds.ts'
import { receivedRequest, sentResponse } from './messages.ts'
import { isWanted, readPolicy, readShard, writeAnswer } from './sharedFiles.ts'
import type { Responder } from './workers.ts'

export interface ShardWork {
  readonly folder: string
  /** Of the learner's start; shards of another one are left. */
  readonly shareId: string
  readonly claims: Claims
  readonly responder: Responder
  /** Shards that are computed at the same time. */
  readonly atOnce: number
  /** Whether there is nobody to work for any more; asked between two shards. */
  readonly isOver: () => Promise<boolean>
  readonly note: (text: string) => void
  readonly onAnswered: (responses: number) => void
  readonly signal: AbortSignal
}

const [shortestWaitMs, longestWaitMs] = [10, 250]

/**
 * Works until it is over or stopped; what was begun is then given back.
 * @throws what a disk throws that cannot be written
 */
export async function answerShards(work: ShardWork): Promise<void> {
  // Shards of one step share it.
  let policy: { sha256: string; feeds: Promise<Feeds> } | null = null
  const policyOf = (sha256: string): Promise<Feeds> => {
    if (policy?.sha256 !== sha256) policy = { sha256, feeds: readPolicy(work.folder, sha256) }
    const { feeds } = policy
    // One that cannot be read now may be there for the next shard.
    return feeds.catch((thrown: unknown) => {
      policy = null
      throw thrown
    })
  }
  const one = async (): Promise<void> => {
    let waitMs = shortestWaitMs
    while (!work.signal.aborted) {
      const number = work.claims.take()
      if (number === null) {
        if (await work.isOver()) return
        waitMs = Math.min(longestWaitMs, waitMs * 1.5)
        await delay(waitMs, undefined, { signal: work.signal }).catch(() => undefined)
        continue
      }
      waitMs = shortestWaitMs
      await answer(work, number, policyOf)
    }
  }
  await Promise.all(Array.from({ length: work.atOnce }, one))
}

async function answer(work: ShardWork, number: number, policyOf: (sha256: string) => Promise<Feeds>): Promise<void> {
  const { folder, claims, responder, signal } = work
  try {
    const shard = await readShard(folder, number)
    // Wanted no more, or asked for by a learner that this worker has not seen yet.
    if (shard === null || shard.shareId !== work.shareId) return claims.close(number)
    const { requests, settings } = shard
    const adapter = await policyOf(shard.policySha256)
    const said = await responder.generate(requests.map(receivedRequest), settings, { adapter, signal })
    if (!isWanted(folder, number)) return claims.close(number)
    await writeAnswer(folder, number, shard.sha256, { host: hostname(), responses: said.map(sentResponse) })
    claims.close(number)
    work.onAnswered(said.length)
  } catch (thrown) {
    if (signal.aborted) return isWanted(folder, number) ? claims.giveBack(number) : claims.close(number)
    // Closed without an answer, so the learner computes it.
    claims.close(number)
    // The learner may have taken it away while it was being read.
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT' || isGone(thrown)) return
    work.note(`shard ${number} is left to the learner: ${(thrown as Error).message.slice(0, 300)}`)
  }
}

function isGone(thrown: unknown): boolean {
  return thrown instanceof StudioError && (thrown.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
}
