// Exports step 0 of a workspace's run with the merged model, as the engine process does: a process to be killed.
import type { RunId } from '../../../../shared/domain.ts'
import { openWorkspace } from '../../../db/open.ts'
import { exportRun } from '../workspaceJobs.ts'

const [path, runId, folder] = process.argv.slice(2) as [string, string, string]
const db = openWorkspace(path)
process.stdout.write('begins\n')
await exportRun(db, { runId: Number(runId) as RunId, step: 0, strength: 1, folder, merged: true })
process.stdout.write('done\n')
db.close()
