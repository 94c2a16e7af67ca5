// People's blind votes between two policies: pairs on drawn sides, never telling which is whose, and how they stand. Before it
// stands the contract (shared/evaluations.ts), after it db/votes.ts.
import { createHash, randomInt } from 'node:crypto'
import { z } from 'zod'
import type { PolicyChoice } from '../../shared/describe.ts'
import type { VoteChoice } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import type { Ballot, BallotView, VoteCounts, VotePair } from '../../shared/evaluations.ts'
import { runConfigSchema } from '../../shared/runConfig.ts'
import { missingModel, missingRun } from '../../shared/runErrors.ts'
import { shownText } from '../../shared/shownText.ts'
import { signTest } from '../../shared/signTest.ts'
import type { ReadableDb, WritableDb } from '../db/connection.ts'
import { modelById } from '../db/models.ts'
import { runById } from '../db/runs.ts'
import { readSetting, writeSetting } from '../db/settings.ts'
import {
  type Asked,
  castVote,
  countPairs,
  drawPair,
  lastVote,
  missingResponses,
  newestRollout,
  nextPair,
  type StoredPair,
  shownPair,
  takeVoteBack,
  voteTally,
} from '../db/votes.ts'
import type { Workspaces } from './workspaces.ts'

/** Images without a response that are named. */
const firstMissing = 50
const longestResponse = 100_000
const seedKey = 'votes.seed'

/** What a ballot's pairs are counted from: all responses until one more is stored. */
interface Counted {
  readonly key: string
  readonly pairs: { readonly both: number; readonly alike: number }
}

export class Votes {
  readonly #workspaces: Pick<Workspaces, 'require'>
  #counted: Counted | null = null

  constructor(workspaces: Pick<Workspaces, 'require'>) {
    this.#workspaces = workspaces
  }

  /** @throws StudioError `run.same-policy`, `run.missing`, `model.missing` */
  begin(ballot: Ballot): BallotView {
    const { db } = this.#workspaces.require()
    const { one, other } = askedOf(db, ballot)
    const missing = { one: missingResponses(db, one, firstMissing), other: missingResponses(db, other, firstMissing) }
    return { ...this.counts(ballot), prompt: one.prompt, ...this.#pairs(one, other), missing }
  }

  /** The pair that was shown and has no choice, or a new one on drawn sides; null when there is none. */
  next(ballot: Ballot): VotePair | null {
    const { db } = this.#workspaces.require()
    const { one, other } = askedOf(db, ballot)
    const open = shownPair(db, one, other)
    if (open) return shown(open)
    const found = nextPair(db, one, other)
    if (!found) return null
    const sides = isTurned(seedOf(db), found.one, found.other) ? [found.other, found.one] : [found.one, found.other]
    drawPair(db, sides[0] as typeof found.one, sides[1] as typeof found.one)
    const drawn = shownPair(db, one, other)
    return drawn ? shown(drawn) : null
  }

  /** @throws StudioError `run.no-pair` */
  cast(pairId: number, choice: VoteChoice): void {
    const { db } = this.#workspaces.require()
    if (castVote(db, pairId, choice, Date.now())) return
    throw new StudioError({
      code: 'run.no-pair',
      message: 'One of the two responses was made anew or removed, so this vote has nothing to count for.',
      remedy: 'Go on with the next pair.',
      where: `pair ${pairId}`,
    })
  }

  /** Takes the last vote back. @returns its pair, or null without a vote */
  undo(ballot: Ballot): VotePair | null {
    const { db } = this.#workspaces.require()
    const { one, other } = askedOf(db, ballot)
    const last = lastVote(db, one, other)
    if (!last) return null
    takeVoteBack(db, last.pairId)
    return shown(last)
  }

  counts(ballot: Ballot): VoteCounts {
    const { db } = this.#workspaces.require()
    const { one, other } = askedOf(db, ballot)
    const tally = voteTally(db, one, other)
    const { both, alike } = this.#pairs(one, other)
    const left = Math.max(0, both - alike - tally.one - tally.other - tally.ties)
    return { ...tally, pValue: signTest(tally.one, tally.other), left }
  }

  /** Counting all pairs of a large library takes a while; between two votes nothing has changed in it. */
  #pairs(one: Asked, other: Asked): Counted['pairs'] {
    const { db, key: opening } = this.#workspaces.require()
    const key = JSON.stringify([opening, newestRollout(db), one, other])
    if (this.#counted?.key !== key) this.#counted = { key, pairs: countPairs(db, one, other) }
    return this.#counted.pairs
  }
}

function shown({ pairId, imageId, left, right }: StoredPair): VotePair {
  return { pairId, imageId, left: shownText(left, longestResponse), right: shownText(right, longestResponse) }
}

/** Of the workspace, drawn once; with it, the sides can be drawn again. */
function seedOf(db: WritableDb): number {
  const known = readSetting(db, seedKey, z.int())
  if (known !== undefined) return known
  const seed = randomInt(2 ** 31)
  writeSetting(db, seedKey, seed)
  return seed
}

/** Whether the second of two responses stands left: one bit of a stream that seed and responses number. */
export function isTurned(seed: number, one: number, other: number): boolean {
  return ((createHash('sha256').update(`${seed} ${one} ${other}`).digest()[0] as number) & 1) === 1
}

function askedOf(db: ReadableDb, { one, other, prompt }: Ballot): { one: Asked; other: Asked } {
  const question = prompt ?? questionOf(db, one)
  const asked = { one: askedBy(db, one, question), other: askedBy(db, other, question) }
  if (JSON.stringify(asked.one) !== JSON.stringify(asked.other)) return asked
  throw new StudioError({
    code: 'run.same-policy',
    message: 'Both sides are one policy, so there is nothing to choose between.',
    remedy: 'Choose two different checkpoints, strengths or models.',
  })
}

/** What the run of a policy asks; the usual question of a model by itself. */
function questionOf(db: ReadableDb, policy: PolicyChoice): string {
  const config = policy.from === 'run' ? runById(db, policy.runId)?.config : {}
  return (runConfigSchema.safeParse(config).data ?? runConfigSchema.parse({})).rollout.question
}

function askedBy(db: ReadableDb, policy: PolicyChoice, prompt: string): Asked {
  if (policy.from === 'model') {
    if (!modelById(db, policy.modelId)) throw missingModel(policy.modelId)
    return { runId: null, modelId: policy.modelId, step: 0, strength: 1, prompt }
  }
  const { runId, step, strength } = policy
  if (!runById(db, runId)) throw missingRun(runId)
  // A new adapter changes nothing at any strength.
  return { runId, modelId: null, step, strength: step === 0 ? 1 : strength, prompt }
}
