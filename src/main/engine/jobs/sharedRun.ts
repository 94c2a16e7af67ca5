// One run on several machines: the learner, who shares the batches of its responses through a folder, and a worker, who answers
// them with the model that the folder names. Before it stand alignJob.ts and the command without a window, after it pool/.

import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { StudioError } from '../../../shared/errors.ts'
import { type AlignJob, alignJobSchema } from '../../../shared/job.ts'
import { Claims, makeTokens, tokenFolders } from '../../files/claims.ts'
import { publishText } from '../../files/publish.ts'
import { parseJson } from '../folder/json.ts'
import { throwIfCancelled } from '../graph/ortSession.ts'
import { inChosenNumbers } from '../models/baseFile.ts'
import { openVlm } from '../models/vlm.ts'
import { FolderWorkers } from '../pool/folderWorkers.ts'
import { answerShards } from '../pool/shardWorker.ts'
import { areOnlyAnswers, emptyParts, readText, removeParts } from '../pool/sharedFiles.ts'
import { openWorkers } from '../pool/workerPool.ts'
import type { Responder, Workers } from '../pool/workers.ts'
import { generatorGraphs } from '../rollout/generate.ts'
import { foldersOf, requireModels } from './jobInputs.ts'
import { type JobWorkers, openPlanner, shareOf } from './jobWorkers.ts'

/** Through which folder a run shares its work. */
export interface Sharing {
  readonly folder: string
  /** After which one that shows no change counts as gone. */
  readonly staleMs: number
  /** Of the program; both ends are of one version. */
  readonly appVersion: string
  readonly note: (text: string) => void
}

const shareSchema = z.strictObject({
  ...{ format: z.literal('fisao-shared-run'), version: z.literal(1), appVersion: z.string().max(100) },
  shareId: z.uuid(),
  /** What the learner is called among those that have shards. */
  learner: z.string().regex(/^[^/\\]{1,200}$/),
  /** Threads of each session, from which rounding follows; null for one a core. */
  threads: z.int().min(1).max(1024).nullable(),
  /** Without its images: what is asked comes with their features. */
  job: alignJobSchema,
})
type Share = z.infer<typeof shareSchema>

const shareFile = (folder: string) => join(folder, 'share.json')
/** So many signs of life within the others' patience. */
const beatsWithin = 6

/** Whether a run shares, or shared, its work through a folder. */
export function isShared(folder: string): boolean {
  return existsSync(shareFile(folder))
}

/**
 * Threads of this machine, and whoever works on the folder; released together.
 * @throws StudioError `run.share-taken` where something else lies in the folder, `run.bad-share`, and what its disk throws
 */
export async function shareWith(
  { folder, staleMs, appVersion, note }: Sharing,
  job: AlignJob,
  { workers, threads }: JobWorkers,
): Promise<Workers> {
  const said = { ...job, images: [] }
  mkdirSync(folder, { recursive: true })
  await requireFree(folder, alignJobSchema.parse(said))
  await emptyParts(folder)
  for (const name of tokenFolders) await rm(join(folder, name), { recursive: true, force: true })
  makeTokens(folder, 0)
  const claims = new Claims(folder)
  const share: Share = {
    ...{ format: 'fisao-shared-run', version: 1, appVersion, shareId: randomUUID() },
    ...{ learner: claims.name, threads: threads ?? null, job: said },
  }
  await publishText(shareFile(folder), `${JSON.stringify(share, null, 1)}\n`)
  const stopBeating = keepBeating(claims, staleMs)
  const leave = async (): Promise<void> => {
    stopBeating()
    try {
      // First, since its end is what workers look for.
      await rm(shareFile(folder), { force: true })
      claims.leave()
      await removeParts(folder)
    } catch (thrown) {
      // What the run came to is in its workspace.
      note(`the shared folder could not be tidied: ${(thrown as Error).message}`)
    }
  }
  return new FolderWorkers(workers, { folder, shareId: share.shareId, claims, staleMs, note, leave })
}

/** Shows that this machine is alive. @returns what ends it */
function keepBeating(claims: Claims, staleMs: number): () => void {
  const beat = () => {
    try {
      claims.beat()
    } catch {
      // A disk that is gone for a while; others count this machine as gone meanwhile.
    }
  }
  const timer = setInterval(beat, staleMs / beatsWithin).unref()
  return () => clearInterval(timer)
}

/** That nothing of anybody else's is taken away. @throws StudioError `run.share-taken` */
async function requireFree(folder: string, job: AlignJob): Promise<void> {
  if (isShared(folder)) {
    const { job: before } = (await readShare(folder)) ?? {}
    if (before && JSON.stringify(before) !== JSON.stringify(job)) throw taken(folder, 'a run of another job')
    return
  }
  // A run that ended leaves the folders of its tokens, and workers that have not gone yet.
  const names = (await readdir(folder)).filter((name) => !tokenFolders.includes(name))
  const areLate = names.join() === 'answers' && (await areOnlyAnswers(folder))
  const strange = areLate ? undefined : names[0]
  if (strange !== undefined) throw taken(folder, strange)
}

