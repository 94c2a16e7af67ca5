// The measurement before a run: opens what the run would open, does a little of it, and says what the whole will take.
// Reads the workspace and stores nothing. Before it stands app/runChecks.ts, after it run/measureRun.ts.
import { freemem, totalmem } from 'node:os'
import type { ModelId } from '../../../shared/domain.ts'
import type { DeviceName } from '../../../shared/hardware.ts'
import type { AlignJob } from '../../../shared/job.ts'
import type { CheckMeasurement, RunCheckProgress } from '../../../shared/runCheck.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import { noCompanion, tooLarge } from '../../../shared/runErrors.ts'
import type { ReadableDb } from '../../db/connection.ts'
import { freeBytes } from '../../db/freeSpace.ts'
import { everyImage } from '../../db/images.ts'
import { modelById } from '../../db/models.ts'
import type { ModelFolders } from '../folder/modelIdentity.ts'
import { openDualEncoder } from '../models/companion/encoder.ts'
import { openVlm } from '../models/vlm.ts'
import { measureRun } from '../run/measureRun.ts'
import { MemoryPlanner } from '../run/memoryPlan.ts'
import { estimateDisk, estimateTime, expectedBytes, verifierOutcome } from '../run/runEstimate.ts'
import { splitImages } from '../run/schedule.ts'
import { openChatTemplate } from '../text/chatTemplate.ts'
import { openTokenizer } from '../text/tokenizer.ts'
import { calibrationAnnotations } from './annotatedImages.ts'
import { readLexicon } from './readLexicon.ts'

export interface CheckRequest {
  /** Of the workspace file, for the room on its disk. */
  readonly workspace: string
  readonly modelId: ModelId
  readonly config: RunConfig
  readonly seed: number
  readonly device: DeviceName
  readonly threads: number | null
  /** Path of the lexicon of object words. */
  readonly lexicon: string
}

/**
 * @throws StudioError `run.no-companion`, `run.too-few-images`, `run.annotations`, `run.images-missing`, `run.memory`, `run.cancelled`,
 *   and what models and devices throw
 */
export async function checkRun(
  db: ReadableDb,
  request: CheckRequest,
  report: (progress: RunCheckProgress) => void,
  signal?: AbortSignal,
): Promise<CheckMeasurement> {
  const { config, seed, device, threads, workspace } = request
  const startMs = performance.now()
  const availableBytes = freemem() + process.memoryUsage.rss()
  const model = modelById(db, request.modelId)
  if (!model?.companionFolder) throw noCompanion(model?.folder ?? '')
  const lexicon = await readLexicon(request.lexicon)
  const all = everyImage(db)
  const { images, validation } = splitImages(all, config, seed)
  const { method, annotationFile } = config.calibration
  // A file that the run could not read is told now; what it says is the run's own to find out.
  if (method === 'annotated' && annotationFile !== null && config.reward.verifier === 'own') {
    await calibrationAnnotations(all, annotationFile, lexicon, { nouns: config.reward.otherNouns })
  }
  const folders = { model: model.folder, companion: model.companionFolder }
  await requireMemory(folders, config, images.length + validation.length)
  const run = { config, seed, device, folders, lexicon, images, validation, ...(threads !== null && { threads }) }
  const measured = await measureRun(run, report, signal)
  return {
    ...{ device, responses: measured.responses, steps: measured.update.length },
    time: estimateTime(measured, config, { training: images.length, validation: validation.length }),
    memory: {
      ...{ peakBytes: measured.memory.peakBytes, expectedBytes: expectedBytes(measured, config) },
      ...{ machineBytes: totalmem(), availableBytes, deviceBytes: null },
    },
    disk: { ...estimateDisk(measured, config, validation.length), freeBytes: await freeBytes(workspace) },
    verifier: verifierOutcome(measured.calibration, config),
    durationMs: performance.now() - startMs,
  }
}

/** A run that this machine cannot hold ends the process in its middle; it is refused before anything opens. */
async function requireMemory(folders: ModelFolders, config: RunConfig, images: number): Promise<void> {
  const planner = await openPlanner(folders, config, images)
  const [neededBytes, machineBytes] = [planner.plan(config).totalBytes, totalmem()]
  if (neededBytes <= machineBytes) return
  throw tooLarge({ neededBytes, machineBytes, lighter: planner.lighter(config, machineBytes) })
}

/** What an alignment will hold in memory, bytes; nothing of it is opened. @throws StudioError of what models cannot be read */
export async function plannedBytes({ models, config, images }: AlignJob): Promise<number> {
  const folders = { model: models.model.folder, companion: models.companion.folder }
  return (await openPlanner(folders, config, images.length)).plan(config).totalBytes
}

async function openPlanner(folders: ModelFolders, config: RunConfig, images: number): Promise<MemoryPlanner> {
  const source = await openVlm(folders.model)
  const { imageSize } = source.config.vision
  const layout = source.architecture.imageLayout(source.config, { width: imageSize, height: imageSize })
  const template = await openChatTemplate(folders.model, await openTokenizer(folders.model))
  const promptTokens = template.promptIds(config.rollout.question, layout).length
  const companion = await openDualEncoder(folders.companion)
  return new MemoryPlanner({ source, companion, layout, promptTokens, images })
}
