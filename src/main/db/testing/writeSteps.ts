// A process for crash.test.ts to kill: `writeSteps.ts <workspace> <run>` commits steps without end, each one
// transaction of responses, metrics and a checkpoint of more than one chunk, and prints a step once it is committed.
import { writeSync } from 'node:fs'
import { type RunId, runIdSchema } from '../../../shared/domain.ts'
import { lastCheckpoint, storeCheckpoint } from '../checkpoints.ts'
import { inTransaction, type WritableDb } from '../connection.ts'
import { storeMetrics } from '../metrics.ts'
import { openWorkspace } from '../open.ts'
import { storeRollouts } from '../rollouts.ts'
import { responseTo } from './responses.ts'

const [path = '', run] = process.argv.slice(2)
const runId = runIdSchema.parse(Number(run))
const db = openWorkspace(path)
for (let step = (lastCheckpoint(db, runId)?.step ?? 0) + 1; ; step++) {
  commitStep(db, runId, step)
  writeSync(1, `${step}\n`)
}

function commitStep(db: WritableDb, runId: RunId, step: number): void {
  inTransaction(db, () => {
    const responses = Array.from({ length: 16 }, (_, i) => responseTo(i + 1, 16, { runId, step, purpose: 'training' }))
    storeRollouts(db, responses, step)
    storeMetrics(db, runId, step, { reward: step })
    const parts = { adapter: new Uint8Array(1_200_000).fill(step % 256) }
    storeCheckpoint(db, { runId, parentId: null, step, cursor: { step }, summary: {}, parts }, step)
  })
}
