// Starts an Electron utility process and gives it the shape that the supervisor expects.
import { join } from 'node:path'
import { app, utilityProcess } from 'electron'
import { modelCacheFolder, modelCacheVariable } from '../../shared/baseFormat.ts'
import { telemetryOff } from '../../shared/telemetryOff.ts'
import { logger } from '../log.ts'
import type { WorkerPort } from '../worker/workerClient.ts'

/** Starts `out/main/<entry>.js` as a utility process; what it prints goes to the log. */
export function startWorkerProcess(entry: 'engine' | 'library' | 'catalogue' | 'sweeps'): WorkerPort {
  const child = utilityProcess.fork(join(import.meta.dirname, `${entry}.js`), [], {
    serviceName: `FiSAO Studio ${entry}`,
    stdio: 'pipe',
    env: {
      ...{ [modelCacheVariable]: join(app.getPath('userData'), modelCacheFolder) },
      ...process.env,
      ...telemetryOff,
    },
  })
  child.stdout?.on('data', (text: Buffer) => logger.info(`[${entry}] ${text.toString().trimEnd()}`))
  child.stderr?.on('data', (text: Buffer) => logger.warn(`[${entry}] ${text.toString().trimEnd()}`))
  return {
    get pid() {
      return child.pid
    },
    postMessage: (message) => child.postMessage(message),
    onMessage: (listener) => child.on('message', listener),
    onExit: (listener) => child.on('exit', listener),
    kill: () => {
      if (child.pid === undefined) return
      try {
        // SIGKILL, not the polite signal: a process inside one long ONNX run would not hear the other.
        process.kill(child.pid, 'SIGKILL')
      } catch (thrown) {
        // It may have ended a moment ago, before its exit was heard of; then there is nothing left to end.
        if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') logger.error(`${entry} could not be ended`, thrown)
      }
    },
  }
}
