// Runs of a workspace: reads what the wizard stored (run, model, images) and carries it out. Asked by worker.ts; joins
// pipeline.ts and chairEvaluation.ts to the workspace file.
import type { RunId, RunRecord } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import type { ChairReport } from '../../shared/evaluation.ts'
import type { DeviceName } from '../../shared/hardware.ts'
import { type RunConfig, runConfigSchema } from '../../shared/runConfig.ts'
import { checkpointAtStep, checkpointPart, lastCheckpoint } from '../db/checkpoints.ts'
import type { ReadableDb, WritableDb } from '../db/connection.ts'
import { everyImage } from '../db/images.ts'
import { modelById } from '../db/models.ts'
import { runById } from '../db/runs.ts'
import { restorePolicy } from './align/checkpoint.ts'
import { newPolicy, type Policy } from './align/policy.ts'
import { AlignmentModels, type ModelFolders, type RunImage } from './alignmentModels.ts'
import { annotatedImages, evaluateChair } from './chairEvaluation.ts'
import { embeddingKeyOf, identifyModels, type ModelsIdentity, requireCheckedModel } from './modelIdentity.ts'
import { loraSlots } from './models/lora.ts'
import { valueHeadShapes } from './models/valueHead.ts'
import type { VlmSource } from './models/vlmGraphs.ts'
import { align } from './pipeline.ts'
import { readCocoAnnotations } from './reward/cocoAnnotations.ts'
import { type Lexicon, readLexicon } from './reward/lexicon.ts'
import { Rng } from './rng.ts'
import type { Annotations } from './runRewards.ts'
import type { RunProgress } from './runSchedule.ts'
import { embeddingsIn, readRunCursor, startedWithSchema, WorkspaceRunStore } from './runStore.ts'

/** The stream of a run's random numbers that parts its images; pipeline.ts has the others. */
const splitStream = 6

export interface RunRequest {
  readonly runId: RunId
  readonly device: DeviceName
  /** Path of the lexicon of object words. */
  readonly lexicon: string
  readonly threads?: number
  /** See db/owner.ts. */
  readonly ownerToken?: string | null
}

interface OpenedRun {
  readonly config: RunConfig
  readonly seed: number
  readonly folders: ModelFolders
  readonly encoderSha256: Buffer
  readonly models: ModelsIdentity
  readonly lexicon: Lexicon
}

/**
 * Runs or resumes a run of the workspace to its end.
 * @throws StudioError `run.missing`, `run.no-companion`, `run.too-few-images`, `run.model-changed`, and what `align`
 *   throws
 */
export async function runAlignment(
  db: WritableDb,
  { runId, device, threads, lexicon: lexiconPath, ownerToken = null }: RunRequest,
  report: (progress: RunProgress) => void,
  signal?: AbortSignal,
): Promise<{ steps: number; bestStep: number }> {
  const { config, seed, folders, encoderSha256, models, lexicon } = await openRun(db, runId, lexiconPath, signal)
  const all = imagesOfRun(db, runId)
  const { images, validation } = splitImages(all, config, seed)
  const lastImageId = all.at(-1)?.imageId ?? 0
  const prompt = config.rollout.question
  const store = new WorkspaceRunStore(db, {
    ...{ runId, config, seed, prompt, lastImageId, encoderSha256, ownerToken, models },
  })
  const annotations = await annotationsFor(config, [...images, ...validation], lexicon)
  const run = {
    ...{ config, seed, device, folders, lexicon, images, validation, annotations },
    ...(threads !== undefined && { threads }),
  }
  const { steps, best } = await align(run, store, report, signal)
  return { steps, bestStep: best.step }
}

/**
 * CHAIR of two steps of a run on annotated images.
 * @throws StudioError `run.missing`, `run.no-weights`, `run.annotations`, and what models and devices throw
 */
