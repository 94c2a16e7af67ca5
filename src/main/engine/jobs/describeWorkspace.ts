// What the engine process is asked to describe in a workspace, made into jobs and carried out with models that stay warm:
// one question, or the whole library page by page. Before it stands what a person asked, after it describeJob.ts.
import type { Calibration } from '../../../shared/calibration.ts'
import type { LibraryTask, PolicyChoice, Question } from '../../../shared/describe.ts'
import type { RolloutId } from '../../../shared/domain.ts'
import { StudioError } from '../../../shared/errors.ts'
import type { DeviceName } from '../../../shared/hardware.ts'
import type { DescribeJob, JobPolicy } from '../../../shared/job.ts'
import { type RunConfig, runConfigSchema } from '../../../shared/runConfig.ts'
import { missingImage, missingModel, noCheckpoint, noCompanion } from '../../../shared/runErrors.ts'
import { checkpointAtStep } from '../../db/checkpoints.ts'
import type { WritableDb } from '../../db/connection.ts'
import { countImages, imageById, imageCount } from '../../db/images.ts'
import { modelById } from '../../db/models.ts'
import { countDescribed, imagesToDescribe } from '../../db/rollouts.ts'
import { identifyModels, type ModelFolders, type ModelsIdentity, requireCheckedModel } from '../folder/modelIdentity.ts'
import { throwIfCancelled } from '../graph/ortSession.ts'
import type { RunImage } from '../run/models.ts'
import type { SkippedImage } from '../run/skippedImages.ts'
import { type DescribeProgress, describeJob } from './describeJob.ts'
import { type Asked, DescribeStore } from './describeStore.ts'
import { jobFileOf, jobModelsOf, jobVersion } from './jobInputs.ts'
import { readRunCursor } from './runStore.ts'
import { identifyRunModels, openStoredRun } from './storedRun.ts'
import type { WarmModels } from './warmModels.ts'

export interface DescribeRequest {
  readonly device: DeviceName
  /** Path of the lexicon of object words. */
  readonly lexicon: string
  readonly threads?: number
  /** See db/owner.ts. */
  readonly ownerToken: string | null
}

/** Images of one page of the library: their records are all that is in memory at a time. */
const imagesOfPage = 512

/** Who answers: the same for every image. */
export interface Answering {
  readonly asked: Asked
  readonly policy: JobPolicy
  readonly config: RunConfig
  readonly seed: number
  readonly folders: ModelFolders
  readonly identity: ModelsIdentity
  readonly judgedBy: Calibration | null
}

/**
 * Answers a question, unless its answer is kept already.
 * @throws StudioError `run.missing`, `run.no-checkpoint`, `run.no-weights`, `model.missing`, `run.no-companion`, `image.*`,
 *   `run.cancelled`, and what the job throws
 */
export async function answerQuestion(
  db: WritableDb,
  { question, ...request }: DescribeRequest & { readonly question: Question },
  warm: WarmModels,
  report: (progress: DescribeProgress) => void,
  signal?: AbortSignal,
): Promise<{ rolloutId: RolloutId }> {
  const { imageId, policy, prompt, decoding, region } = question
  const found = imageById(db, imageId)
  if (!found) throw missingImage(imageId)
  const image = { imageId, path: found.path, sha256: found.sha256 }
  const answering = await answeringOf(db, policy, warm, signal)
  const { config } = answering
  const strength = policy.from === 'run' ? policy.strength : 1
  const asking = { strength, question: prompt ?? config.rollout.question, decoding, region, images: [image] }
  const job = { ...(await jobOf(answering, request)), ...asking }
  const store = new DescribeStore(db, answering.asked, answering.identity, request.ownerToken)
  const { skipped } = await describeJob(job, store, report, signal, warm)
  const rolloutId = store.rolloutOf(job, imageId)
  if (rolloutId === undefined) throw unreadable(skipped[0], image)
  return { rolloutId }
}

/**
 * Lets a checkpoint describe every image of the workspace, or of a query, that has no response of it, as the looks of its run do.
 * @param report images with a response, of all that are meant
 * @throws StudioError as {@link answerQuestion}; what was kept before a cancel stays, and is not done again
 */
