// Runs what a model's files command (their regular expressions, their templates) so that it ends in time.
// tokenizer.ts and chatTemplate.ts run everything that such a file can make slow through it.
import { createContext, Script } from 'node:vm'

const sandbox: { run: () => unknown } = createContext({ run: () => undefined }) as { run: () => unknown }
const call = new Script('run()')

/** Thrown when the time is over; the work was stopped where it was, inside a regular expression too. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/** How often work is begun again that a busy machine gave less than half of its time. */
const mostRetries = 2

/**
 * The result of `run`, which must not wait for anything and may be begun again. Costs some 0.1 ms.
 * @throws DeadlineError after `limitMs`; otherwise whatever `run` throws
 */
export function withDeadline<Result>(limitMs: number, run: () => Result): Result {
  sandbox.run = run
  try {
    for (let retry = 0; ; retry++) {
      const before = process.cpuUsage()
      try {
        // Only a script that vm runs can be stopped from outside; it stops the functions that it calls too.
        return call.runInContext(sandbox, { timeout: limitMs }) as Result
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw cause
        const { user, system } = process.cpuUsage(before)
        const wasKeptWaiting = (user + system) / 1000 < limitMs / 2
        if (!wasKeptWaiting || retry === mostRetries)
          throw new DeadlineError(`not done within ${limitMs} ms`, { cause })
      }
    }
  } finally {
    sandbox.run = () => undefined
  }
}
