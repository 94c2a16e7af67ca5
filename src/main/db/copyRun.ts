// Takes a run out of one workspace into another: a cell of a sweep, collected. Ids are given anew, all sums and seals follow
// from what is stored here, and everything is read through the checks of its readers. Before it stands headless/collect.ts.
import { z } from 'zod'
import type { CheckpointId, Json, ModelId, RunId } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import { checkpointPart, listCheckpoints, partsOf, setKept, setPinned, storeCheckpoint } from './checkpoints.ts'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'
import { storeEmbeddings } from './embeddings.ts'
import { imageOfHash, insertImage, type NewImage, thumbnailOf } from './images.ts'
import { createImport, setImportState } from './imports.ts'
import { jobOf, storeAbsentImages, storeJob } from './jobs.ts'
import { looksUntil, storeLook } from './looks.ts'
import { modelById, saveModel } from './models.ts'
import { responseById, storeRollouts } from './rollouts.ts'
import { sha256 } from './rowHash.ts'
import { runById } from './runs.ts'
import { readSetting, writeSetting } from './settings.ts'
import { storeSweepRun } from './sweeps.ts'

/** Where a run came from. */
export interface Origin {
  readonly sweepId: string
  readonly cell: number
}

/** Runs that a cell became; they may have been deleted since. */
const collectedSchema = z.object({ runIds: z.array(z.int()), atMs: z.number() })

const keyOf = ({ sweepId, cell }: Origin): string => `collected ${sweepId} ${cell}`

/** Whether a cell was taken over before; a run that a person deleted does not come back. */
export function isCollected(db: ReadableDb, origin: Origin): boolean {
  return readSetting(db, keyOf(origin), collectedSchema) !== undefined
}

/**
 * Copies runs with all that they left, all or nothing, once a cell.
 * @param source a workspace that has been checked; its images are those of the runs
 * @param runIds in their order: a placebo after its run
 * @param origin of a sweep that the target knows
 * @returns their new ids; null when the cell was taken over before
 * @throws StudioError `run.images-changed`, `run.other-order`, `run.other-model`, and of what is damaged
 */
export function copyRuns(
  source: ReadableDb,
  runIds: readonly RunId[],
  target: WritableDb,
  origin: Origin,
  nowMs: number,
): RunId[] | null {
  return inTransaction(target, () => {
    if (isCollected(target, origin)) return null
    const images = copyImages(source, target, nowMs)
    const copied = runIds.map((runId) => copyRun(source, runId, target, images, nowMs))
    for (const runId of copied) storeSweepRun(target, origin.sweepId, { runId, cell: origin.cell })
    copyEmbeddings(source, target)
    writeSetting(target, keyOf(origin), { runIds: copied, atMs: nowMs })
    return copied
  })
}

type Ids = ReadonlyMap<number, number>

/** @returns the id here of each image there; those that are not here are added */
function copyImages(source: ReadableDb, target: WritableDb, nowMs: number): Ids {
  const rows = source
    .prepare<[], Omit<NewImage, 'importId' | 'thumbnail' | 'imageId'> & { imageId: number; folder: string }>(
      `SELECT image_id AS imageId, path, name, size_bytes AS sizeBytes, modified_ms AS modifiedMs, sha256, width, height,
         format, folder FROM image JOIN import USING (import_id) ORDER BY image_id`,
    )
    .all()
  const ids = new Map<number, number>()
  let [importId, last] = [0, 0]
  for (const { imageId, folder, ...image } of rows) {
    let here = imageOfHash(target, image.sha256)?.imageId ?? null
    if (here === null) {
      if (importId === 0) {
        importId = createImport(target, folder, nowMs)
        setImportState(target, importId, 'complete', nowMs)
      }
      const thumbnail = thumbnailOf(source, imageId)
      if (!thumbnail) throw damagedThumbnail(source, imageId)
      here = insertImage(target, { ...image, importId, thumbnail }, nowMs)
      if (here === null) throw imageChanged(image.path)
    }
    if (here < last) throw otherOrder(target, image.path)
    last = here
    ids.set(imageId, here)
  }
  return ids
}

