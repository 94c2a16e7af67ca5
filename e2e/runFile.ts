// A workspace with a short run of the demo model, outside of the app (see onRuntime in studio.ts): `begin PATH` makes
// it, `look PATH` prints as JSON how far the run is and a fingerprint of all that it left behind, `pin PATH` makes the
// last step the best one, whatever its looks say.
import { createHash } from 'node:crypto'
import { listCheckpoints, setPinned } from '../src/main/db/checkpoints.ts'
import { createWorkspace, openWorkspace } from '../src/main/db/open.ts'
import { listRuns } from '../src/main/db/runs.ts'
import { addDemoRun, contentOf } from '../src/main/engine/jobs/testing/demoRun.ts'

/** What `look` prints. */
export interface RunLook {
  readonly state: string
  readonly step: number | null
  /** SHA-256 of checkpoints, metrics, responses and tokens, without times and ids. */
  readonly content: string
}

const images = 24
const [command, path = ''] = process.argv.slice(2)
if (command === 'begin') createWorkspace(path)
const db = openWorkspace(path)
if (command === 'begin') addDemoRun(db, images)
const run = listRuns(db)[0]
if (!run) throw new Error(`${path} has no run`)
const checkpoints = listCheckpoints(db, run.runId)
const last = checkpoints.at(-1)
if (command === 'pin') for (const one of checkpoints) setPinned(db, one.checkpointId, one === last)
const look: RunLook = {
  state: run.state,
  step: last?.step ?? null,
  content: createHash('sha256')
    .update(JSON.stringify(contentOf(db, run.runId)))
    .digest('hex'),
}
process.stdout.write(`${JSON.stringify(look)}\n`)
db.close()
