// An engine process for the tests of the probe: the one argument is a folder, in which each start leaves a file and
// `plan.json` says what the first, second, … start does. What comes after the plan answers as it should.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { DeviceName, HardwareReport } from '../../../shared/hardware.ts'
import { engineMethods } from '../../../shared/workerProtocol.ts'
import { serveMethods } from '../../worker/serveMethods.ts'

const [folder = ''] = process.argv.slice(2)
const plan = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8')) as string[]
const starts = readdirSync(folder).filter((name) => name.startsWith('start')).length
writeFileSync(join(folder, `start ${starts}`), '')
const what = plan[starts] ?? 'answers'
if (what === 'dies before it is ready') process.abort()

const refuse = (): Promise<never> => Promise.reject(new Error('not asked in these tests'))

serveMethods(
  engineMethods,
  {
    async probeDevices({ skip }, { report }) {
      if (what === 'dies before a device') process.abort()
      for (const device of (['cpu', 'webgpu'] as const).filter((name) => !skip.includes(name))) {
        report({ device, phase: 'opening' })
        // The word has to leave before the process ends or blocks.
        await delay(20)
        if (what === `dies at ${device}`) process.abort()
        if (what === `stalls at ${device}`) await delay(3_600_000)
        if (what === 'is slow twice' && device === 'cpu') {
          for (let call = 1; call <= 2; call++) {
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20_000)
            // A heartbeat leaves between the two.
            await delay(1500)
          }
        }
        report({ device, phase: 'done' })
      }
      return reportOn(skip)
    },
    inspectModel: refuse,
    describeModel: refuse,
    checkRun: refuse,
    runAlignment: refuse,
    describeImage: () => Promise.reject(new Error('not asked in these tests')),
    describeLibrary: () => Promise.reject(new Error('not asked in these tests')),
    evidence: () => Promise.reject(new Error('not asked in these tests')),
    evaluate: () => Promise.reject(new Error('not asked in these tests')),
    exportRun: refuse,
    evaluateChair: refuse,
  },
  {
    postMessage: (message) => void process.send?.(message),
    onMessage: (listener) => void process.on('message', listener),
  },
)

function reportOn(skip: readonly DeviceName[]): HardwareReport {
  return {
    ...{ chosen: skip.includes('webgpu') ? 'cpu' : 'webgpu', reason: 'It was measured.', devices: [] },
    ...{ cpuModel: '', cpuCores: 2, memoryBytes: 1, onnxruntimeVersion: '', measuredAtMs: 1 },
  }
}
