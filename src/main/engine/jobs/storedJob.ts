// The job of a run in the workspace file. Before it stands workspaceJobs.ts, after it whoever wants to repeat the run.
import type { RunId } from '../../../shared/domain.ts'
import { jsonSchema } from '../../../shared/domain.ts'
import { StudioError } from '../../../shared/errors.ts'
import { type AlignJob, alignJobSchema } from '../../../shared/job.ts'
import { inTransaction, type ReadableDb, type WritableDb } from '../../db/connection.ts'
import { imagesBegunWith } from '../../db/images.ts'
import { jobOf, storeAbsentImages, storeJob } from '../../db/jobs.ts'
import { requireOwner } from '../../db/owner.ts'

/**
 * Stores what a run is started with, in the place of what it was started with before.
 * @param ownerToken see db/owner.ts; null where nobody else can be at work
 * @throws StudioError `workspace.taken-over`, and of a disk that is full
 */
export function keepJob(
  db: WritableDb,
  runId: RunId,
  { images, ...job }: AlignJob,
  ownerToken: string | null = null,
): void {
  inTransaction(db, () => {
    if (ownerToken !== null) requireOwner(db, ownerToken)
    storeJob(db, runId, { job: jsonSchema.parse(job), lastImageId: images.at(-1)?.imageId ?? 0 })
    storeAbsentImages(
      db,
      runId,
      images.map(({ imageId }) => imageId),
    )
  })
}

/**
 * The job that a run was started with last; null for one that was never started, or by a version that stored none.
 * @throws StudioError `run.bad-job` when this version cannot read it
 */
export function storedJobOf(db: ReadableDb, runId: RunId): AlignJob | null {
  const stored = jobOf(db, runId)
  if (!stored) return null
  const images = imagesBegunWith(db, runId, stored.lastImageId)
  const read = alignJobSchema.safeParse({ ...(stored.job as object), images })
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new StudioError(
    {
      code: 'run.bad-job',
      message: 'The job of this run cannot be read: it was written by another version.',
      remedy: 'Open the workspace with the version of FiSAO Studio that the run was started with.',
      found: issue?.message ?? 'unknown',
      where: `run ${runId}, ${issue?.path.join('.')}`,
    },
    { cause: read.error },
  )
}
