// The job of a run: reads what the wizard stored (run, model, images) and aligns to the end or to a cancel, each step
// committed to the workspace. Joins run/align.ts to the workspace file.
import type { RunConfig } from '../../../shared/runConfig.ts'
import type { RunProgress } from '../../../shared/runProgress.ts'
import type { WritableDb } from '../../db/connection.ts'
import { readCocoAnnotations } from '../eval/cocoAnnotations.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import { align } from '../run/align.ts'
import type { RunImage } from '../run/models.ts'
import type { Annotations } from '../run/rewards.ts'
import { splitImages } from '../run/schedule.ts'
import { WorkspaceRunStore } from './runStore.ts'
import { imagesOfRun, openRun, type RunRequest } from './storedRun.ts'

/**
 * Runs or resumes a run of the workspace to its end.
 * @throws StudioError `run.missing`, `run.no-companion`, `run.too-few-images`, `run.model-changed`, and what `align`
 *   throws
 */
export async function alignRun(
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
