// The engine process: the only part of the engine that knows Electron. Owns the devices.
import { engineMethods } from '../../shared/workerProtocol.ts'
import { openWorkspace } from '../db/open.ts'
import { parentPort } from '../worker/parentPort.ts'
import { serveMethods } from '../worker/serveMethods.ts'
import { probeDevices } from './graph/deviceProbe.ts'
import { alignRun } from './jobs/alignRun.ts'
import { evaluateRun } from './jobs/evaluateRun.ts'
import { exportRun } from './jobs/exportRun.ts'
import { inspectModel } from './jobs/inspectModel.ts'

serveMethods(
  engineMethods,
  {
    probeDevices: ({ skip }, { report }) =>
      probeDevices({ skip, onProgress: (device, phase) => report({ device, phase }) }),
    inspectModel: ({ folder, companionFolder }, { signal }) => inspectModel(folder, companionFolder, signal),
    async runAlignment({ workspace, ...request }, { signal, report }) {
      const db = openWorkspace(workspace, { foldsLog: false })
      try {
        return await alignRun(db, request, report, signal)
      } finally {
        db.close()
      }
    },
    async exportRun({ workspace, ...request }, { signal }) {
      const db = openWorkspace(workspace, { foldsLog: false })
      try {
        await exportRun(db, request, signal)
        return {}
      } finally {
        db.close()
      }
    },
    async evaluateChair({ workspace, ...request }, { signal, report }) {
      const db = openWorkspace(workspace, { foldsLog: false })
      try {
        return await evaluateRun(db, request, (done, total) => report({ done, total }), signal)
      } finally {
        db.close()
      }
    },
  },
  parentPort(),
)
