// Runs what a model's files command (their regular expressions, their templates) so that it ends in time.
// tokenizer.ts and chatTemplate.ts run everything that such a file can make slow through it.
import { createContext, Script } from 'node:vm'

const sandbox: { run: () => unknown } = createContext({ run: () => undefined }) as { run: () => unknown }
const call = new Script('run()')

/** Thrown when the time is over; the work was stopped where it was, inside a regular expression too. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/**
 * The result of `run`, which must not wait for anything. Costs some 0.1 ms.
 * @throws DeadlineError after `limitMs`; otherwise whatever `run` throws
 */
export function withDeadline<Result>(limitMs: number, run: () => Result): Result {
  sandbox.run = run
  try {
    // Only a script that vm runs can be stopped from outside; it stops the functions that it calls too.
    return call.runInContext(sandbox, { timeout: limitMs }) as Result
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw cause
    throw new DeadlineError(`not done within ${limitMs} ms`, { cause })
  } finally {
    sandbox.run = () => undefined
  }
}
