// The runs of the workspace, newest first: state, progress, time left.
import { Progress } from '@mantine/core'
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconClock,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
} from '@tabler/icons-react'
import { type ReactNode, useEffect, useRef } from 'react'
import type { RunId, RunState } from '../../../../shared/domain.ts'
import type { RunView } from '../../../../shared/runView.ts'
import { formatAgo } from '../../format.ts'
import css from './RunList.module.css'
import { percentOf, presetTitle, stateLabels, stepWords } from './runWords.ts'

const icons: Readonly<Record<RunState, typeof IconClock>> = {
  queued: IconClock,
  running: IconPlayerPlay,
  paused: IconPlayerPause,
  complete: IconCircleCheck,
  stopped: IconPlayerStop,
  failed: IconAlertTriangle,
}

interface RunListProps {
  readonly runs: readonly RunView[]
  readonly shownId: RunId
  readonly onShow: (runId: RunId) => void
}

export function RunList({ runs, shownId, onShow }: RunListProps): ReactNode {
  const list = useRef<HTMLElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another run that is shown is another element to scroll to
  useEffect(() => list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' }), [shownId])
  return (
    <nav ref={list} className={css.runList} aria-label="Runs">
      {runs.map((run) => (
        <button
          key={run.runId}
          type="button"
          className={css.runItem}
          {...(run.runId === shownId && { 'aria-current': 'true' as const })}
          onClick={() => onShow(run.runId)}
        >
          <span className={css.runItemHead}>
            <span className={css.runItemName}>{run.name}</span>
            <RunStateMark state={run.state} />
          </span>
          {run.state !== 'complete' && (
            <Progress value={percentOf(run)} size="sm" aria-hidden="true" color={colourOf(run.state)} />
          )}
          <span className={css.runItemFacts}>
            {run.state === 'complete'
              ? `${stepWords(run)} · ${formatAgo(run.endedAtMs ?? run.createdAtMs)}`
              : stepWords(run)}
          </span>
          <span className={css.runItemFacts}>
            {run.isPlacebo && 'Placebo · '}
            {presetTitle(run.preset)} · {run.modelName}
          </span>
        </button>
      ))}
    </nav>
  )
}

export function RunStateMark({ state }: { readonly state: RunState }): ReactNode {
  const Icon = icons[state]
  return (
    <span className={css.runState} data-state={state}>
      <Icon size={15} aria-hidden="true" />
      {stateLabels[state]}
    </span>
  )
}

export function colourOf(state: RunState): string {
  return state === 'running' ? 'violet' : state === 'failed' ? 'red' : 'var(--quiet)'
}
