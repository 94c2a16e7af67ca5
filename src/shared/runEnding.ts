// Why a run came to its end, in one sentence, for its page and for its report.
import type { LookView, RunView } from './runView.ts'

type Ended = Pick<RunView, 'checkpointStep' | 'totalSteps'>

/** With thin spaces between its thousands. */
const whole = (value: number): string => value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, '\u202f')

/** `step 12 of 24`. */
export function placeOf({ checkpointStep, totalSteps }: Ended): string {
  const done = whole(checkpointStep ?? 0)
  return totalSteps === null ? `step ${done}` : `step ${done} of ${whole(totalSteps)}`
}

/** Of a run that is complete. */
export function completeSentence(run: Ended, looks: readonly Pick<LookView, 'isSound'>[]): string {
  const { checkpointStep, totalSteps } = run
  if (totalSteps === null) return `It came to its end at ${placeOf(run)}.`
  if ((checkpointStep ?? 0) >= totalSteps) return `It came to its end: all ${whole(totalSteps)} steps were done.`
  const wasUnsound = looks.length > 0 && looks.slice(-3).every(({ isSound }) => isSound === false)
  const why = wasUnsound
    ? ': its last looks named fewer right objects, or repeated or shortened too much, and going on leads further away'
    : ', as its settings allow'
  return `It ended by itself at ${placeOf(run)}${why}.`
}