export async function evaluateRun(
  db: WritableDb,
  request: RunRequest & {
    readonly beforeStep: number
    readonly afterStep: number
    readonly strength: number
    readonly imageFolder: string
    readonly annotationFile: string
    readonly mostImages: number | null
  },
  onProgress: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<ChairReport> {
  const { config, seed, folders, lexicon, encoderSha256 } = await openRun(db, request.runId, request.lexicon, signal)
  const { imageFolder, annotationFile, mostImages } = request
  const annotated = await annotatedImages(imageFolder, annotationFile, lexicon, mostImages)
  const models = await AlignmentModels.open(folders, {
    ...{ device: request.device, config, lexicon, embeddings: embeddingsIn(db, encoderSha256) },
    ...(request.threads !== undefined && { threads: request.threads }),
  })
  try {
    const policies = {
      before: policyAtStep(db, request.runId, request.beforeStep, config, models.source),
      after: policyAtStep(db, request.runId, request.afterStep, config, models.source),
    }
    const { strength } = request
    const report = await evaluateChair(models, annotated.images, policies, {
      ...{ lexicon, strength, seed, onProgress },
      ...(signal && { signal }),
    })
    const unread = annotated.skipped.map(({ path, code }) => ({ path, code }))
    return { ...report, skipped: [...unread, ...report.skipped] }
  } finally {
    await models.release()
  }
}

/** The images that a run has: all of the workspace, or, once it has committed, those that it began with. */
export function imagesOfRun(db: ReadableDb, runId: RunId): RunImage[] {
  const last = lastCheckpoint(db, runId)
  const lastImageId = last ? readRunCursor(last).lastImageId : Number.POSITIVE_INFINITY
  return everyImage(db).filter(({ imageId }) => imageId <= lastImageId)
}

/**
 * Images to look at, and the rest to train on. Drawn by the seed; a third at most is only looked at.
 * @throws StudioError `run.too-few-images`
 */
export function splitImages(
  all: readonly RunImage[],
  { evaluation, rollout }: RunConfig,
  seed: number,
): { images: RunImage[]; validation: RunImage[] } {
  if (all.length < 3) {
    throw new StudioError({
      code: 'run.too-few-images',
      message: 'There are too few images in this workspace to align a model with.',
      remedy: 'Add a folder of images; a few hundred are a good start.',
      expected: 'at least 3 images',
      found: `${all.length}`,
    })
  }
  const order = [...all]
  new Rng({ seed }).fork(splitStream).shuffle(order)
  order.splice(rollout.mostImages ?? all.length)
  const looked = Math.min(evaluation.images, Math.floor(order.length / 3))
  return { validation: order.slice(0, looked), images: order.slice(looked) }
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
  if (!run || !model) {
    throw new StudioError({
      code: 'run.missing',
      message: 'This run is not in the workspace; it was deleted.',
      remedy: 'Choose another run.',
      where: `run ${runId}`,
    })
  }
  if (model.companionFolder === null) {
    throw new StudioError({
      code: 'run.no-companion',
      message: 'This model has no encoder with a text tower yet, so nothing can judge its words.',
      remedy: 'Add the CLIP or SigLIP model that its image tower was taken from.',
      where: model.folder,
    })
  }
  const folders = { model: model.folder, companion: model.companionFolder }
  return { config: runConfigSchema.parse(run.config), seed: run.seed, folders, record: run }
}

async function openRun(
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

/** Annotated images of the workspace by their file names; not touched when the calibration needs no annotation. */
async function annotationsFor(
  { calibration }: RunConfig,
  images: readonly RunImage[],
  lexicon: Lexicon,
): Promise<Annotations | null> {
  if (calibration.method === 'free' || calibration.annotationFile === null) return null
  const annotated = await readCocoAnnotations(calibration.annotationFile, lexicon)
  const byName = new Map(annotated.map(({ fileName, objects }) => [fileName, objects]))
  const bySha256 = new Map(images.map(({ path, sha256 }) => [sha256, byName.get(path.split(/[\\/]/).at(-1) as string)]))
  return (sha256) => bySha256.get(sha256) ?? null
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
