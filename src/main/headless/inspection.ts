// What a workspace holds, or what a model folder is, as JSON. Before it stands work.ts; the model is opened as a run would.
import { stat } from 'node:fs/promises'
import { StudioError } from '../../shared/errors.ts'
import { listCheckpoints } from '../db/checkpoints.ts'
import type { ReadableDb } from '../db/connection.ts'
import { listEvaluations } from '../db/evaluations.ts'
import { imageCount } from '../db/images.ts'
import { pinnedLookStep } from '../db/looks.ts'
import { listModels } from '../db/models.ts'
import { listRuns } from '../db/runs.ts'
import { inspectModel } from '../engine/jobs/inspectModel.ts'
import type { Outcome } from './progress.ts'
import { writeResult } from './results.ts'
import { readingFrom } from './workspace.ts'

/** @throws StudioError `app.no-such-file`, and of whatever cannot be used, naming file and field */
export async function inspect(
  path: string,
  companion: string | null,
  out: string | null,
  signal: AbortSignal,
): Promise<Outcome> {
  const found = await stat(path).catch((cause: unknown) => Promise.reject(nothingThere(path, cause)))
  if (!found.isDirectory()) {
    const contents = await readingFrom(path, async (db) => contentsOf(db))
    return writeResult('inspect', contents, out, [`${contents.images} images, ${contents.runs.length} runs`])
  }
  // Its config stands in the folder, and says nothing that the report does not.
  const { config: _, ...report } = await inspectModel(path, companion, signal)
  const encoder = report.encoder ? `; image tower and encoder: ${report.encoder.outcome}` : ''
  return writeResult('inspect', report, out, [`${report.name}: ${report.parameters} parameters${encoder}`])
}

function contentsOf(db: ReadableDb) {
  return {
    workspace: db.name,
    images: imageCount(db),
    models: listModels(db).map(({ modelId, name, folder, companionFolder, weightsSha256 }) => ({
      ...{ modelId, name, folder, companionFolder, weightsSha256 },
    })),
    runs: listRuns(db).map(({ runId, name, preset, seed, state, error, createdAtMs, endedAtMs }) => ({
      ...{ runId, name, preset, seed, state, error, createdAtMs, endedAtMs },
      bestStep: pinnedLookStep(db, runId),
      checkpoints: listCheckpoints(db, runId).map(({ step, hasWeights }) => ({ step, hasWeights })),
    })),
    evaluations: listEvaluations(db).map(({ evaluationId, name, kind, state, names }) => ({
      ...{ evaluationId, name, kind, state, policies: names },
    })),
  }
}

function nothingThere(where: string, cause: unknown): StudioError {
  return new StudioError(
    {
      code: 'model.missing-folder',
      message: 'There is no workspace and no model folder in this place.',
      remedy: 'Name a .fisao file, or the folder of a model.',
      found: (cause as NodeJS.ErrnoException).code ?? 'unknown',
      where,
    },
    { cause },
  )
}
