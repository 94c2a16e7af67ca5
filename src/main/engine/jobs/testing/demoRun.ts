// A short run of the demo model on sample scenes in a workspace of its own, for tests of resuming.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json, RunId } from '../../../../shared/domain.ts'
import { presetConfig } from '../../../../shared/runConfig.ts'
import { checkpointPart, listCheckpoints, partsOf } from '../../../db/checkpoints.ts'
import type { WritableDb } from '../../../db/connection.ts'
import { everyImage, insertImage } from '../../../db/images.ts'
import { createImport, setImportState } from '../../../db/imports.ts'
import { saveModel } from '../../../db/models.ts'
import { sha256 } from '../../../db/rowHash.ts'
import { createRun } from '../../../db/runs.ts'

const resources = join(import.meta.dirname, '../../../../../resources')
export const demoModel = join(resources, 'demo-model')
export const demoLexicon = join(resources, 'lexicons/scene-objects.json')

/** Few and small steps: a whole run takes seconds. Two threads have something to do at each of them. */
export const shortConfig = presetConfig('quick-look', {
  rollout: { responsesPerStep: 8, batchSize: 4, maxNewTokens: 40 },
  calibration: { responses: 96, goOnRefused: true },
  optimiser: { stepsPerRound: 4, minibatchSize: 4, microBatchSize: 2, valueWarmupSteps: 5 },
  evaluation: { everySteps: 2, images: 8 },
})

/** Puts the first sample scenes, unless there are images, the demo model and a queued run of it into a workspace. */
export function addDemoRun(
  db: WritableDb,
  images: number,
  { config = shortConfig, seed = 3, model = demoModel } = {},
): RunId {
  if (everyImage(db).length === 0) addSampleScenes(db, images)
  const weights = readFileSync(join(model, 'model.safetensors'))
  const modelId = saveModel(
    db,
    {
      ...{ folder: model, name: 'demo', config: {}, weightsSha256: sha256(weights) },
      ...{ companionFolder: join(model, 'encoder'), encoderVerified: true },
    },
    1,
  )
  const stored = config as unknown as Json
  return createRun(db, { modelId, name: 'short', preset: 'quick-look', config: stored, seed }, 1)
}

export const sampleScenes = join(resources, 'samples/images')

/** The sample scenes from the `start`th on, or those of another folder. */
export function addSampleScenes(db: WritableDb, count: number, start = 0, folder = sampleScenes): void {
  const importId = createImport(db, folder, 1)
  // The app would go on with an import that is not complete.
  setImportState(db, importId, 'complete', 1)
  for (const name of readdirSync(folder)
    .sort()
    .slice(start, start + count)) {
    const bytes = readFileSync(join(folder, name))
    insertImage(
      db,
      {
        ...{ importId, name, path: join(folder, name), sizeBytes: bytes.length, modifiedMs: 1 },
        ...{ sha256: sha256(bytes), width: 384, height: 384, format: 'jpeg' as const },
        thumbnail: Buffer.of(0),
      },
      1,
    )
  }
}

/** All that a run left behind, byte for byte, but for times, ids and who shared the work: checkpoints, looks, metrics, responses, tokens. */
export function contentOf(db: WritableDb, runId: RunId): Record<string, unknown> {
  const rows = (sql: string) => db.prepare(sql).all(runId)
  return {
    checkpoints: listCheckpoints(db, runId).map(({ step, cursor, summary, isPinned, checkpointId, hasWeights }) => ({
      ...{ step, cursor, summary, isPinned, hasWeights },
      parts: partsOf(db, checkpointId).map(
        (part) => `${part} ${sha256(checkpointPart(db, checkpointId, part)).toString('hex')}`,
      ),
    })),
    // As text, so that the order of keys counts.
    calibration: rows('SELECT calibration FROM run WHERE run_id = ?'),
    looks: rows('SELECT step, figures FROM look WHERE run_id = ? ORDER BY step'),
    metrics: rows(
      `SELECT name, step, value FROM metric WHERE run_id = ? AND name NOT LIKE 'time.%' AND name NOT LIKE 'sharing.%'
       ORDER BY name, step`,
    ),
    responses: rows(
      `SELECT step, purpose, image_id, text, lowest_score, hallucinated_words FROM rollout WHERE run_id = ?
       ORDER BY step, purpose, rollout_id`,
    ),
    tokens: rows(
      `SELECT step, position, token_id, text_start, text_end, log_prob, reference_log_prob, reward
       FROM token JOIN rollout USING (rollout_id) WHERE run_id = ? ORDER BY step, purpose, rollout_id, position`,
    ),
  }
}
