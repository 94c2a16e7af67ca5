// A run as the workspace holds it: its config, model folders, images, and the policy of each step. Asked by the jobs;
// before it stands what the wizard stored, after it run/.
import type { RunId, RunRecord } from '../../../shared/domain.ts'
import { StudioError } from '../../../shared/errors.ts'
import type { DeviceName } from '../../../shared/hardware.ts'
import { type RunConfig, runConfigSchema } from '../../../shared/runConfig.ts'
import { missingRun, noCompanion } from '../../../shared/runErrors.ts'
import { checkpointAtStep, checkpointPart, lastCheckpoint } from '../../db/checkpoints.ts'
import type { ReadableDb, WritableDb } from '../../db/connection.ts'
import { everyImage } from '../../db/images.ts'
import { modelById } from '../../db/models.ts'
import { runById } from '../../db/runs.ts'
import { restorePolicy } from '../align/checkpoint.ts'
import { newPolicy, type Policy } from '../align/policy.ts'
import {
  embeddingKeyOf,
  identifyModels,
  type ModelFolders,
  type ModelsIdentity,
  requireCheckedModel,
} from '../folder/modelIdentity.ts'
import { loraSlots } from '../models/shared/lora.ts'
import { valueHeadShapes } from '../models/shared/valueHead.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import { Rng } from '../rng.ts'
import type { RunImage } from '../run/models.ts'
import { readLexicon } from './readLexicon.ts'
import { readRunCursor, startedWithSchema } from './runStore.ts'

export interface RunRequest {
  readonly runId: RunId
  readonly device: DeviceName
  /** Path of the lexicon of object words. */
  readonly lexicon: string
  readonly threads?: number
  /** See db/owner.ts. */
  readonly ownerToken?: string | null
}

export interface OpenedRun {
  readonly config: RunConfig
  readonly seed: number
  readonly folders: ModelFolders
  readonly encoderSha256: Buffer
  readonly models: ModelsIdentity
  readonly lexicon: Lexicon
}

/** The images that a run has: all of the workspace, or, once it has committed, those that it began with. */
export function imagesOfRun(db: ReadableDb, runId: RunId): RunImage[] {
  const last = lastCheckpoint(db, runId)
  const lastImageId = last ? readRunCursor(last).lastImageId : Number.POSITIVE_INFINITY
  return everyImage(db).filter(({ imageId }) => imageId <= lastImageId)
}

/**
 * A run and where its model lies, as they are stored.
 * @throws StudioError `run.missing`, `run.no-companion`
 */
export function openStoredRun(
  db: WritableDb,
  runId: RunId,
): Pick<OpenedRun, 'config' | 'seed' | 'folders'> & { readonly record: RunRecord } {
  const run = runById(db, runId)
  const model = run && modelById(db, run.modelId)
  if (!run || !model) throw missingRun(runId)
  if (model.companionFolder === null) throw noCompanion(model.folder)
  const folders = { model: model.folder, companion: model.companionFolder }
  return { config: runConfigSchema.parse(run.config), seed: run.seed, folders, record: run }
}

/** All that aligning and judging a run need of it. @throws as {@link openStoredRun} and {@link identifyRunModels} */
export async function openRun(
  db: WritableDb,
  runId: RunId,
  lexiconPath: string,
  signal: AbortSignal | undefined,
): Promise<OpenedRun> {
  const { config, seed, folders } = openStoredRun(db, runId)
  const models = await identifyRunModels(db, runId, signal)
  return {
    config,
    seed,
    folders,
    models,
    encoderSha256: embeddingKeyOf(models),
    lexicon: await readLexicon(lexiconPath),
  }
}

/**
 * The models of a run, which must be those that it began with; of one that has committed nothing, those that were
 * checked.
 * @throws StudioError `run.model-changed`, `run.missing`, `run.no-companion`
 */
export async function identifyRunModels(db: WritableDb, runId: RunId, signal?: AbortSignal): Promise<ModelsIdentity> {
  const { folders, record } = openStoredRun(db, runId)
  const last = lastCheckpoint(db, runId)
  const began = last ? startedWithSchema.parse(last.cursor).models : null
  const models = await identifyModels(folders, began, signal)
  const checked = modelById(db, record.modelId)
  if (!last && checked) requireCheckedModel(folders.model, models, checked.weightsSha256)
  return models
}

/**
 * The policy of a step.
 * @throws StudioError `run.no-checkpoint`, `run.no-weights`, `run.damaged-checkpoint`, `run.bad-checkpoint`
 */
export function policyAtStep(db: WritableDb, runId: RunId, step: number, config: RunConfig, source: VlmSource): Policy {
  // The model as it came: a new adapter changes nothing, whatever its random numbers are.
  if (step === 0) return newPolicy(source, config, new Rng({ seed: 0 }))
  const checkpoint = checkpointAtStep(db, runId, step)
  if (!checkpoint) {
    throw new StudioError({
      code: 'run.no-checkpoint',
      message: `This run has no checkpoint at step ${step}.`,
      remedy: 'Choose another checkpoint of the run.',
      where: `run ${runId}`,
    })
  }
  const { decoder } = source.config
  return restorePolicy(
    readRunCursor(checkpoint).policy,
    loraSlots(decoder),
    valueHeadShapes(decoder.hiddenSize, config.optimiser.valueWidth),
    (name) => checkpointPart(db, checkpoint.checkpointId, name),
  )
}
