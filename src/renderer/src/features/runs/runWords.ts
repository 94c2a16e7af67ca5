// What the states, phases and figures of a run are called on the screen.
import type { RunState } from '../../../../shared/domain.ts'
import { type PresetName, presets } from '../../../../shared/runConfig.ts'
import type { RunPhase } from '../../../../shared/runProgress.ts'
import type { RunView } from '../../../../shared/runView.ts'
import type { SweepView } from '../../../../shared/sweepView.ts'
import { formatPlural, formatSpan } from '../../format.ts'

export const stateLabels: Readonly<Record<RunState, string>> = {
  queued: 'Queued',
  running: 'Running',
  paused: 'Paused',
  complete: 'Complete',
  stopped: 'Stopped',
  failed: 'Failed',
}

const phaseWords: Readonly<Record<RunPhase, string>> = {
  opening: 'Opening the model',
  rollout: 'Describing images',
  reward: 'Checking each word against its image',
  update: 'Learning from the difference',
  evaluate: 'Looking at the validation images',
}

/** A preset's title; one that this version does not know keeps its name. */
export function presetTitle(name: string): string {
  return name in presets ? presets[name as PresetName].title : name
}

/** Steps done, of a run that may be under way. */
export function stepOf({ live, checkpointStep }: RunView): number {
  return Math.max(live?.progress?.step ?? 0, checkpointStep ?? 0)
}

/** How far a run is, in per cent. */
export function percentOf(run: RunView): number {
  if (run.state === 'complete') return 100
  return run.totalSteps ? (stepOf(run) / run.totalSteps) * 100 : 0
}

/** What a run does at the moment, in a sentence. */
export function nowWords({ state, live, waitingFor, checkpointStep }: RunView, isEngineReady: boolean): string {
  if (live?.wish === 'pause') return 'Pausing after the current step'
  if (live?.wish === 'stop' || live?.wish === 'delete') return 'Stopping after the current step'
  if (live) {
    if (!live.progress) return 'Starting'
    const { share } = live.progress
    if (share !== undefined) return `Making the model’s weights ready, once: ${Math.floor(100 * share)} %`
    const isCalibrating = checkpointStep === null && ['rollout', 'reward'].includes(live.progress.phase)
    return isCalibrating ? 'Calibrating the verifier on the first responses' : phaseWords[live.progress.phase]
  }
  if (waitingFor) return 'Waiting; it goes on by itself'
  if (state === 'running') return isEngineReady ? 'About to go on' : 'Waiting for the engine; it goes on by itself'
  if (state === 'queued') return isEngineReady ? 'Waiting for its turn' : 'Waiting for the engine'
  return stateLabels[state]
}

/** `Step 6 of 24 · about 2 min left`. */
export function stepWords(run: RunView): string {
  const { totalSteps, live, state } = run
  const words = totalSteps === null ? `Step ${stepOf(run)}` : `Step ${stepOf(run)} of ${totalSteps}`
  const remainingMs = live?.progress?.remainingMs
  if (state !== 'running') return words
  return remainingMs === null || remainingMs === undefined ? words : `${words} · ${formatSpan(remainingMs)} left`
}

/** `6 runs, 4 complete`; of one that other machines carry out `4 runs came in so far`. */
export function sweepWords({ runs, complete, folder }: SweepView): string {
  if (folder !== null) return runs === 0 ? 'on other machines' : `${formatPlural(runs, 'run')} came in so far`
  return `${formatPlural(runs, 'run')}, ${complete === runs ? 'all' : complete} complete`
}
