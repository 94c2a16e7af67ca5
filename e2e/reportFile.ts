// Makes a workspace with runs to report on, on the app's own runtime (see onRuntime in studio.ts): `reportFile.ts PATH`.
// Prints the ids of its runs as JSON.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../scripts/runProgram.ts'
import { fillReportWorkspace, lookedAtImages } from '../src/main/app/report/testing/reportWorkspace.ts'
import { closeWorkspace, createWorkspace, openWorkspace } from '../src/main/db/open.ts'
import { seedLibrary } from '../src/main/db/testing/seedLibrary.ts'

const [path = ''] = process.argv.slice(2)
createWorkspace(path)
const db = openWorkspace(path)
const scenes = join(projectRoot, 'resources/samples/images')
const pictures = readdirSync(scenes).slice(0, lookedAtImages)
seedLibrary(
  db,
  lookedAtImages * 3,
  pictures.map((name) => readFileSync(join(scenes, name))),
)
process.stdout.write(JSON.stringify(fillReportWorkspace(db)))
closeWorkspace(db)
