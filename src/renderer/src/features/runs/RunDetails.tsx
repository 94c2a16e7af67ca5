// One run: what it does now, what it found, its curves and looks, and how to pause, resume, stop or delete it.
import { Alert, Button, Loader, Progress, Text } from '@mantine/core'
import { modals } from '@mantine/modals'
import {
  IconAlertTriangle,
  IconHourglass,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconTrash,
} from '@tabler/icons-react'
import { lazy, type ReactNode, Suspense, useRef } from 'react'
import type { RunId } from '../../../../shared/domain.ts'
import type { ErrorRecord } from '../../../../shared/errors.ts'
import type { RunDetail, RunView } from '../../../../shared/runView.ts'
import { request, useAppState } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { formatAgo, formatMoment } from '../../format.ts'
import { useRunDetail, useRunMetrics } from '../../queries/runs.ts'
import { useKeptScroll } from '../../ui/useKeptScroll.ts'
import { BeyondPlacebo, PlaceboNote } from './BeyondPlacebo.tsx'
import { RunCheckpoints } from './RunCheckpoints.tsx'
import css from './RunDetails.module.css'
import { colourOf, RunStateMark } from './RunList.tsx'
import { RunName } from './RunName.tsx'
import { LooksTable, RunResult, RunSettings, VerifierCard } from './RunResults.tsx'
import { nowWords, percentOf, presetTitle, stepWords } from './runWords.ts'
import { SkippedImages } from './SkippedImages.tsx'

/** The charts' library is large, so it is loaded when the first run is shown. */
const RunCharts = lazy(() => import('../charts/RunCharts.tsx').then((module) => ({ default: module.RunCharts })))
/** Of RunCharts.tsx, which is not loaded before its figures are asked for. */
const chartMetrics = ['klNats', 'meanReward']

interface RunDetailsProps {
  readonly run: RunView
  /** Shows another run of the workspace. */
  readonly onShow: (runId: RunId) => void
}

export function RunDetails({ run, onShow }: RunDetailsProps): ReactNode {
  const detail = useRunDetail(run.runId)
  const series = useRunMetrics(run.runId, chartMetrics)
  const article = useRef<HTMLElement>(null)
  useKeptScroll(`run.${run.runId}.scroll`, article, detail !== null && series !== null)
  return (
    <article ref={article} className={css.run} aria-label={run.name}>
      <header className={css.runHead}>
        <div className={css.runTitle}>
          <RunName key={run.runId} run={run} />
          <RunStateMark state={run.state} />
        </div>
        <RunActions run={run} />
      </header>
      <Text size="sm" className="quiet">
        {presetTitle(run.preset)} · {run.modelName} · seed {run.seed} ·{' '}
        <span title={formatMoment(run.createdAtMs)}>made {formatAgo(run.createdAtMs)}</span>
      </Text>
      {run.state !== 'complete' && run.state !== 'failed' && <RunNow run={run} />}
      {run.waitingFor && <RunWaits error={run.waitingFor} />}
      {run.error && <RunError run={run} config={detail?.config ?? null} />}
      {detail && (
        <>
          {run.isPlacebo && <PlaceboNote counterpart={detail.counterpart} onShow={onShow} />}
          <RunResult run={run} detail={detail} />
          <RunCheckpoints run={run} detail={detail} />
          <BeyondPlacebo run={run} detail={detail} onShow={onShow} />
          {series && detail.looks.length > 0 && (
            <Suspense fallback={<Loader size="sm" aria-label="Loading the charts" />}>
              <RunCharts
                run={run}
                curves={{ series, looks: detail.looks, bestStep: detail.bestStep }}
                counterpart={detail.counterpart}
              />
            </Suspense>
          )}
          <VerifierCard calibration={detail.calibration} notes={detail.calibrationNotes} />
          <LooksTable looks={detail.looks} bestStep={detail.bestStep} />
          <SkippedImages skipped={detail.skipped} />
          <RunSettings detail={detail} />
        </>
      )}
    </article>
  )
}

/** What the buttons mean for a run in this state. */
const wayOn: Readonly<Partial<Record<RunView['state'], string>>> = {
  running:
    'Pause ends it within moments, and a run that waits takes its turn. Each step is stored when it is done: Resume goes on from the last one, exactly as if it had not been paused. It stays paused when the app is closed.',
  queued: 'It begins by itself when its turn comes.',
  paused: 'Nothing is computed now. Resume goes on from the last stored step, exactly as if it had not been paused.',
  stopped: 'A person stopped it. What was learnt is kept, and Resume goes on from there.',
}

