// A run as the workspace holds it: its config, model folders, images, and the policy of each step. Before it stands what
// the wizard stored, after it workspaceJobs.ts and workspaceStore.ts.
import type { RunId, RunRecord } from '../../../shared/domain.ts'
import { type RunConfig, storedRunConfig } from '../../../shared/runConfig.ts'
import { missingRun, noCheckpoint, noCompanion, noPlacebo } from '../../../shared/runErrors.ts'
import { checkpointAtStep, checkpointPart, lastCheckpoint } from '../../db/checkpoints.ts'
import type { ReadableDb } from '../../db/connection.ts'
import { everyImage, imagesBegunWith } from '../../db/images.ts'
import { modelById } from '../../db/models.ts'
import { counterpartOf, runById } from '../../db/runs.ts'
import { restorePolicy } from '../align/checkpoint.ts'
import type { Policy } from '../align/policy.ts'
import { identifyModels, type ModelFolders, type ModelsIdentity, requireCheckedModel } from '../folder/modelIdentity.ts'
import { loraSlots } from '../models/shared/lora.ts'
import { valueHeadShapes } from '../models/shared/valueHead.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'
import type { RunImage } from '../run/models.ts'
import { readRunCursor, startedWithSchema } from './runStore.ts'

/**
 * The images that a run has: all of the workspace, or, once it has committed, those that it began with. A run and
 * its placebo have the same ones.
 */
export function imagesOfRun(db: ReadableDb, runId: RunId): RunImage[] {
  const counterpart = counterpartOf(db, runId)
  const last = lastCheckpoint(db, runId) ?? (counterpart && lastCheckpoint(db, counterpart.runId))
  return last ? imagesBegunWith(db, last.runId, readRunCursor(last).lastImageId) : everyImage(db)
}

/** A run as it is stored, and where its models lie. */
export interface StoredRunRecord {
  readonly record: RunRecord
  readonly config: RunConfig
  readonly seed: number
  readonly folders: ModelFolders
}

/** @throws StudioError `run.missing`, `run.no-companion` */
export function openStoredRun(db: ReadableDb, runId: RunId): StoredRunRecord {
  const record = runById(db, runId)
  const model = record && modelById(db, record.modelId)
  if (!record || !model) throw missingRun(runId)
  if (model.companionFolder === null) throw noCompanion(model.folder)
  const folders = { model: model.folder, companion: model.companionFolder }
  return { record, config: storedRunConfig(record.config), seed: record.seed, folders }
}

/** The control of a run. @throws StudioError `run.no-placebo` */
export function requirePlacebo(db: ReadableDb, runId: RunId): RunId {
  const placebo = counterpartOf(db, runId)
  if (!placebo) throw noPlacebo()
  return placebo.runId
}

/** The models that a run had at its last committed step; null before the first, or where none were stored. */
export function modelsAtStart(db: ReadableDb, runId: RunId): ModelsIdentity | null {
  const last = lastCheckpoint(db, runId)
  return last ? startedWithSchema.parse(last.cursor).models : null
}

/**
 * The models of a run, which must be those that it began with; of one that has committed nothing, those that were
 * checked.
 * @throws StudioError `run.model-changed`, `run.missing`, `run.no-companion`
 */
export async function identifyRunModels(db: ReadableDb, runId: RunId, signal?: AbortSignal): Promise<ModelsIdentity> {
  const { folders, record } = openStoredRun(db, runId)
  const models = await identifyModels(folders, modelsAtStart(db, runId), signal)
  const checked = modelById(db, record.modelId)
  if (checked && !lastCheckpoint(db, runId)) requireCheckedModel(folders.model, models, checked.weightsSha256)
  return models
}

/**
 * The policy of a step.
 * @throws StudioError `run.no-checkpoint`, `run.no-weights`, `run.damaged-checkpoint`, `run.bad-checkpoint`
 */
export function policyAtStep(db: ReadableDb, runId: RunId, step: number, config: RunConfig, source: VlmSource): Policy {
  const checkpoint = checkpointAtStep(db, runId, step)
  if (!checkpoint) throw noCheckpoint(runId, step)
  const { decoder } = source.config
  return restorePolicy(
    readRunCursor(checkpoint).policy,
    loraSlots(decoder),
    valueHeadShapes(decoder.hiddenSize, config.optimiser.valueWidth),
    (name) => checkpointPart(db, checkpoint.checkpointId, name),
  )
}
