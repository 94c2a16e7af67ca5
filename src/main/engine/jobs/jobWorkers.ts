// Whether the work of a job is shared between threads, and how many: as many as have something to do and as the machine's
// memory holds. Before it stands a job, after it pool/workerPool.ts.
import { availableParallelism, totalmem } from 'node:os'
import type { DeviceName } from '../../../shared/hardware.ts'
import type { AlignJob } from '../../../shared/job.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import { usualImage } from '../models/architecture.ts'
import { openDualEncoder } from '../models/companion/encoder.ts'
import { openVlm } from '../models/vlm.ts'
import { openWorkers } from '../pool/workerPool.ts'
import type { Workers } from '../pool/workers.ts'
import { MemoryPlanner } from '../run/memoryPlan.ts'
import { openChatTemplate } from '../text/chatTemplate.ts'
import { openTokenizer } from '../text/tokenizer.ts'

export interface JobWorkers {
  readonly workers: Workers
  /** Of each session; one for each core when left out. */
  readonly threads?: number
}

interface Work {
  readonly device: DeviceName
  /** That the job may use; null for as many as there are cores. */
  readonly threads: number | null
  readonly config: RunConfig
}

/**
 * Who does the job's work; to be released after it.
 * @param keepsFree whether this thread has other machines to look after
 * @throws StudioError what `planner` throws
 */
export async function openJobWorkers(
  work: Work,
  planner: () => Promise<MemoryPlanner>,
  keepsFree = false,
): Promise<JobWorkers> {
  const { count, threads } = await shareOf(work, availableParallelism(), planner)
  const workers = await openWorkers(count, keepsFree)
  return { workers, ...(threads !== null && { threads }) }
}

/**
 * How many threads share the work, and how many each session of theirs computes with; null for one for each core. The
 * answer follows from the job and the machine alone, not from what is free just now, so a run that resumes goes on as it
 * began.
 */
export async function shareOf(
  work: Work,
  machineCores: number,
  planner: () => Promise<Pick<MemoryPlanner, 'plan'>>,
): Promise<{ count: number; threads: number | null }> {
  const cores = work.threads ?? machineCores
  const count = await affordable(mostWorkers(work, cores), work.config, planner)
  return { count, threads: count === 1 ? work.threads : Math.floor(cores / count) }
}

/** A step has so many batches to decode; devices other than the processor do one thing at a time. */
function mostWorkers({ device, config: { rollout } }: Work, cores: number): number {
  return device === 'cpu' ? Math.min(cores, Math.ceil(rollout.responsesPerStep / rollout.batchSize)) : 1
}

/** So many of them as the whole memory of the machine holds, at least one. */
async function affordable(
  most: number,
  config: RunConfig,
  planner: () => Promise<Pick<MemoryPlanner, 'plan'>>,
): Promise<number> {
  if (most < 2) return 1
  const plans = await planner()
  let count = most
  while (count > 1 && plans.plan(config, count).totalBytes > totalmem()) count--
  return count
}

/** The planner of runs of a model. @throws StudioError what opening the folders throws */
export async function openPlanner(
  folders: { readonly model: string; readonly companion: string | null },
  config: RunConfig,
  images: number,
): Promise<MemoryPlanner> {
  const source = await openVlm(folders.model)
  const layout = source.architecture.imageLayout(source.config, usualImage(source.config))
  const template = await openChatTemplate(folders.model, await openTokenizer(folders.model))
  const promptTokens = template.promptIds(config.rollout.question, layout).length
  const companion = folders.companion === null ? null : await openDualEncoder(folders.companion)
  return new MemoryPlanner({ source, companion, layout, promptTokens, images })
}

/** An alignment whose memory is planned. */
export interface PlannedWork extends Work {
  readonly folders: { readonly model: string; readonly companion: string | null }
  readonly images: number
}

/** What an alignment holds in memory with all who can share it, bytes; nothing is opened. @throws StudioError as {@link openPlanner} */
export async function plannedBytes({ folders, images, ...work }: PlannedWork): Promise<number> {
  const count = mostWorkers(work, work.threads ?? availableParallelism())
  return (await openPlanner(folders, work.config, images)).plan(work.config, count).totalBytes
}

export function plannedWorkOf({ models, config, images, device, threads }: AlignJob): PlannedWork {
  const folders = { model: models.model.folder, companion: models.companion.folder }
  return { folders, images: images.length, config, device, threads }
}
