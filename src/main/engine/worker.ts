// The engine process: the only part of the engine that knows Electron. Owns the devices.
import { engineMethods } from '../../shared/workerProtocol.ts'
import { type ReadableDb, type WritableDb, workspaceRecord } from '../db/connection.ts'
import { openForReading, openWorkspace } from '../db/open.ts'
import { parentPort } from '../worker/parentPort.ts'
import { serveMethods } from '../worker/serveMethods.ts'
import { checkRun } from './jobs/checkJob.ts'
import type { DescribeProgress } from './jobs/describeJob.ts'
import { describeModel } from './jobs/describeModel.ts'
import { answerQuestion, describeLibrary } from './jobs/describeWorkspace.ts'
import { probeDevices } from './jobs/deviceProbe.ts'
import { evaluateWorkspace } from './jobs/evaluateWorkspace.ts'
import { WarmEncoder } from './jobs/evidence.ts'
import { inspectModel } from './jobs/inspectModel.ts'
import { WarmModels } from './jobs/warmModels.ts'
import { alignRun, evaluateRun, exportRun } from './jobs/workspaceJobs.ts'

const warmModels = new WarmModels()
const warmEncoder = new WarmEncoder()

serveMethods(
  engineMethods,
  {
    probeDevices: ({ skip }, { report }) =>
      probeDevices({ skip, onProgress: (device, phase) => report({ device, phase }) }),
    inspectModel: ({ folder, companionFolder }, { signal }) => inspectModel(folder, companionFolder, signal),
    describeModel: ({ folder, companionFolder }) => describeModel(folder, companionFolder),
    checkRun: async (request, { signal, report }) => {
      await makeRoom()
      return await onWorkspace(request.workspace, (db) => checkRun(db, request, report, signal))
    },
    runAlignment: async ({ workspace, ...request }, { signal, report }) => {
      await makeRoom()
      return await onWorkspace(workspace, (db) => alignRun(db, withThreads(request), report, signal))
    },
    exportRun: ({ workspace, ...request }, { signal }) =>
      onWorkspace(workspace, (db) => exportRun(db, request, signal).then(() => ({}))),
    evaluateChair: async ({ workspace, ...request }, { signal, report }) => {
      await makeRoom()
      return await onWorkspace(workspace, (db) => evaluateRun(db, withThreads(request), report, signal))
    },
    describeImage: ({ workspace, ...request }, { signal, report }) =>
      onWorkspace(workspace, (db) => {
        const tell = ({ text, tokens, readied }: DescribeProgress): void => report({ text, tokens, readied })
        return answerQuestion(db, withThreads(request), warmModels, tell, signal)
      }),
    describeLibrary: ({ workspace, ...request }, { signal, report }) =>
      onWorkspace(workspace, (db) => describeLibrary(db, withThreads(request), warmModels, report, signal)),
    evaluate: async ({ workspace, ...request }, { signal, report }) => {
      await makeRoom()
      await onWorkspace(workspace, (db) => evaluateWorkspace(db, withThreads(request), warmModels, report, signal))
      return {}
    },
    // Nothing is stored, and the workspace may be another app's.
    evidence: ({ workspace, ...request }) => reading(workspace, (db) => warmEncoder.evidence(db, withThreads(request))),
  },
  parentPort(),
  workspaceRecord,
)

/** A session without a number of threads takes as many as there are cores. */
function withThreads<Request extends { readonly threads: number | null }>({
  threads,
  ...request
}: Request): Omit<Request, 'threads'> & { threads?: number } {
  return { ...request, ...(threads !== null && { threads }) }
}

/** Long work has the memory for itself; what is in use is waited for. */
async function makeRoom(): Promise<void> {
  await Promise.all([warmModels.release(), warmEncoder.release()])
}

async function reading<Result>(path: string, work: (db: ReadableDb) => Promise<Result>): Promise<Result> {
  const db = openForReading(path)
  try {
    return await work(db)
  } finally {
    db.close()
  }
}

async function onWorkspace<Result>(path: string, work: (db: WritableDb) => Promise<Result>): Promise<Result> {
  const db = openWorkspace(path, { foldsLog: false })
  try {
    return await work(db)
  } finally {
    db.close()
  }
}
