// The job of an evaluation: CHAIR of two steps of a run on annotated images. Joins run/judge.ts to the workspace file.
import type { ChairReport } from '../../../shared/evaluation.ts'
import type { WritableDb } from '../../db/connection.ts'
import { evaluateChair } from '../run/judge.ts'
import { AlignmentModels } from '../run/models.ts'
import { annotatedImages } from './annotatedImages.ts'
import { embeddingsIn } from './runStore.ts'
import { openRun, policyAtStep, type RunRequest } from './storedRun.ts'

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
