// The runs of the workspace, newest first: state, progress, time left.
import { Progress } from '@mantine/core'
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconClock,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconStack2,
} from '@tabler/icons-react'
import { Fragment, type ReactNode } from 'react'
import type { RunId, RunState } from '../../../../shared/domain.ts'
import type { RunView } from '../../../../shared/runView.ts'
import type { SweepView } from '../../../../shared/sweepView.ts'
import { formatAgo } from '../../format.ts'
import { Facts, Item, ItemList, StateMark, type Tone } from '../../ui/ItemList.tsx'
import { percentOf, presetTitle, stateLabels, stepWords, sweepWords } from './runWords.ts'
import css from './Sweep.module.css'

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
  readonly sweeps: readonly SweepView[]
  readonly shown: { readonly runId: RunId | null; readonly sweepId: string | null }
  readonly onShow: (runId: RunId) => void
  readonly onShowSweep: (sweepId: string) => void
}

/** Runs of a sweep stand below it while it, or one of them, is shown. */
export function RunList({ runs, sweeps, shown, onShow, onShowSweep }: RunListProps): ReactNode {
  const isOpen = (sweepId: string): boolean =>
    shown.sweepId === sweepId || runs.some((run) => run.runId === shown.runId && run.sweepId === sweepId)
  const item = (run: RunView, sweep: SweepView | null): ReactNode => (
    <RunItem key={run.runId} {...{ run, sweep }} isShown={run.runId === shown.runId} onShow={() => onShow(run.runId)} />
  )
  return (
    <ItemList label="Runs" shownId={shown.sweepId ?? shown.runId}>
      {listed(runs, sweeps).map((entry) => {
        if (!('sweep' in entry)) return item(entry.run, null)
        const { sweep } = entry
        const own = runs.filter((run) => run.sweepId === sweep.sweepId)
        return (
          <Fragment key={sweep.sweepId}>
            <SweepItem
              sweep={sweep}
              runs={own}
              isShown={shown.sweepId === sweep.sweepId}
              onShow={() => onShowSweep(sweep.sweepId)}
            />
            {isOpen(sweep.sweepId) && own.length > 0 && (
              <div className={css.ofSweep}>{own.toReversed().map((run) => item(run, sweep))}</div>
            )}
          </Fragment>
        )
      })}
    </ItemList>
  )
}

/** Newest first; a sweep stands where the newest of its runs does, or before all where none has come yet. */
function listed(
  runs: readonly RunView[],
  sweeps: readonly SweepView[],
): ({ readonly run: RunView } | { readonly sweep: SweepView })[] {
  const known = new Map(sweeps.map((sweep) => [sweep.sweepId, sweep]))
  const seen = new Set<string>()
  const entries = runs.flatMap((run): ({ run: RunView } | { sweep: SweepView })[] => {
    const sweep = run.sweepId === null ? undefined : known.get(run.sweepId)
    if (!sweep) return [{ run }]
    if (seen.has(sweep.sweepId)) return []
    seen.add(sweep.sweepId)
    return [{ sweep }]
  })
  return [...sweeps.filter(({ sweepId }) => !seen.has(sweepId)).map((sweep) => ({ sweep })), ...entries]
}

interface ItemProps {
  readonly isShown: boolean
  readonly onShow: () => void
}

/** @param sweep the one below which it stands, whose name and setting it need not repeat */
function RunItem({
  run,
  sweep,
  isShown,
  onShow,
}: ItemProps & { readonly run: RunView; readonly sweep: SweepView | null }): ReactNode {
  const own = sweep && run.name.startsWith(`${sweep.name}, `) ? run.name.slice(sweep.name.length + 2) : run.name
  const mark = <RunStateMark state={run.state} />
  const facts = (
    <Facts>
      {run.state === 'complete' ? `${stepWords(run)} · ${formatAgo(run.endedAtMs ?? run.createdAtMs)}` : stepWords(run)}
    </Facts>
  )
  return (
    <Item name={own} mark={sweep ? null : mark} isShown={isShown} onShow={onShow}>
      {run.state !== 'complete' && (
        <Progress value={percentOf(run)} size="sm" aria-hidden="true" color={colourOf(run.state)} />
      )}
      {sweep ? (
        <span className={css.facts}>
          {mark}
          {facts}
        </span>
      ) : (
        <>
          {facts}
          <Facts>
            {run.isPlacebo && 'Placebo · '}
            {presetTitle(run.preset)} · {run.modelName}
          </Facts>
        </>
      )}
    </Item>
  )
}

function SweepItem({
  sweep,
  runs,
  isShown,
  onShow,
}: ItemProps & { readonly sweep: SweepView; readonly runs: readonly RunView[] }): ReactNode {
  const isUnderWay = runs.some(({ state }) => state === 'running' || state === 'queued')
  // With a folder to look at, not all of its runs have come yet.
  const isDone = sweep.folder === null && sweep.complete === sweep.runs
  const mark = isDone ? marks.complete : { ...marks.queued, icon: IconStack2 }
  return (
    <Item
      name={sweep.name}
      mark={<StateMark {...mark}>{isDone ? 'Complete' : 'Sweep'}</StateMark>}
      isShown={isShown}
      onShow={onShow}
    >
      {isUnderWay && (
        <Progress value={(100 * sweep.complete) / sweep.runs} size="sm" aria-hidden="true" color="violet" />
      )}
      <Facts>{sweepWords(sweep)}</Facts>
    </Item>
  )
}

export function RunStateMark({ state }: { readonly state: RunState }): ReactNode {
  return <StateMark {...marks[state]}>{stateLabels[state]}</StateMark>
}

export function colourOf(state: RunState): string {
  return state === 'running' ? 'violet' : state === 'failed' ? 'red' : 'var(--quiet)'
}
