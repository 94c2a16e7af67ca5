// Why a run is where it is, in the sentences of its report. Before it stands the run's record, after it runReport.ts.
import { completeSentence, placeOf } from '../../../shared/runEnding.ts'
import type { LookView, RunView } from '../../../shared/runView.ts'

type Ended = Pick<RunView, 'state' | 'checkpointStep' | 'totalSteps' | 'error'>

/** What ended it, or where it stands and what will become of it. */
export function endingSentences(run: Ended, looks: readonly Pick<LookView, 'isSound'>[]): string[] {
  const { state, error } = run
  const at = placeOf(run)
  switch (state) {
    case 'complete':
      return [completeSentence(run, looks)]
    case 'stopped':
      return [`A person stopped it at ${at}. It can be resumed from there.`]
    case 'paused':
      return [`It is paused at ${at}. This report says how far it had come.`]
    case 'failed':
      return [`It failed at ${at}.`, ...(error ? [error.message, foundText(error), error.remedy] : [])].filter(Boolean)
    case 'running':
      return [`It was under way at ${at} when this report was made, so its figures are not final.`]
    case 'queued':
      return [run.checkpointStep ? `It waits for its turn at ${at}.` : 'It has not begun yet.']
  }
}

function foundText({ expected, found }: NonNullable<RunView['error']>): string {
  if (!found) return ''
  return expected ? `Needed: ${expected}; found: ${found}.` : `Found: ${found}.`
}
