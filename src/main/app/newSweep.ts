// Several runs at once in this app's own queue: each as one alone would be made, all of one sweep, all or none. Before it stands
// New run's page, after it the queue (runQueue.ts).
import { randomUUID } from 'node:crypto'
import type { RunId } from '../../shared/domain.ts'
import { runConfigSchema } from '../../shared/runConfig.ts'
import { placeboName } from '../../shared/sweep.ts'
import type { NewSweep } from '../../shared/sweepChannels.ts'
import { inTransaction, type WritableDb } from '../db/connection.ts'
import { createRun, runById } from '../db/runs.ts'
import { storeSweep, storeSweepRun } from '../db/sweeps.ts'
import { configFromRequest, placeboConfig } from './runViews.ts'

/**
 * @returns the runs in the order in which they will be carried out: a placebo after its run
 * @throws StudioError as a new run that is refused; nothing is stored then
 */
export function queueSweep(
  db: WritableDb,
  { name, runs, withPlacebo }: NewSweep,
  nowMs: number,
): { sweepId: string; runIds: RunId[] } {
  return inTransaction(db, () => {
    const sweepId = randomUUID()
    storeSweep(db, { sweepId, name, folder: null, createdAtMs: nowMs })
    const runIds = runs.flatMap((request, i) => {
      const { modelId, preset, seed } = request
      const config = configFromRequest(db, request)
      const made = [createRun(db, { modelId, name: request.name, preset, config, seed }, nowMs)]
      const run = runById(db, made[0] as RunId)
      if (withPlacebo && run && canHavePlacebo(config)) {
        const placebo = { modelId, name: placeboName(request.name), preset, config: placeboConfig(run), seed }
        made.push(createRun(db, placebo, nowMs))
      }
      for (const runId of made) storeSweepRun(db, sweepId, { runId, cell: i + 1 })
      return made
    })
    return { sweepId, runIds }
  })
}

/** One that learns, from pictures. */
export function canHavePlacebo(config: unknown): boolean {
  const { reward } = runConfigSchema.parse(config)
  return reward.verifier === 'own' && reward.method !== 'none'
}
