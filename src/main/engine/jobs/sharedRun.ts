// One run on several machines: the learner, who shares the batches of its responses through a folder, and a worker, who answers
// them with the model that the folder names. Before it stand alignJob.ts and the command without a window, after it pool/.

import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { StudioError } from '../../../shared/errors.ts'
import { type AlignJob, alignJobSchema } from '../../../shared/job.ts'
import { Claims, makeTokens } from '../../files/claims.ts'
import { publishText } from '../../files/publish.ts'
import { parseJson } from '../folder/json.ts'
import { throwIfCancelled } from '../graph/ortSession.ts'
import { inChosenNumbers } from '../models/baseFile.ts'
import { openVlm } from '../models/vlm.ts'
import { FolderWorkers } from '../pool/folderWorkers.ts'
import { answerShards } from '../pool/shardWorker.ts'
import { emptyParts, readText, removeParts } from '../pool/sharedFiles.ts'
import { openWorkers } from '../pool/workerPool.ts'
import type { Workers } from '../pool/workers.ts'
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
const beatsWithin = 6

/** Whether a run shares, or shared, its work through a folder. */
export function isShared(folder: string): boolean {
  return existsSync(shareFile(folder))
}

/**
 * Threads of this machine, and whoever works on the folder; released together.
 * @throws StudioError `run.share-taken` where a run of another job lies in the folder, and what its disk throws
 */
export async function shareWith(
  { folder, staleMs, appVersion, note }: Sharing,
  job: AlignJob,
  { workers, threads }: JobWorkers,
): Promise<Workers> {
  const said = { ...job, images: [] }
  mkdirSync(folder, { recursive: true })
  const before = isShared(folder) ? await readShare(folder) : null
  if (before && JSON.stringify(before.job) !== JSON.stringify(alignJobSchema.parse(said))) throw taken(folder)
  await emptyParts(folder)
  for (const name of ['open', 'claimed', 'closed']) await rm(join(folder, name), { recursive: true, force: true })
  makeTokens(folder, 0)
  const claims = new Claims(folder)
  const share: Share = {
    ...{ format: 'fisao-shared-run', version: 1, appVersion, shareId: randomUUID() },
    ...{ learner: claims.name, threads: threads ?? null, job: said },
  }
  await publishText(shareFile(folder), `${JSON.stringify(share, null, 1)}\n`)
  const beat = setInterval(() => claims.beat(), staleMs / beatsWithin)
  const leave = async (): Promise<void> => {
    clearInterval(beat)
    // First, since its end is what workers look for.
    await rm(shareFile(folder), { force: true })
    claims.leave()
    await removeParts(folder)
  }
  return new FolderWorkers(workers, { folder, shareId: share.shareId, claims, staleMs, note, leave })
}

export interface ShardWorkOptions extends Sharing {
  /** Of the processor, for all that is computed at the same time; null for all cores. */
  readonly threads: number | null
  readonly onAnswered: (responses: number) => void
  readonly signal: AbortSignal
}

/**
 * Answers shards of the run in a folder until it ends, or its learner shows no sign of life any more.
 * @throws StudioError `run.bad-share`, `run.model-changed`, `run.cancelled`, and what opening the model throws
 */
export async function workOnRun(options: ShardWorkOptions): Promise<void> {
  const { folder, appVersion, signal } = options
  for (;;) {
    const share = isShared(folder) ? await readShare(folder) : null
    if (share === null) return
    if (share.appVersion !== appVersion) throw badShare(folder, `version ${share.appVersion}`, `version ${appVersion}`)
    if (await workOnShare(share, options)) return
    throwIfCancelled(signal)
  }
}

/** @returns whether there is nothing left to work for; false where the learner was started anew */
async function workOnShare(share: Share, options: ShardWorkOptions): Promise<boolean> {
  const { folder, staleMs, note, onAnswered, signal } = options
  const { job, shareId, learner } = share
  const { device, config } = job
  const models = await requireModels(job, { began: null }, signal)
  const base = { weightsSha256: models.model.weightsSha256, signal }
  const source = await inChosenNumbers(await openVlm(job.models.model.folder), config.base.format, base)
  const each = share.threads ?? availableParallelism()
  const cores = options.threads ?? availableParallelism()
  const { count } = await shareOf({ device, config, threads: cores }, cores, () =>
    openPlanner(foldersOf(job), config, 0),
  )
  const atOnce = Math.max(1, Math.min(count, Math.floor(cores / each)))
  const pool = await openWorkers(atOnce, true)
  const claims = new Claims(folder)
  // The threads compute, so that this one shows that it is alive.
  const beat = setInterval(() => claims.beat(), staleMs / beatsWithin)
  let isEnd = false
  const isOver = async (): Promise<boolean> => {
    const now = isShared(folder) ? await readShare(folder) : null
    isEnd = now === null || (now.shareId === shareId && claims.isSilent(learner, staleMs))
    return isEnd || now?.shareId !== shareId
  }
  try {
    const session = { device, ...(share.threads !== null && { threads: share.threads }) }
    const responder = await pool.openResponder(generatorGraphs(source, { rank: config.adapter.rank }), session)
    await answerShards({ folder, shareId, claims, responder, atOnce, isOver, note, onAnswered, signal })
    return isEnd
  } finally {
    await pool.release()
    clearInterval(beat)
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

function taken(where: string): StudioError {
  return new StudioError({
    code: 'run.share-taken',
    message: 'Another run shares its work through this folder, or did so until it was killed.',
    remedy: 'Name another folder; or take this one away, if that run is to go on no more.',
    where,
  })
}
