// The checkpoint of a run that a person has put in the place of its best one. Before it stands a click on the time line,
// after it whoever proposes a checkpoint.
import { z } from 'zod'
import type { RunId } from '../../shared/domain.ts'
import type { ReadableDb, WritableDb } from './connection.ts'
import { clearSetting, readSetting, writeSetting } from './settings.ts'

/** Its step; null while the best one is used. */
export function usedStep(db: ReadableDb, runId: RunId): number | null {
  return readSetting(db, keyOf(runId), z.int().positive()) ?? null
}

/** @param step null for the best one */
export function setUsedStep(db: WritableDb, runId: RunId, step: number | null): void {
  if (step === null) clearSetting(db, keyOf(runId))
  else writeSetting(db, keyOf(runId), step)
}

function keyOf(runId: RunId): string {
  return `run ${runId} used step`
}
