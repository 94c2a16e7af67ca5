// A question as a job: a policy is asked about images that have no response yet, and each batch is kept before the next
// begins. Joins run/describe.ts to shared/job.ts.
import type { DescribeJob } from '../../../shared/job.ts'
import { throwIfCancelled } from '../graph/ortSession.ts'
import { describeImages } from '../run/describe.ts'
import type { RunImage } from '../run/models.ts'
import type { SkippedImage } from '../run/skippedImages.ts'
import type { DescribeJobStore } from './jobStore.ts'
import { WarmModels } from './warmModels.ts'

/** How far a question is; `text` and `tokens` of its one image so far, empty when it is about several. */
export interface DescribeProgress {
  readonly done: number
  readonly total: number
  readonly text: string
  readonly tokens: number
  /** Share of the model that is made ready before it answers; null once it is. */
  readonly readied: number | null
}

export interface DescribeResult {
  /** Images whose response is kept, those of before included. */
  readonly done: number
  /** Images that could not be read. */
  readonly skipped: readonly SkippedImage[]
}

/** Between two messages about a growing answer: as often as anybody can read it. */
const tellEveryMs = 66

/**
 * @param warm models to answer with, and to keep open afterwards; opened and released for this job when left out
 * @throws StudioError `run.cancelled` after the current step of decoding, what was kept stays; and what models, devices and
 *   the store throw
 */
export async function describeJob(
  job: DescribeJob,
  store: DescribeJobStore,
  report: (progress: DescribeProgress) => void,
  signal?: AbortSignal,
  warm?: WarmModels,
): Promise<DescribeResult> {
  const kept = store.describedOf(job)
  const images = job.images.filter(({ imageId }) => !kept.has(imageId))
  const total = job.images.length
  let done = total - images.length
  if (images.length === 0) return { done, skipped: [] }
  const opened = warm ?? new WarmModels()
  try {
    const readying = (readied: number): void => report({ done, total, text: '', tokens: 0, readied })
    return await opened.use(job, store, signal, readying, async (models, policy) => {
      const { strength, question, decoding, judgedBy, config } = job
      const asking = { policy, strength, question, decoding, judgedBy, reward: config.reward, signal }
      const skipped: SkippedImage[] = []
      const answering = { ...asking, ...(total === 1 && { onToken: growing(report) }) }
      report({ done, total, text: '', tokens: 0, readied: null })
      for (let start = 0; start < images.length; start += config.rollout.batchSize) {
        throwIfCancelled(signal)
        const batch = images.slice(start, start + config.rollout.batchSize).map((image) => covered(image, job))
        const said = await describeImages(models, batch, answering)
        kept.commit(said.described)
        skipped.push(...said.skipped)
        done += said.described.length
        const [only] = total === 1 ? said.described : []
        report({ done, total, text: only?.text ?? '', tokens: only?.tokens.length ?? 0, readied: null })
      }
      return { done, skipped }
    })
  } finally {
    if (!warm) await opened.release()
  }
}

function covered(image: RunImage, { region }: DescribeJob): RunImage {
  return region ? { ...image, covered: region } : image
}

/** Tells of an answer while it grows. */
function growing(report: (progress: DescribeProgress) => void): (event: { readonly text: string }) => void {
  let [text, tokens, toldAtMs] = ['', 0, 0]
  return ({ text: added }) => {
    text += added
    tokens++
    const nowMs = performance.now()
    if (nowMs - toldAtMs < tellEveryMs) return
    toldAtMs = nowMs
    report({ done: 0, total: 1, text, tokens, readied: null })
  }
}
