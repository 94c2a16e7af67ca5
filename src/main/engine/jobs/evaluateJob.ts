// An evaluation as a job: CHAIR of two policies on annotated images, and of a placebo beside them. Joins run/judge.ts to shared/job.ts.
import type { ChairReport } from '../../../shared/evaluation.ts'
import type { EvaluateJob, JobPolicy } from '../../../shared/job.ts'
import { openTogether, releaseAll } from '../graph/resources.ts'
import { evaluateChair } from '../run/judge.ts'
import { AlignmentModels } from '../run/models.ts'
import { annotatedImages } from './annotatedImages.ts'
import { foldersOf, openPolicy, requireFile, requireLexicon, requireModels } from './jobInputs.ts'
import type { JobStore } from './jobStore.ts'
import { openJobWorkers, openPlanner } from './jobWorkers.ts'

/** How far an evaluation is: responses judged, of all policies. */
export interface EvaluationProgress {
  readonly done: number
  readonly total: number
}

/**
 * @throws StudioError `run.model-changed`, `run.lexicon`, `run.annotations`, `run.input-changed`, `run.no-weights`, and what
 *   models and devices throw
 */
export async function evaluateJob(
  job: EvaluateJob,
  store: JobStore,
  report: (progress: EvaluationProgress) => void,
  signal?: AbortSignal,
): Promise<ChairReport> {
  const { config, seed, device, images, strength } = job
  const identity = await requireModels(job, store, signal)
  const lexicon = await requireLexicon(job.lexicon, signal)
  const annotated = await annotatedImages(images.folder, images.annotations.path, lexicon, images.most)
  await requireFile(images.annotations, 'file of annotations', signal)
  const folders = foldersOf(job)
  const shared = await openJobWorkers(job, () => openPlanner(folders, config, annotated.images.length))
  const embeddings = store.embeddings(identity)
  const base = { weightsSha256: identity.model.weightsSha256, ...(signal && { signal }) }
  const { models, policies } = await openTogether(async (keep) => {
    await keep(Promise.resolve(shared.workers))
    const models = await keep(AlignmentModels.open(folders, { device, config, lexicon, embeddings, base, ...shared }))
    const open = (policy: JobPolicy) => openPolicy(policy, config, models.source, store)
    const { before, after, placebo } = job.policies
    const policies = {
      ...{ before: await open(before), after: await open(after) },
      placebo: placebo && (await open(placebo)),
    }
    return { models, policies }
  })
  try {
    const judged = await evaluateChair(models, annotated.images, policies, {
      ...{ lexicon, judged: annotated.judged, strength, seed, onProgress: (done, total) => report({ done, total }) },
      ...(signal && { signal }),
    })
    const unread = annotated.skipped.map(({ path, code }) => ({ path, code }))
    return { ...judged, skipped: [...unread, ...judged.skipped], annotations: annotated.join }
  } finally {
    await releaseAll([models, shared.workers])
  }
}
