// A workspace for an alignment that comes as a job: its images, its model and its run, as if a person had added them, so
// that the app can open it and show the run. Before it stands a checked job, after it workspaceStore.ts.
import { existsSync, renameSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { jsonSchema, type RunId, type RunState } from '../../../shared/domain.ts'
import { type ErrorRecord, StudioError, toErrorRecord } from '../../../shared/errors.ts'
import { unfinishedSuffix } from '../../../shared/fileName.ts'
import type { AlignJob } from '../../../shared/job.ts'
import { mapSome } from '../../../shared/mapSome.ts'
import type { RunProgress } from '../../../shared/runProgress.ts'
import { inTransaction, type ReadableDb, type WritableDb } from '../../db/connection.ts'
import { insertImage, type NewImage } from '../../db/images.ts'
import { createImport, setImportState } from '../../db/imports.ts'
import { saveModel } from '../../db/models.ts'
import { closeWorkspace, createWorkspace, openWorkspace, prepareWorkspace } from '../../db/open.ts'
import { inUse, lockWorkspace } from '../../db/owner.ts'
import { createRun, listRuns, runById, setRunState } from '../../db/runs.ts'
import { readJsonObject } from '../folder/configFields.ts'
import type { ModelsIdentity } from '../folder/modelIdentity.ts'
import { throwIfCancelled } from '../graph/ortSession.ts'
import type { RunStore } from '../run/alignmentRun.ts'
import type { AlignResult } from './alignJob.ts'
import { requireModels } from './jobInputs.ts'
import { runJob } from './runJob.ts'
import type { Sharing } from './sharedRun.ts'
import { keepJob, storedJobOf } from './storedJob.ts'
import { modelsAtStart } from './storedRun.ts'
import { WorkspaceJobStore } from './workspaceStore.ts'

/** Reads an image as the importer of the app does: size, format and thumbnail. */
export type ReadImage = (path: string) => Promise<Omit<NewImage, 'importId' | 'path' | 'name' | 'imageId'>>

export interface JobWorkspaceOptions {
  /** Of the workspace file. */
  readonly path: string
  /** Goes on with the run that an earlier start of this job left there. */
  readonly resume: boolean
  /** Adds the run to a workspace that holds the images of its job, where it is not there yet: a placebo beside its run. */
  readonly isBeside?: boolean
  readonly readImage: ReadImage
  readonly report: (progress: RunProgress) => void
  /** Called when a step is in the file. */
  readonly onCommit?: () => void
  readonly signal?: AbortSignal
  /** Where other machines take part in its responses. */
  readonly sharing?: Sharing
}

/**
 * Carries an alignment out in a workspace of its own.
 * @throws StudioError `run.output-taken`, `run.other-job`, `workspace.in-use`, and what the job and the workspace throw; the
 *   run is then stored as failed, or as stopped when it was cancelled, and can go on
 */
export async function alignInWorkspace(
  job: AlignJob,
  { path, resume, isBeside = false, readImage, ...options }: JobWorkspaceOptions,
): Promise<AlignResult> {
  if (existsSync(path) && !resume) throw outputTaken(path)
  const lock = lockWorkspace(path)
  if (!lock) throw inUse(path)
  try {
    if (existsSync(path)) await prepareWorkspace(path)
    else await makeWorkspace(path, job, readImage, options.signal)
    const db = openWorkspace(path)
    try {
      const runId = runOfJob(db, job) ?? (isBeside ? await addRun(db, job) : undefined)
      if (runId === undefined) throw otherJob(path)
      return await runToItsEnd(db, runId, job, options)
    } finally {
      closeWorkspace(db)
    }
  } finally {
    lock.release()
  }
}

async function runToItsEnd(
  db: WritableDb,
  runId: RunId,
  job: AlignJob,
  { report, onCommit, signal, sharing }: Pick<JobWorkspaceOptions, 'report' | 'onCommit' | 'signal' | 'sharing'>,
): Promise<AlignResult> {
  begin(db, runId)
  try {
    const models = await requireModels(job, { began: modelsAtStart(db, runId) }, signal)
    const result = await runJob<'align'>(job, new TellingStore(db, runId, models, onCommit), report, signal, sharing)
    settle(db, runId, 'complete')
    return result
  } catch (thrown) {
    const isCancelled = thrown instanceof StudioError && thrown.code === 'run.cancelled'
    if (isCancelled) settle(db, runId, 'stopped')
    else settle(db, runId, 'failed', toErrorRecord(thrown, 'run.unexpected'))
    throw thrown
  }
}

/** A store that says when a step is in it. */
class TellingStore extends WorkspaceJobStore {
  readonly #onCommit: () => void

  constructor(db: WritableDb, runId: RunId, began: ModelsIdentity, onCommit: () => void = () => undefined) {
    super(db, runId, began)
    this.#onCommit = onCommit
  }

  override runOf(job: AlignJob, models: ModelsIdentity): RunStore {
    const store = super.runOf(job, models)
    return {
      embeddings: store.embeddings,
      load: (opened) => store.load(opened),
      commit: (step) => {
        store.commit(step)
        this.#onCommit()
      },
    }
  }
}

/** Takes a run that may have ended before to `running`; one that is complete stays so and has nothing to do. */
function begin(db: WritableDb, runId: RunId): void {
  const state = runById(db, runId)?.state
  if (state === 'running' || state === 'complete') return
  if (state !== 'queued') setRunState(db, runId, 'queued', Date.now())
  setRunState(db, runId, 'running', Date.now())
}

function settle(db: WritableDb, runId: RunId, state: RunState, error: ErrorRecord | null = null): void {
  if (runById(db, runId)?.state !== 'complete') setRunState(db, runId, state, Date.now(), error)
}

/** The run that this very job began, or undefined. */
export function runOfJob(db: ReadableDb, job: AlignJob): RunId | undefined {
  const text = JSON.stringify(job)
  return listRuns(db).find(({ runId }) => JSON.stringify(storedJobOf(db, runId)) === text)?.runId
}

function otherJob(where: string): StudioError {
  return new StudioError({
    code: 'run.other-job',
    message: 'The workspace holds no run of this job, so there is nothing to go on with.',
    remedy: 'Name the workspace that this job began in, or a new one.',
    where,
  })
}

/** Files that are decoded at the same time. */
const readersAtOnce = 4

/** Makes the workspace with all that the run needs; it appears under its name when it is whole. */
async function makeWorkspace(
  path: string,
  job: AlignJob,
  readImage: ReadImage,
  signal: AbortSignal | undefined,
): Promise<void> {
  const unfinished = `${path}${unfinishedSuffix}`
  await rm(unfinished, { force: true })
  createWorkspace(unfinished)
  try {
    const db = openWorkspace(unfinished)
    try {
      await addImages(db, job, readImage, signal)
      await addRun(db, job)
    } finally {
      closeWorkspace(db)
    }
    renameSync(unfinished, path)
  } finally {
    for (const end of ['', '-wal', '-shm']) await rm(`${unfinished}${end}`, { force: true })
  }
}

async function addImages(
  db: WritableDb,
  { images }: AlignJob,
  readImage: ReadImage,
  signal: AbortSignal | undefined,
): Promise<void> {
  const importId = createImport(db, dirname(images[0]?.path ?? db.name), Date.now())
  setImportState(db, importId, 'complete', Date.now())
  for (let start = 0; start < images.length; start += readersAtOnce) {
    throwIfCancelled(signal)
    const batch = images.slice(start, start + readersAtOnce)
    const read = await mapSome(batch, readersAtOnce, async ({ imageId, path }) => ({
      ...(await readImage(path)),
      ...{ imageId, path, importId, name: basename(path) },
    }))
    inTransaction(db, () => {
      for (const image of read) if (insertImage(db, image, Date.now()) === null) throw listedTwice(image.path)
    })
  }
}

async function addRun(db: WritableDb, job: AlignJob): Promise<RunId> {
  const { model, companion } = job.models
  const { folder } = model
  const config = jsonSchema.parse(await readJsonObject(`${folder}/config.json`))
  const weightsSha256 = Buffer.from(model.weightsSha256, 'hex')
  const companionFolder = companion.folder
  const named = { folder, name: basename(folder), companionFolder, encoderVerified: null, config, weightsSha256 }
  const { name, preset, seed } = job
  return inTransaction(db, () => {
    const modelId = saveModel(db, named, Date.now())
    const runId = createRun(db, { modelId, name, preset, seed, config: jsonSchema.parse(job.config) }, Date.now())
    keepJob(db, runId, job)
    return runId
  })
}

function outputTaken(where: string): StudioError {
  return new StudioError({
    code: 'run.output-taken',
    message: 'There already is a workspace in the place where this job would keep its run.',
    remedy: 'Name another one with --out, or add --resume to go on with the run of this job in it.',
    where,
  })
}

function listedTwice(where: string): StudioError {
  return new StudioError({
    code: 'run.bad-job',
    message: 'The job cannot be used: it lists an image twice, by its path or by what it holds.',
    remedy: 'Leave one of the two out.',
    where,
  })
}