function RunNow({ run }: { readonly run: RunView }): ReactNode {
  const { engine, hardware } = useAppState()
  const words = nowWords(run, engine.state === 'ready' && hardware !== null)
  return (
    <section className={css.runNow} aria-label="Progress">
      <div className={css.runNowWords}>
        <Text size="sm" fw={600} role="status" aria-label="What the run does now">
          {words}
          {run.live && '…'}
        </Text>
        <Text size="sm" className={`quiet ${css.runSteps}`}>
          {stepWords(run)}
        </Text>
      </div>
      <Progress
        value={percentOf(run)}
        aria-label="Progress of the run"
        color={colourOf(run.state)}
        animated={run.live !== null}
      />
      {wayOn[run.state] && (
        <Text size="xs" mt={6} className="quiet">
          {wayOn[run.state]}
        </Text>
      )}
    </section>
  )
}

function RunActions({ run }: { readonly run: RunView }): ReactNode {
  const { runId, state, live } = run
  const { workspace } = useAppState()
  const isEnding = live !== null && live.wish !== 'go-on'
  const isUnderWay = state === 'running' || state === 'queued'
  const canResume = state === 'paused' || state === 'stopped' || state === 'failed'
  if (workspace?.readOnlyBecause !== null) return null
  return (
    <div className={css.runActions}>
      {state === 'running' && (
        <Button
          size="xs"
          leftSection={<IconPlayerPause size={15} />}
          disabled={isEnding}
          onClick={() => attempt(() => request('runs.pause', { runId }))}
        >
          Pause
        </Button>
      )}
      {canResume && (
        <Button
          size="xs"
          leftSection={<IconPlayerPlay size={15} />}
          onClick={() => attempt(() => request('runs.resume', { runId, goOnRefused: false }))}
        >
          Resume
        </Button>
      )}
      {(isUnderWay || state === 'paused') && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlayerStop size={15} />}
          disabled={isEnding}
          onClick={() => attempt(() => request('runs.stop', { runId }))}
        >
          {state === 'queued' ? 'Take out of the queue' : 'Stop'}
        </Button>
      )}
      <Button size="xs" variant="default" leftSection={<IconTrash size={15} />} onClick={() => askToDelete(run)}>
        Delete…
      </Button>
    </div>
  )
}

function askToDelete({ runId, name }: RunView): void {
  modals.openConfirmModal({
    title: `Delete “${name}”?`,
    centered: true,
    children: (
      <Text size="sm">
        Its checkpoints, responses and figures are deleted for good. The model, your images and the other runs stay.
      </Text>
    ),
    labels: { confirm: 'Delete the run', cancel: 'Keep it' },
    cancelProps: { 'data-autofocus': true },
    confirmProps: { color: 'red.9' },
    closeButtonProps: { 'aria-label': 'Close' },
    onConfirm: () => attempt(() => request('runs.delete', { runId })),
  })
}

/** What keeps the run from going on, and how a person can help. */
function RunWaits({ error: { message, remedy, where } }: { readonly error: ErrorRecord }): ReactNode {
  return (
    <Alert color="yellow" variant="light" icon={<IconHourglass size={18} />} title={message} className={css.runWaits}>
      {remedy} The run goes on by itself from its last checkpoint as soon as it can.
      {where && <div className="notice-where">{where}</div>}
    </Alert>
  )
}

/** What ended the run, and what to do; a refused verifier may be overridden by a person who has read why. */
function RunError({ run, config }: { readonly run: RunView; readonly config: RunDetail['config'] }): ReactNode {
  const { runId, error } = run
  if (!error) return null
  const { code, message, remedy, expected, found, where } = error
  const isRefusal = code === 'run.verifier-cannot-tell'
  const mayGoOn = isRefusal && config?.calibration.goOnRefused === false
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle size={18} />} title={message} className={css.runError}>
      {remedy}
      {expected !== undefined && found !== undefined && (
        <div className={css.runErrorFacts}>
          Needed: {expected}. Found: {found}.
        </div>
      )}
      {where && !isRefusal && <div className="notice-where">{where}</div>}
      {mayGoOn && (
        <div className={css.runErrorChoice}>
          <Button
            size="xs"
            variant="default"
            onClick={() => attempt(() => request('runs.resume', { runId, goOnRefused: true }))}
          >
            Go on knowingly
          </Button>
          <span>The model would learn from scores that may be wrong.</span>
        </div>
      )}
    </Alert>
  )
}
