// The engine process: the only part of the engine that knows Electron. Owns the devices.
import { engineMethods } from '../../shared/workerProtocol.ts'
import type { WritableDb } from '../db/connection.ts'
import { openWorkspace } from '../db/open.ts'
import { parentPort } from '../worker/parentPort.ts'
import { serveMethods } from '../worker/serveMethods.ts'
import { probeDevices } from './graph/deviceProbe.ts'
import { checkRun } from './jobs/checkJob.ts'
import { describeModel } from './jobs/describeModel.ts'
import { inspectModel } from './jobs/inspectModel.ts'
import { alignRun, evaluateRun, exportRun } from './jobs/workspaceJobs.ts'

serveMethods(
  engineMethods,
  {
    probeDevices: ({ skip }, { report }) =>
      probeDevices({ skip, onProgress: (device, phase) => report({ device, phase }) }),
    inspectModel: ({ folder, companionFolder }, { signal }) => inspectModel(folder, companionFolder, signal),
    describeModel: ({ folder, companionFolder }) => describeModel(folder, companionFolder),
    checkRun: (request, { signal, report }) =>
      onWorkspace(request.workspace, (db) => checkRun(db, request, report, signal)),
    runAlignment: ({ workspace, threads, ...request }, { signal, report }) =>
      onWorkspace(workspace, (db) =>
        alignRun(db, { ...request, ...(threads !== null && { threads }) }, report, signal),
      ),
    exportRun: ({ workspace, ...request }, { signal }) =>
      onWorkspace(workspace, (db) => exportRun(db, request, signal).then(() => ({}))),
    evaluateChair: ({ workspace, ...request }, { signal, report }) =>
      onWorkspace(workspace, (db) => evaluateRun(db, request, report, signal)),
  },
  parentPort(),
)

async function onWorkspace<Result>(path: string, work: (db: WritableDb) => Promise<Result>): Promise<Result> {
  const db = openWorkspace(path, { foldsLog: false })
  try {
    return await work(db)
  } finally {
    db.close()
  }
}
