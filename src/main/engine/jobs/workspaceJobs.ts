// What the engine process is asked to do with a run of the workspace, made into a job and carried out. Before it stands
// what a person chose, after it runJob.ts.
import type { RunId } from '../../../shared/domain.ts'
import { StudioError } from '../../../shared/errors.ts'
import type { ChairReport } from '../../../shared/evaluation.ts'
import type { DeviceName } from '../../../shared/hardware.ts'
import type { AlignJob, EvaluateJob, ExportJob, JobFile } from '../../../shared/job.ts'
import type { RunProgress } from '../../../shared/runProgress.ts'
import { lastCheckpoint } from '../../db/checkpoints.ts'
import type { ReadableDb, WritableDb } from '../../db/connection.ts'
import { readCocoAnnotations } from '../eval/cocoAnnotations.ts'
import type { ModelsIdentity } from '../folder/modelIdentity.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import type { AlignResult } from './alignJob.ts'
import type { EvaluationProgress } from './evaluateJob.ts'
import { jobFileOf, jobModelsOf, jobVersion } from './jobInputs.ts'
import { readLexicon } from './readLexicon.ts'
import { runJob } from './runJob.ts'
import { keepJob, storedJobOf } from './storedJob.ts'
import { identifyRunModels, imagesOfRun, openStoredRun } from './storedRun.ts'
import { WorkspaceJobStore } from './workspaceStore.ts'

export interface RunRequest {
  readonly runId: RunId
  readonly device: DeviceName
  /** Path of the lexicon of object words. */
  readonly lexicon: string
  readonly threads?: number
  /** See db/owner.ts. */
  readonly ownerToken?: string | null
}

/**
 * Runs or resumes a run of the workspace to its end; its job is stored with it before it begins.
 * @throws StudioError `run.missing`, `run.no-companion`, `run.model-changed`, `run.lexicon-changed`, and what the job throws
 */
export async function alignRun(
  db: WritableDb,
  request: RunRequest,
  report: (progress: RunProgress) => void,
  signal?: AbortSignal,
): Promise<AlignResult> {
  const { runId, ownerToken = null } = request
  const models = await identifyRunModels(db, runId, signal)
  const job = await alignJobOf(db, request, models)
  keepJob(db, runId, job, ownerToken)
  return await runJob<'align'>(job, new WorkspaceJobStore(db, runId, models, ownerToken), report, signal)
}

/** The job of a run as it is to go on: what was stored by the wizard, on the device and with the lexicon of now. */
async function alignJobOf(
  db: ReadableDb,
  { runId, device, threads, lexicon: lexiconPath }: Omit<RunRequest, 'ownerToken'>,
  models: ModelsIdentity,
): Promise<AlignJob> {
  const { record, config, seed, folders } = openStoredRun(db, runId)
  const { lexicon, lexiconFile } = await openLexicon(lexiconPath)
  if (lastCheckpoint(db, runId)) requireSameLexicon(db, runId, lexiconFile)
  const { method, annotationFile } = config.calibration
  const isAnnotated = method === 'annotated' && annotationFile !== null
  return {
    ...{ kind: 'align', ...jobVersion, name: record.name, preset: record.preset },
    ...{ config, seed, models: jobModelsOf(folders, models), device, threads: threads ?? null, lexicon: lexiconFile },
    images: imagesOfRun(db, runId),
    annotations: isAnnotated ? await annotationsFile(annotationFile, lexicon) : null,
  }
}

/**
 * CHAIR of two steps of a run on annotated images.
 * @throws StudioError `run.missing`, `run.no-placebo`, `run.no-companion`, `run.model-changed`, `run.annotations`, and what the job throws
 */
export async function evaluateRun(
  db: WritableDb,
  request: RunRequest & {
    readonly beforeStep: number
    readonly afterStep: number
    /** Judges the run's placebo at the same step too. */
    readonly withPlacebo: boolean
    readonly strength: number
    readonly imageFolder: string
    readonly annotationFile: string
    readonly mostImages: number | null
  },
  report: (progress: EvaluationProgress) => void,
  signal?: AbortSignal,
): Promise<ChairReport> {
  const { runId, device, threads, strength, beforeStep, afterStep } = request
  const { config, seed, folders } = openStoredRun(db, runId)
  const models = await identifyRunModels(db, runId, signal)
  const { lexicon, lexiconFile } = await openLexicon(request.lexicon)
  const annotations = await annotationsFile(request.annotationFile, lexicon)
  const job: EvaluateJob = {
    ...{ kind: 'evaluate', ...jobVersion, config, seed, models: jobModelsOf(folders, models) },
    ...{ device, threads: threads ?? null, lexicon: lexiconFile, strength },
    policies: {
      ...{ before: { from: 'run', step: beforeStep }, after: { from: 'run', step: afterStep } },
      placebo: request.withPlacebo ? { from: 'placebo', step: afterStep } : null,
    },
    images: { folder: request.imageFolder, annotations, most: request.mostImages },
  }
  return await runJob<'evaluate'>(job, new WorkspaceJobStore(db, runId, models), report, signal)
}

/**
 * Writes a step of a run to a folder.
 * @throws StudioError `run.missing`, `run.no-companion`, `run.model-changed`, and what the job throws
 */
export async function exportRun(
  db: WritableDb,
  {
    runId,
    step,
    ...request
  }: { readonly runId: RunId; readonly step: number } & Pick<ExportJob, 'strength' | 'folder' | 'merged'>,
  signal?: AbortSignal,
): Promise<void> {
  const { config, seed, folders } = openStoredRun(db, runId)
  const models = await identifyRunModels(db, runId, signal)
  const job: ExportJob = {
    ...{ kind: 'export', ...jobVersion, config, seed, models: jobModelsOf(folders, models), ...request },
    policy: { from: 'run', step },
  }
  await runJob<'export'>(job, new WorkspaceJobStore(db, runId, models), () => undefined, signal)
}

/** @throws StudioError `run.lexicon` */
async function openLexicon(path: string): Promise<{ lexicon: Lexicon; lexiconFile: JobFile }> {
  return { lexicon: await readLexicon(path), lexiconFile: await jobFileOf(path) }
}

/** @throws StudioError `run.annotations` */
async function annotationsFile(path: string, lexicon: Lexicon): Promise<JobFile> {
  return await jobFileOf(path).catch(async (cause) => {
    // What reads it says what is wrong.
    await readCocoAnnotations(path, lexicon)
    throw cause
  })
}

/** Steps that count other words as objects would not belong together. @throws StudioError `run.lexicon-changed` */
function requireSameLexicon(db: ReadableDb, runId: RunId, { path, sha256 }: JobFile): void {
  const began = storedJobOf(db, runId)?.lexicon
  if (began === undefined || began.sha256 === sha256) return
  throw new StudioError({
    code: 'run.lexicon-changed',
    message:
      'The lexicon of object words is not the one that this run began with, so its steps would not belong together.',
    remedy: 'Start a new run; or resume this one with the version of FiSAO Studio that it began with.',
    ...{ expected: began.sha256, found: sha256, where: path },
  })
}
