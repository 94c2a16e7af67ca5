// The measurement before a run: opens what the run would open, does a little of it, and says what the whole will take.
// Reads the workspace and stores nothing. Before it stands app/runChecks.ts, after it run/measureRun.ts.
import { freemem, totalmem } from 'node:os'
import type { ModelId } from '../../../shared/domain.ts'
import type { DeviceName } from '../../../shared/hardware.ts'
import type { CheckMeasurement, RunCheckProgress } from '../../../shared/runCheck.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import { noCompanion, tooLarge } from '../../../shared/runErrors.ts'
import type { ReadableDb } from '../../db/connection.ts'
import { freeBytes } from '../../db/freeSpace.ts'
import { everyImage } from '../../db/images.ts'
import { modelById } from '../../db/models.ts'
import { arrayTooLarge, mostArrayBytes } from '../graph/runSizes.ts'
import { measureRun } from '../run/measureRun.ts'
import type { MemoryPlanner } from '../run/memoryPlan.ts'
import { estimateDisk, estimateTime, expectedBytes, verifierOutcome } from '../run/runEstimate.ts'
import { splitImages } from '../run/schedule.ts'
import { calibrationAnnotations } from './annotatedImages.ts'
import { openJobWorkers, openPlanner } from './jobWorkers.ts'
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
  const planner = await openPlanner(folders, config, images.length + validation.length)
  requireMemory(planner, config)
  const shared = await openJobWorkers({ device, threads, config }, async () => planner)
  const { weightsSha256 } = model
  const run = { config, seed, device, folders, weightsSha256, lexicon, images, validation, ...shared }
  const measured = await measureRun(run, report, signal).finally(() => shared.workers.release())
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
function requireMemory(planner: MemoryPlanner, config: RunConfig): void {
  const { totalBytes: neededBytes, largestArrayBytes } = planner.plan(config)
  const machineBytes = totalmem()
  if (neededBytes <= machineBytes && largestArrayBytes <= mostArrayBytes) return
  if (neededBytes <= machineBytes) throw arrayTooLarge(largestArrayBytes, 'the plan of the run')
  throw tooLarge({ neededBytes, machineBytes, lighter: planner.lighter(config, machineBytes) })
}