export async function describeLibrary(
  db: WritableDb,
  { runId, step, query, ...request }: DescribeRequest & LibraryTask,
  warm: WarmModels,
  report: (progress: { done: number; total: number; skipped: number; readied: number | null }) => void,
  signal?: AbortSignal,
): Promise<{ done: number; total: number; skipped: number }> {
  const policy = { from: 'run', runId, step, strength: 1 } as const
  const answering = await answeringOf(db, policy, warm, signal)
  const { asked, config, identity } = answering
  if (asked.checkpointId === null) throw noCheckpoint(runId, step)
  const store = new DescribeStore(db, asked, identity, request.ownerToken)
  const asking = {
    ...{ strength: config.evaluation.strength, question: config.rollout.question },
    ...{ decoding: { kind: 'greedy' as const }, region: null },
  }
  const common = await jobOf(answering, request)
  const total = query === null ? imageCount(db) : countImages(db, query)
  const progress = { done: countDescribed(db, asked.checkpointId, query), total, skipped: 0 }
  report({ ...progress, readied: null })
  for (let after = 0; ; ) {
    throwIfCancelled(signal)
    const images = imagesToDescribe(db, asked.checkpointId, after, imagesOfPage, query)
    const last = images.at(-1)
    if (!last) return progress
    after = last.imageId
    const before = progress.done
    const onBatch = ({ done, readied }: DescribeProgress): void => {
      report({ ...progress, done: before + done, readied })
    }
    const { done, skipped } = await describeJob({ ...common, ...asking, images }, store, onBatch, signal, warm)
    progress.done = before + done
    progress.skipped += skipped.length
    report({ ...progress, readied: null })
  }
}

/** Who answers for a policy. @throws StudioError as {@link answerQuestion} */
export async function answeringOf(
  db: WritableDb,
  policy: PolicyChoice,
  warm: WarmModels,
  signal: AbortSignal | undefined,
): Promise<Answering> {
  if (policy.from === 'model') {
    const { modelId } = policy
    const { folders, identity } = await openStoredModel(db, modelId, warm, signal)
    const asked = { runId: null, step: 0, checkpointId: null, modelId } as const
    const config = runConfigSchema.parse({})
    return { asked, policy: { from: 'model' }, config, seed: 0, folders, identity, judgedBy: null }
  }
  const { runId, step } = policy
  const { config, seed, folders } = openStoredRun(db, runId)
  const checkpoint = checkpointAtStep(db, runId, step)
  if (!checkpoint) throw noCheckpoint(runId, step)
  const asked = { runId, step, checkpointId: checkpoint.checkpointId, modelId: null } as const
  const { yardstick } = readRunCursor(checkpoint).calibration
  const identity = await identifyRunModels(db, runId, signal)
  return { asked, policy: { from: 'run', step }, config, seed, folders, identity, judgedBy: yardstick }
}

/** A model of the list; its weights are hashed once as long as nobody wrote to them. */
async function openStoredModel(
  db: WritableDb,
  modelId: Extract<PolicyChoice, { from: 'model' }>['modelId'],
  warm: WarmModels,
  signal: AbortSignal | undefined,
): Promise<{ folders: ModelFolders; identity: ModelsIdentity }> {
  const model = modelById(db, modelId)
  if (!model) throw missingModel(modelId)
  if (model.companionFolder === null) throw noCompanion(model.folder)
  const folders = { model: model.folder, companion: model.companionFolder }
  const known = warm.identityOf(folders)
  const identity = await identifyModels(folders, known, signal).catch((thrown: unknown) => {
    const isChanged = thrown instanceof StudioError && thrown.code === 'run.model-changed'
    if (!known || !isChanged) throw thrown
    return identifyModels(folders, null, signal)
  })
  requireCheckedModel(model.folder, identity, model.weightsSha256)
  return { folders, identity }
}

async function jobOf(
  { policy, config, seed, folders, identity, judgedBy }: Answering,
  { device, lexicon, threads }: DescribeRequest,
): Promise<Omit<DescribeJob, 'strength' | 'question' | 'decoding' | 'region' | 'images'>> {
  return {
    ...{ kind: 'describe', ...jobVersion, config, seed, models: jobModelsOf(folders, identity) },
    ...{ device, threads: threads ?? null, lexicon: await jobFileOf(lexicon), policy, judgedBy },
  }
}

function unreadable(skipped: SkippedImage | undefined, { path }: RunImage): StudioError {
  const code = skipped?.code ?? 'image.unreadable'
  return new StudioError({
    code: code.startsWith('image.') ? (code as `image.${string}`) : 'image.unreadable',
    message: 'This image cannot be shown to the model: its file is gone, was changed or is damaged.',
    remedy: 'Put the file back where it was, or leave the image out.',
    where: path,
  })
}
