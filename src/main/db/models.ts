// Models of the workspace: Hugging Face folders that the model library has checked, for the wizard and the Models screen.
import type { Json, ModelId, ModelRecord } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import { type ReadableDb, statement, type WritableDb } from './connection.ts'
import { runsOfModel } from './runs.ts'

/** A model as the library stores it. */
export interface NewModel {
  readonly folder: string
  readonly name: string
  readonly config: Json
  /** 32 bytes. */
  readonly weightsSha256: Buffer
  readonly companionFolder: string | null
  readonly encoderVerified: boolean | null
}

/** Stores a model; one that is known under this folder keeps its id and gets the new findings. */
export function saveModel(db: WritableDb, model: NewModel, nowMs: number): ModelId {
  const row = statement<object, { modelId: ModelId }>(
    db,
    `INSERT INTO model (folder, name, config, weights_sha256, companion_folder, encoder_verified, added_ms)
     VALUES (@folder, @name, @config, @weightsSha256, @companionFolder, @encoderVerified, @nowMs)
     ON CONFLICT (folder) DO UPDATE SET name = excluded.name, config = excluded.config,
       weights_sha256 = excluded.weights_sha256, companion_folder = excluded.companion_folder,
       encoder_verified = excluded.encoder_verified
     RETURNING model_id AS modelId`,
  ).get({
    ...model,
    config: JSON.stringify(model.config),
    encoderVerified: model.encoderVerified === null ? null : Number(model.encoderVerified),
    nowMs,
  })
  return row!.modelId
}

type ModelRow = Omit<ModelRecord, 'config' | 'encoderVerified'> & { config: string; encoderVerified: 0 | 1 | null }

const columns = `model_id AS modelId, folder, name, config, lower(hex(weights_sha256)) AS weightsSha256,
  companion_folder AS companionFolder, encoder_verified AS encoderVerified, added_ms AS addedAtMs`

/** All models by name. */
export function listModels(db: ReadableDb): ModelRecord[] {
  return statement<[], ModelRow>(db, `SELECT ${columns} FROM model ORDER BY name, model_id`).all().map(recordOf)
}

/** One model, or undefined. */
export function modelById(db: ReadableDb, modelId: ModelId): ModelRecord | undefined {
  const row = statement<[number], ModelRow>(db, `SELECT ${columns} FROM model WHERE model_id = ?`).get(modelId)
  return row && recordOf(row)
}

/** The name of a model, or undefined. */
export function modelName(db: ReadableDb, modelId: ModelId): string | undefined {
  return statement<[number], { name: string }>(db, 'SELECT name FROM model WHERE model_id = ?').get(modelId)?.name
}

/** Gives a model the folders in which it lies now. */
export function moveModel(
  db: WritableDb,
  modelId: ModelId,
  to: Pick<ModelRecord, 'folder' | 'companionFolder' | 'name' | 'encoderVerified'>,
): void {
  statement<object>(
    db,
    `UPDATE model SET folder = @folder, companion_folder = @companionFolder, name = @name,
       encoder_verified = @encoderVerified WHERE model_id = @modelId`,
  ).run({ ...to, modelId, encoderVerified: to.encoderVerified === null ? null : Number(to.encoderVerified) })
}

/** Runs that a refusal names. */
const mostNamed = 3

/**
 * Takes a model out of the workspace; its folder is not touched.
 * @throws StudioError `model.in-use`, naming the runs that need it
 */
export function removeModel(db: WritableDb, modelId: ModelId): void {
  const runs = runsOfModel(db, modelId)
  if (runs.length > 0) {
    const named = runs.slice(0, mostNamed).map(({ name }) => `“${name.slice(0, 120)}”`)
    const more = runs.length > mostNamed ? ` and ${runs.length - mostNamed} more` : ''
    throw new StudioError({
      code: 'model.in-use',
      message: `This model cannot be removed, because runs in this workspace were made with it: ${named.join(', ')}${more}.`,
      remedy: 'Delete those runs first; the model folder itself is never touched.',
      found: `${runs.length} ${runs.length === 1 ? 'run' : 'runs'}`,
      where: `model ${modelId}`,
    })
  }
  statement<[number]>(db, 'DELETE FROM model WHERE model_id = ?').run(modelId)
}

function recordOf(row: ModelRow): ModelRecord {
  return {
    ...row,
    config: JSON.parse(row.config),
    encoderVerified: row.encoderVerified === null ? null : row.encoderVerified === 1,
  }
}
