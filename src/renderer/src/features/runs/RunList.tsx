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
import type { ReactNode } from 'react'
import type { RunId, RunState } from '../../../../shared/domain.ts'
import type { RunView } from '../../../../shared/runView.ts'
import { formatAgo } from '../../format.ts'
import { Facts, Item, ItemList, StateMark, type Tone } from '../../ui/ItemList.tsx'
import { percentOf, presetTitle, stateLabels, stepWords } from './runWords.ts'

const marks: Readonly<Record<RunState, { icon: typeof IconClock; tone: Tone }>> = {
  queued: { icon: IconClock, tone: 'waits' },
  running: { icon: IconPlayerPlay, tone: 'works' },
  paused: { icon: IconPlayerPause, tone: 'waits' },
  complete: { icon: IconCircleCheck, tone: 'good' },
  stopped: { icon: IconPlayerStop, tone: 'waits' },
  failed: { icon: IconAlertTriangle, tone: 'bad' },
}

interface RunListProps {
  readonly runs: readonly RunView[]
  readonly shownId: RunId
  readonly onShow: (runId: RunId) => void
}

export function RunList({ runs, shownId, onShow }: RunListProps): ReactNode {
  return (
    <ItemList label="Runs" shownId={shownId}>
      {runs.map((run) => (
        <Item
          key={run.runId}
          name={run.name}
          mark={<RunStateMark state={run.state} />}
          isShown={run.runId === shownId}
          onShow={() => onShow(run.runId)}
        >
          {run.state !== 'complete' && (
            <Progress value={percentOf(run)} size="sm" aria-hidden="true" color={colourOf(run.state)} />
          )}
          <Facts>
            {run.state === 'complete'
              ? `${stepWords(run)} · ${formatAgo(run.endedAtMs ?? run.createdAtMs)}`
              : stepWords(run)}
          </Facts>
          <Facts>
            {run.isPlacebo && 'Placebo · '}
            {presetTitle(run.preset)} · {run.modelName}
          </Facts>
        </Item>
      ))}
    </ItemList>
  )
}

export function RunStateMark({ state }: { readonly state: RunState }): ReactNode {
  return <StateMark {...marks[state]}>{stateLabels[state]}</StateMark>
}

export function colourOf(state: RunState): string {
  return state === 'running' ? 'violet' : state === 'failed' ? 'red' : 'var(--quiet)'
}
