// The process side of an Electron utility process's channel to main.
import type { MainPort } from './serveMethods.ts'

/** The port to main. Only an Electron utility process has one. */
export function parentPort(): MainPort {
  const port = process.parentPort
  return {
    postMessage: (message) => port.postMessage(message),
    onMessage: (listener) => {
      port.on('message', (event) => listener(event.data))
    },
  }
}
