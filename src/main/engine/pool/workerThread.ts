// A thread of the pool: carries out what it is asked, and ends when it is told to or with its process. Its other end is
// poolThread.ts. Built as a file of its own beside the engine.
import { parentPort } from 'node:worker_threads'
import { toErrorRecord } from '../../../shared/errors.ts'
import type { FromThread, TaskResult, ToThread } from './messages.ts'
import { TaskRunner } from './tasks.ts'

const port = parentPort
if (!port) throw new Error('This file runs as a worker thread only.')

const runner = new TaskRunner()
const underWay = new Map<number, { readonly abort: AbortController; readonly ended: Promise<void> }>()

function tell(message: FromThread, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer)
}

function answer(id: number, work: (signal: AbortSignal) => Promise<TaskResult | null>): void {
  const abort = new AbortController()
  const ended = work(abort.signal)
    .then((result) => tell({ kind: 'done', id, result }, result ? buffersOf(result) : []))
    .catch((thrown: unknown) => tell({ kind: 'failed', id, error: toErrorRecord(thrown) }))
    .finally(() => underWay.delete(id))
  underWay.set(id, { abort, ended })
}

/** Memory of computed tensors, which is handed over and not copied. */
function buffersOf(result: TaskResult): ArrayBuffer[] {
  if (Array.isArray(result)) return []
  const buffers = Object.values(result).map(({ values: { buffer } }) => buffer as ArrayBuffer)
  return [...new Set(buffers)]
}

async function close(): Promise<void> {
  for (const { abort } of underWay.values()) abort.abort()
  await Promise.all([...underWay.values()].map(({ ended }) => ended))
  await runner.release()
  // Of this thread, not of the process.
  process.exit(0)
}

port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'open':
      return answer(message.id, () => runner.open(message.opening).then(() => null))
    case 'task':
      return answer(message.id, (signal) => runner.carryOut(message.task, signal))
    case 'forget':
      return answer(message.id, () => runner.forget(message.thing).then(() => null))
    case 'cancel':
      return underWay.get(message.id)?.abort.abort()
    case 'close':
      void close()
  }
})
tell({ kind: 'ready' })
