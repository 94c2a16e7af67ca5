// The engine process: the only part of the engine that knows Electron. Owns the devices. What a request needs beside them
// is loaded when the first of its kind comes: it is most of the engine, and the start of the app waits for none of it.
import { engineMethods } from '../../shared/workerProtocol.ts'
import { type ReadableDb, type WritableDb, workspaceRecord } from '../db/connection.ts'
import { openForReading, openWorkspace } from '../db/open.ts'
import { parentPort } from '../worker/parentPort.ts'
import { serveMethods } from '../worker/serveMethods.ts'
import type { DescribeProgress } from './jobs/describeJob.ts'
import { probeDevices } from './jobs/deviceProbe.ts'
import type { WarmEncoder } from './jobs/evidence.ts'
import type { WarmModels } from './jobs/warmModels.ts'

let models: Promise<WarmModels> | null = null
let encoder: Promise<WarmEncoder> | null = null

/** Models that stay open between questions. */
function warmModels(): Promise<WarmModels> {
  models ??= import('./jobs/warmModels.ts').then((module) => new module.WarmModels())
  return models
}

function warmEncoder(): Promise<WarmEncoder> {
  encoder ??= import('./jobs/evidence.ts').then((module) => new module.WarmEncoder())
  return encoder
}

serveMethods(
  engineMethods,
  {
    probeDevices: ({ skip }, { report }) =>
      probeDevices({ skip, onProgress: (device, phase) => report({ device, phase }) }),
    inspectModel: async ({ folder, companionFolder }, { signal }) => {
      const { inspectModel } = await import('./jobs/inspectModel.ts')
      return await inspectModel(folder, companionFolder, signal)
    },
    describeModel: async ({ folder, companionFolder }) => {
      const { describeModel } = await import('./jobs/describeModel.ts')
      return await describeModel(folder, companionFolder)
    },
    checkRun: async (request, { signal, report }) => {
      const { checkRun } = await import('./jobs/checkJob.ts')
      await makeRoom()
      return await onWorkspace(request.workspace, (db) => checkRun(db, request, report, signal))
    },
    runAlignment: async ({ workspace, ...request }, { signal, report }) => {
      const { alignRun } = await import('./jobs/workspaceJobs.ts')
      await makeRoom()
      return await onWorkspace(workspace, (db) => alignRun(db, withThreads(request), report, signal))
    },
    exportRun: async ({ workspace, ...request }, { signal }) => {
      const { exportRun } = await import('./jobs/workspaceJobs.ts')
      await onWorkspace(workspace, (db) => exportRun(db, request, signal))
      return {}
    },
    evaluateChair: async ({ workspace, ...request }, { signal, report }) => {
      const { evaluateRun } = await import('./jobs/workspaceJobs.ts')
      await makeRoom()
      return await onWorkspace(workspace, (db) => evaluateRun(db, withThreads(request), report, signal))
    },
    describeImage: async ({ workspace, ...request }, { signal, report }) => {
      const { answerQuestion } = await import('./jobs/describeWorkspace.ts')
      const warm = await warmModels()
      return await onWorkspace(workspace, (db) => {
        const tell = ({ text, tokens, readied }: DescribeProgress): void => report({ text, tokens, readied })
        return answerQuestion(db, withThreads(request), warm, tell, signal)
      })
    },
    describeLibrary: async ({ workspace, ...request }, { signal, report }) => {
      const { describeLibrary } = await import('./jobs/describeWorkspace.ts')
      const warm = await warmModels()
      return await onWorkspace(workspace, (db) => describeLibrary(db, withThreads(request), warm, report, signal))
    },
    evaluate: async ({ workspace, ...request }, { signal, report }) => {
      const { evaluateWorkspace } = await import('./jobs/evaluateWorkspace.ts')
      const warm = await warmModels()
      await makeRoom()
      await onWorkspace(workspace, (db) => evaluateWorkspace(db, withThreads(request), warm, report, signal))
      return {}
    },
    // Nothing is stored, and the workspace may be another app's.
    evidence: async ({ workspace, ...request }) => {
      const warm = await warmEncoder()
      return await reading(workspace, (db) => warm.evidence(db, withThreads(request)))
    },
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
  await Promise.all([models, encoder].map(async (warm) => (await warm)?.release()))
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
