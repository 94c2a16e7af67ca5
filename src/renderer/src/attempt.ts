// How the window does what may fail: what is thrown is shown to the person (shell/Notices.tsx says how).
import { type ErrorRecord, toErrorRecord } from '../../shared/errors.ts'

type ErrorListener = (error: ErrorRecord) => void

let listener: ErrorListener | null = null
/** What went wrong before anything could show it. */
let waiting: readonly ErrorRecord[] = []

/** Runs `work`; what it throws is shown to the person. */
export function attempt(work: () => Promise<unknown>): void {
  void work().catch(report)
}

/** Shows what was thrown to the person. */
export function report(thrown: unknown): void {
  showError(toErrorRecord(thrown))
}

/** Shows an error to the person. */
export function showError(error: ErrorRecord): void {
  if (listener) listener(error)
  else waiting = [...waiting, error]
}

/** Names what shows errors, until the returned function is called; it gets those first that came before it. */
export function showErrorsWith(next: ErrorListener): () => void {
  listener = next
  const missed = waiting
  waiting = []
  for (const error of missed) next(error)
  return () => {
    if (listener === next) listener = null
  }
}
