// Why a run is where it is, in the sentences of its report. Before it stands the run's record, after it runReport.ts.
import type { LookView, RunView } from '../../../shared/runView.ts'
import { whole } from './markup.ts'

type Ended = Pick<RunView, 'state' | 'checkpointStep' | 'totalSteps' | 'error'>

/** What ended it, or where it stands and what will become of it. */
export function endingSentences(run: Ended, looks: readonly Pick<LookView, 'isSound'>[]): string[] {
  const { state, error } = run
  const done = run.checkpointStep ?? 0
  const at = run.totalSteps === null ? `step ${whole(done)}` : `step ${whole(done)} of ${whole(run.totalSteps)}`
  switch (state) {
    case 'complete':
      return [completeSentence(run, at, looks)]
    case 'stopped':
      return [`A person stopped it at ${at}. It can be resumed from there.`]
    case 'paused':
      return [`It is paused at ${at}. This report says how far it had come.`]
    case 'failed':
      return [`It failed at ${at}.`, ...(error ? [error.message, foundText(error), error.remedy] : [])].filter(Boolean)
    case 'running':
      return [`It was under way at ${at} when this report was made, so its figures are not final.`]
    case 'queued':
      return [done === 0 ? 'It has not begun yet.' : `It waits for its turn at ${at}.`]
  }
}

function completeSentence(
  { checkpointStep, totalSteps }: Ended,
  at: string,
  looks: readonly Pick<LookView, 'isSound'>[],
) {
  const done = checkpointStep ?? 0
  if (totalSteps === null) return `It came to its end at ${at}.`
  if (done >= totalSteps) return `It came to its end: all ${whole(totalSteps)} steps were done.`
  const wasUnsound = looks.length > 0 && looks.slice(-3).every(({ isSound }) => isSound === false)
  const why = wasUnsound
    ? ': its last looks named fewer right objects, or repeated or shortened too much, and going on leads further away'
    : ', as its settings allow'
  return `It ended by itself at ${at}${why}.`
}

function foundText({ expected, found }: NonNullable<RunView['error']>): string {
  if (!found) return ''
  return expected ? `Needed: ${expected}; found: ${found}.` : `Found: ${found}.`
}
