// Carries out a run of a workspace as the engine process does, and says each committed step: a process to be killed.
import type { RunId } from '../../../../shared/domain.ts'
import { openWorkspace } from '../../../db/open.ts'
import { alignRun } from '../workspaceJobs.ts'
import { demoLexicon } from './demoRun.ts'

const [path, runId] = process.argv.slice(2) as [string, string]
const db = openWorkspace(path)
const request = { runId: Number(runId) as RunId, device: 'cpu', threads: 2, lexicon: demoLexicon } as const
const { bestStep } = await alignRun(db, request, ({ phase, step }) => process.stdout.write(`${phase} ${step}\n`))
process.stdout.write(`done ${bestStep}\n`)
db.close()