export interface ShardWorkOptions extends Sharing {
  /** Of the processor, for all that is computed at the same time; null for all cores. */
  readonly threads: number | null
  readonly onAnswered: (responses: number) => void
  readonly signal: AbortSignal
}

/**
 * Answers shards of the run in a folder until it ends, or its learner shows no sign of life any more. One that is started anew
 * finds the model still open.
 * @throws StudioError `run.bad-share`, `run.model-changed`, `run.cancelled`, and what opening the model throws
 */
export async function workOnRun(options: ShardWorkOptions): Promise<void> {
  let share = await shareFor(options)
  while (share !== null) {
    const opened = await openFor(share, options)
    try {
      const [text, threads]: [string, number | null] = [JSON.stringify(share.job), share.threads]
      while (share !== null && JSON.stringify(share.job) === text && share.threads === threads) {
        const isLost = await workFor(share, opened, options)
        throwIfCancelled(options.signal)
        share = isLost ? null : await shareFor(options)
      }
    } finally {
      await opened.pool.release()
    }
  }
}

/** What is shared now, or null. @throws StudioError `run.bad-share` */
async function shareFor({ folder, appVersion }: ShardWorkOptions): Promise<Share | null> {
  const share = isShared(folder) ? await readShare(folder) : null
  if (share === null || share.appVersion === appVersion) return share
  throw badShare(folder, `version ${share.appVersion}`, `version ${appVersion}`)
}

interface Opened {
  readonly pool: Workers
  readonly responder: Responder
  /** Shards that are computed at the same time. */
  readonly atOnce: number
}

async function openFor({ job, threads }: Share, options: ShardWorkOptions): Promise<Opened> {
  const { device, config } = job
  const models = await requireModels(job, { began: null }, options.signal)
  const base = { weightsSha256: models.model.weightsSha256, signal: options.signal }
  const source = await inChosenNumbers(await openVlm(job.models.model.folder), config.base.format, base)
  const cores = options.threads ?? availableParallelism()
  const planner = () => openPlanner(foldersOf(job), config, 0)
  const { count } = await shareOf({ device, config, threads: cores }, cores, planner)
  const atOnce = Math.max(1, Math.min(count, Math.floor(cores / (threads ?? availableParallelism()))))
  // The threads compute, so that this one shows that it is alive.
  const pool = await openWorkers(atOnce, device === 'cpu')
  try {
    const graphs = generatorGraphs(source, { rank: config.adapter.rank }, device)
    const responder = await pool.openResponder(graphs, { device, ...(threads !== null && { threads }) })
    return { pool, responder, atOnce }
  } catch (thrown) {
    await pool.release()
    throw thrown
  }
}

/** @returns whether the learner shows no sign of life any more; false where it ended, or was started anew */
async function workFor(
  { shareId, learner }: Share,
  { responder, atOnce }: Opened,
  { folder, staleMs, note, onAnswered, signal }: ShardWorkOptions,
): Promise<boolean> {
  const claims = new Claims(folder)
  const stopBeating = keepBeating(claims, staleMs)
  let isLost = false
  const isOver = async (): Promise<boolean> => {
    isLost = claims.isSilent(learner, staleMs)
    const now = isShared(folder) ? await readShare(folder) : null
    return isLost || now?.shareId !== shareId
  }
  try {
    await answerShards({ folder, shareId, claims, responder, atOnce, isOver, note, onAnswered, signal })
    return isLost
  } finally {
    stopBeating()
    claims.leave()
  }
}

/** @throws StudioError `run.bad-share` */
async function readShare(folder: string): Promise<Share | null> {
  try {
    const text = await readText(shareFile(folder))
    return text === null ? null : shareSchema.parse(parseJson(text))
  } catch (cause) {
    throw badShare(folder, (cause as Error).message, 'share.json of a run', cause)
  }
}

function badShare(where: string, found: string, expected: string, cause?: unknown): StudioError {
  return new StudioError(
    {
      code: 'run.bad-share',
      message: 'This is not the folder of a shared run that this program can use.',
      remedy: 'Name the folder that a run was started with, with a program of the same version.',
      ...{ expected, found, where },
    },
    { cause },
  )
}

function taken(where: string, found: string): StudioError {
  return new StudioError({
    code: 'run.share-taken',
    message: 'This folder holds something else, which sharing a run through it would take away.',
    remedy: 'Name a new folder; or take away what is in it, if it is of a run that is to go on no more.',
    ...{ expected: 'an empty folder, or that of this very run', found, where },
  })
}
