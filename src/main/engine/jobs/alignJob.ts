// An alignment as a job: opens its inputs and aligns to the end or to a cancel, each step committed to the store. Joins
// run/align.ts to shared/job.ts.
import type { AlignJob } from '../../../shared/job.ts'
import { outcomeSentence } from '../../../shared/look.ts'
import type { RunProgress } from '../../../shared/runProgress.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import { align } from '../run/align.ts'
import type { Annotations } from '../run/rewards.ts'
import { splitImages } from '../run/schedule.ts'
import { calibrationAnnotations } from './annotatedImages.ts'
import { foldersOf, requireFile, requireLexicon, requireModels } from './jobInputs.ts'
import type { JobStore } from './jobStore.ts'
import { openJobWorkers, openPlanner } from './jobWorkers.ts'
import { type Sharing, shareWith } from './sharedRun.ts'

/** What an alignment came to, beside what it committed. */
export interface AlignResult {
  readonly steps: number
  /** 0 when no step was better than the model as it came. */
  readonly bestStep: number
  /** The same for a person, in a sentence. */
  readonly outcome: string
}

/**
 * Runs or resumes an alignment to its end.
 * @param sharing where other machines take part in its responses
 * @throws StudioError `run.too-few-images`, `run.model-changed`, `run.lexicon`, `run.annotations`, `run.input-changed`, and
 *   what `align` throws
 */
export async function alignJob(
  job: AlignJob,
  store: JobStore,
  report: (progress: RunProgress) => void,
  signal?: AbortSignal,
  sharing?: Sharing,
): Promise<AlignResult> {
  const { config, seed, device } = job
  const models = await requireModels(job, store, signal)
  const lexicon = await requireLexicon(job.lexicon, signal)
  const { images, validation } = splitImages(job.images, config, seed)
  const run = {
    ...{ config, seed, device, folders: foldersOf(job), lexicon, images, validation },
    weightsSha256: models.model.weightsSha256,
    annotations: await annotationsOf(job, lexicon),
  }
  const planner = () => openPlanner(run.folders, config, images.length + validation.length)
  const here = await openJobWorkers(job, planner, sharing !== undefined && device === 'cpu')
  // Whoever takes others in releases those of here too.
  let { workers } = here
  try {
    if (sharing) workers = await shareWith(sharing, job, here)
    const { steps, best, looks } = await align({ ...run, ...here, workers }, store.runOf(job, models), report, signal)
    return { steps, bestStep: best.step, outcome: outcomeSentence(looks, best.step, true) }
  } finally {
    await workers.release()
  }
}

/** What the annotations say of the job's images; not touched when the calibration needs none. */
async function annotationsOf({ config, annotations, images }: AlignJob, lexicon: Lexicon): Promise<Annotations | null> {
  if (config.calibration.method === 'free' || annotations === null) return null
  const found = await calibrationAnnotations(images, annotations.path, lexicon, { nouns: config.reward.otherNouns })
  await requireFile(annotations, 'file of annotations')
  return found
}
