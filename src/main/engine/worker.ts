// The engine process: the only part of the engine that knows Electron. Owns the devices.
import { engineMethods } from '../../shared/workerProtocol.ts'
import { openWorkspace } from '../db/open.ts'
import { parentPort } from '../worker/parentPort.ts'
import { serveMethods } from '../worker/serveMethods.ts'
import { probeDevices } from './graph/deviceProbe.ts'
import { inspectModel } from './modelInspection.ts'
import { exportRun } from './runExport.ts'
import { evaluateRun, runAlignment } from './workspaceRuns.ts'

/** A device that compiles its first shaders, or a slow one, blocks this thread for up to this long. */
const deviceQuietMs = 120_000
/** One run of a large model's graph on a slow machine is one call. */
const stepQuietMs = 10 * 60_000

serveMethods(
  engineMethods,
  {
    probeDevices: ({ skip }, { report, quietFor }) =>
      probeDevices({
        skip,
        onProgress: (device, phase) => {
          report({ device, phase })
          quietFor(deviceQuietMs)
        },
      }),
    inspectModel: ({ folder, companionFolder }, { signal, quietFor }) => {
      quietFor(deviceQuietMs)
      return inspectModel(folder, companionFolder, signal)
    },
    async runAlignment({ workspace, ...request }, { signal, report, quietFor }) {
      const db = openWorkspace(workspace, { foldsLog: false })
      try {
        quietFor(stepQuietMs)
        return await runAlignment(
          db,
          request,
          (progress) => {
            report(progress)
            quietFor(stepQuietMs)
          },
          signal,
        )
      } finally {
        db.close()
      }
    },
    async exportRun({ workspace, ...request }, { signal, quietFor }) {
      const db = openWorkspace(workspace, { foldsLog: false })
      try {
        quietFor(stepQuietMs)
        await exportRun(db, request, signal)
        return {}
      } finally {
        db.close()
      }
    },
    async evaluateChair({ workspace, ...request }, { signal, report, quietFor }) {
      const db = openWorkspace(workspace, { foldsLog: false })
      try {
        quietFor(stepQuietMs)
        return await evaluateRun(
          db,
          request,
          (done, total) => {
            report({ done, total })
            quietFor(stepQuietMs)
          },
          signal,
        )
      } finally {
        db.close()
      }
    },
  },
  parentPort(),
)
