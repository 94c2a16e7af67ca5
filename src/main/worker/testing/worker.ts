// A worker process for the tests: does what it is asked, crashes included.
import { setTimeout as delay } from 'node:timers/promises'
import { StudioError } from '../../../shared/errors.ts'
import { serveMethods } from '../serveMethods.ts'
import { testMethods } from './methods.ts'

if (process.argv[2] === 'die-at-once') process.exit(3)
if (process.argv[2] === 'other-version') {
  process.send?.({ kind: 'ready', protocolVersion: 999, pid: process.pid })
} else {
  serveMethods(
    testMethods,
    {
      async count({ to }, { report, signal }) {
        for (let at = 1; at <= to; at++) {
          if (signal.aborted) return { counted: at }
          report({ at })
          await delay(1)
        }
        return { counted: to }
      },
      async fail() {
        throw new StudioError({ code: 'engine.on-purpose', message: 'It was asked to fail.', remedy: 'Do not ask.' })
      },
      lie: () => Promise.resolve({ truth: 42 } as never),
      crash: () => process.abort(),
      async block({ forMs, times }) {
        let beats = 0
        const beat = setInterval(() => beats++, 1000)
        for (let time = 0; time < times; time++) {
          blockThread(forMs)
          // A heartbeat leaves in the pause; it must not take back what the method may do until its answer.
          await delay(1500)
        }
        clearInterval(beat)
        return { beats }
      },
      async hang({ forMs }) {
        blockThread(forMs)
        return {}
      },
    },
    {
      postMessage: (message) => void process.send?.(message),
      onMessage: (listener) => void process.on('message', listener),
    },
  )
}

function blockThread(forMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs)
}