function copyRun(source: ReadableDb, runId: RunId, target: WritableDb, images: Ids, nowMs: number): RunId {
  const run = runById(source, runId)
  const job = jobOf(source, runId)
  if (!run || !job) throw new Error(`run ${runId} was checked before`)
  const { config, calibration, error: _, ...columns } = run
  const here = Number(
    statement<object>(
      target,
      `INSERT INTO run (model_id, name, preset, config, seed, state, calibration, created_ms, started_ms, ended_ms)
       VALUES (@modelId, @name, @preset, @config, @seed, @state, @calibration, @createdAtMs, @startedAtMs, @endedAtMs)`,
    ).run({
      ...columns,
      ...{ modelId: copyModel(source, run.modelId, target, nowMs), config: JSON.stringify(config) },
      calibration: calibration === null ? null : JSON.stringify(calibration),
    }).lastInsertRowid,
  ) as RunId
  const imageIds = [...images.values()]
  storeJob(target, here, { ...job, lastImageId: imageIds.at(-1) ?? 0 })
  storeAbsentImages(target, here, imageIds)
  const checkpoints = copyCheckpoints(source, runId, target, here, images)
  for (const look of looksUntil(source, runId, Number.MAX_SAFE_INTEGER)) {
    const { step } = z.object({ step: z.int() }).parse(look)
    storeLook(target, here, step, withImages(look, 'perImage', 'imageIds', images))
  }
  const metrics = source.prepare<[number], [string, number, number]>(
    'SELECT name, step, value FROM metric WHERE run_id = ?',
  )
  const insert = statement<[number, string, number, number]>(target, 'INSERT INTO metric VALUES (?, ?, ?, ?)')
  for (const row of metrics.raw().iterate(runId)) insert.run(here, ...row)
  copyResponses(source, runId, target, here, { images, checkpoints })
  return here
}

/** A model that is known here stays as it is, if it is the same. */
function copyModel(source: ReadableDb, modelId: ModelId, target: WritableDb, nowMs: number): ModelId {
  const model = modelById(source, modelId)
  if (!model) throw new Error(`model ${modelId} belongs to a run`)
  const known = statement<[string], { modelId: ModelId }>(
    target,
    'SELECT model_id AS modelId FROM model WHERE folder = ?',
  ).get(model.folder)
  if (!known) return saveModel(target, { ...model, weightsSha256: Buffer.from(model.weightsSha256, 'hex') }, nowMs)
  if (modelById(target, known.modelId)?.weightsSha256 === model.weightsSha256) return known.modelId
  throw new StudioError({
    code: 'run.other-model',
    message: 'This workspace has another model under the folder of this cell’s model.',
    remedy: 'Collect into a new workspace.',
    where: model.folder,
  })
}

function copyCheckpoints(source: ReadableDb, runId: RunId, target: WritableDb, here: RunId, images: Ids): Ids {
  const ids = new Map<number, number>()
  for (const { checkpointId, parentId, step, createdAtMs, ...checkpoint } of listCheckpoints(source, runId)) {
    const { lastImageId } = z.object({ lastImageId: z.int() }).parse(checkpoint.cursor)
    const parts = partsOf(source, checkpointId).map(
      (part) => [part, checkpointPart(source, checkpointId, part)] as const,
    )
    const id = storeCheckpoint(
      target,
      {
        ...{ runId: here, step, parts: Object.fromEntries(parts) },
        parentId: parentId === null ? null : ((ids.get(parentId) ?? null) as CheckpointId | null),
        cursor: { ...(checkpoint.cursor as object), lastImageId: idIn(images, lastImageId) },
        summary: withSkipped(checkpoint.summary, images),
      },
      createdAtMs,
    )
    if (checkpoint.isPinned) setPinned(target, id, true)
    if (checkpoint.isKept) setKept(target, id, true)
    ids.set(checkpointId, id)
  }
  return ids
}

