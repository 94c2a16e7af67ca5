// Silences ONNX Runtime before anything of it is loaded. Before it: nothing; after it ortSession.ts.
import { isMainThread } from 'node:worker_threads'
import { StudioError } from '../../../shared/errors.ts'
import { telemetryOff } from '../../../shared/telemetryOff.ts'

/**
 * Puts the switch into this process's environment, where native code reads it.
 * @throws StudioError `device.telemetry` in a worker thread whose process did not switch it off: the environment of a
 *   thread is a copy that native code never sees
 */
export function silenceTelemetry(): void {
  for (const [name, value] of Object.entries(telemetryOff)) {
    if (isMainThread) process.env[name] = value
    else if (process.env[name] !== value) throw notSilenced(name)
  }
}

function notSilenced(name: string): StudioError {
  return new StudioError({
    code: 'device.telemetry',
    message: 'ONNX Runtime would be loaded in a thread of a process that did not switch its telemetry off.',
    remedy: `Report this fault: ${name} is set before the thread starts.`,
    where: name,
  })
}
