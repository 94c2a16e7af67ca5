// Jobs of runs that this workspace does not hold: those of a sweep that is carried out elsewhere, on the images that the workspace
// has now. Before it stands main/headless/sweepProcess.ts, after it the folder of the sweep.
import type { ModelId } from '../../../shared/domain.ts'
import type { DeviceName } from '../../../shared/hardware.ts'
import type { AlignJob, JobFile, JobModels } from '../../../shared/job.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import { missingModel, noCompanion } from '../../../shared/runErrors.ts'
import type { ReadableDb } from '../../db/connection.ts'
import { everyImage } from '../../db/images.ts'
import { modelById } from '../../db/models.ts'
import { identifyModels, requireCheckedModel } from '../folder/modelIdentity.ts'
import { jobModelsOf } from './jobInputs.ts'
import { newAlignJob } from './newJob.ts'

export interface NewRunOfSweep {
  readonly modelId: ModelId
  readonly name: string
  readonly preset: string
  readonly config: RunConfig
  readonly seed: number
}

export interface WhereItRuns {
  /** As the jobs are to name it. */
  readonly lexicon: JobFile
  readonly device: DeviceName
  readonly threads: number
}

/**
 * One job a run. The database is read before the first await.
 * @param report called before each job
 * @throws StudioError `model.missing`, `run.no-companion`, `run.model-changed`, and what hashing and annotations throw
 */
export async function newRunJobs(
  db: ReadableDb,
  runs: readonly NewRunOfSweep[],
  { lexicon, device, threads }: WhereItRuns,
  report: (done: number) => void,
  signal: AbortSignal,
): Promise<AlignJob[]> {
  const images = everyImage(db)
  const folders = new Map(runs.map(({ modelId }) => [modelId, foldersOf(db, modelId)]))
  const known = new Map<ModelId, JobModels>()
  const jobs: AlignJob[] = []
  for (const { modelId, name, preset, config, seed } of runs) {
    report(jobs.length)
    const { weightsSha256, ...own } = folders.get(modelId) ?? foldersOf(db, modelId)
    let models = known.get(modelId)
    if (!models) {
      const identity = await identifyModels(own, null, signal)
      requireCheckedModel(own.model, identity, weightsSha256)
      models = jobModelsOf(own, identity)
      known.set(modelId, models)
    }
    const parts = { folders: own, config, seed, lexicon: lexicon.path, lexiconFile: lexicon, device, threads, signal }
    jobs.push(await newAlignJob({ ...parts, models }, { name, preset, images }))
  }
  return jobs
}

/** @throws StudioError `model.missing`, `run.no-companion` */
export function foldersOf(db: ReadableDb, modelId: ModelId) {
  const model = modelById(db, modelId)
  if (!model) throw missingModel(modelId)
  const { folder, companionFolder, weightsSha256 } = model
  if (companionFolder === null) throw noCompanion(folder)
  return { model: folder, companion: companionFolder, weightsSha256 }
}