function copyResponses(
  source: ReadableDb,
  runId: RunId,
  target: WritableDb,
  here: RunId,
  { images, checkpoints }: { readonly images: Ids; readonly checkpoints: Ids },
): void {
  const ids = source
    .prepare<[number], number>('SELECT rollout_id FROM rollout WHERE run_id = ? ORDER BY rollout_id')
    .pluck()
  for (const rolloutId of ids.all(runId)) {
    const response = responseById(source, rolloutId as never)
    if (!response) throw new Error(`response ${rolloutId} was there`)
    const { checkpointId, imageId, createdAtMs, modelId: __, ...said } = response
    const moved = {
      ...{ ...said, runId: here, imageId: idIn(images, imageId) },
      checkpointId: checkpointId === null ? null : (idIn(checkpoints, checkpointId) as CheckpointId),
    }
    storeRollouts(target, [moved], createdAtMs)
  }
}

/** What was computed of images and words is not computed again here; one that is damaged is left out. */
function copyEmbeddings(source: ReadableDb, target: WritableDb): void {
  const rows = source.prepare<
    [],
    { encoder: Buffer; kind: 'image' | 'text'; subject: Buffer; vector: Buffer; stored: Buffer }
  >(`SELECT encoder_sha256 AS encoder, kind, subject_sha256 AS subject, vector, sha256 AS stored FROM embedding`)
  for (const { encoder, kind, subject, vector, stored } of rows.iterate()) {
    if (!stored || vector.length % 4 !== 0 || !sha256(vector).equals(stored)) continue
    const floats = new Float32Array(new Uint8Array(vector).buffer)
    storeEmbeddings(target, [{ encoderSha256: encoder, kind, subjectSha256: subject, vector: floats }])
  }
}

function idIn(ids: Ids, id: number): number {
  const here = ids.get(id)
  if (here !== undefined) return here
  throw new StudioError({
    code: 'run.bad-cell',
    message: 'A run of this cell names an image or a checkpoint that its file does not hold.',
    remedy: 'Carry the cell out again.',
    found: `id ${id}`,
  })
}

/** `value[outer][inner]`, a list of image ids, as they are here. */
function withImages(value: Json, outer: string, inner: string, images: Ids): Json {
  const object = value as Record<string, Json>
  const within = object[outer] as Record<string, Json> | null | undefined
  if (!within) return value
  const ids = z.array(z.int()).parse(within[inner])
  return { ...object, [outer]: { ...within, [inner]: ids.map((id) => idIn(images, id)) } }
}

/** Images that a step left out, as they are here. */
function withSkipped(summary: Json, images: Ids): Json {
  const object = summary as Record<string, Json>
  if (object['skipped'] === undefined) return summary
  const skipped = z.array(z.looseObject({ imageId: z.int() })).parse(object['skipped'])
  return { ...object, skipped: skipped.map((one) => ({ ...one, imageId: idIn(images, one.imageId) })) as Json }
}

function damagedThumbnail(source: ReadableDb, imageId: number): StudioError {
  return new StudioError({
    code: 'run.bad-cell',
    message: 'A thumbnail in the file of this cell is not what was stored.',
    remedy: 'Carry the cell out again.',
    where: `${source.name}, image ${imageId}`,
  })
}

function imageChanged(where: string): StudioError {
  return new StudioError({
    code: 'run.images-changed',
    message: 'This workspace has another image under the path of one of this cell.',
    remedy: 'Collect into a new workspace.',
    where,
  })
}

/** A run draws its images by their order, which is that of their ids in a workspace. */
function otherOrder(target: ReadableDb, where: string): StudioError {
  return new StudioError({
    code: 'run.other-order',
    message:
      'The images of this cell stand in another order in this workspace, so its runs would not be what they were.',
    remedy: 'Collect into a new workspace.',
    where: `${target.name}, ${where}`,
  })
}
