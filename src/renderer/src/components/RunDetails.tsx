// One run: what it does now, what it found, its curves and looks, and how to pause, resume, stop or delete it.
import { Alert, Button, Loader, Modal, Progress, Text, Title } from '@mantine/core'
import {
  IconAlertTriangle,
  IconHourglass,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconTrash,
} from '@tabler/icons-react'
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react'
import type { Result } from '../../../shared/contract.ts'
import type { RunId } from '../../../shared/domain.ts'
import type { ErrorRecord } from '../../../shared/errors.ts'
import type { RunDetail, RunView } from '../../../shared/runView.ts'
import { request, useAppState } from '../api.ts'
import { useAttempt } from '../attempt.ts'
import { formatAgo, formatMoment } from '../format.ts'
import { nowWords, percentOf, presetTitle, stepWords } from '../runWords.ts'
import { BeyondPlacebo, PlaceboNote } from './BeyondPlacebo.tsx'
import { ExportRun } from './ExportRun.tsx'
import { colourOf, RunStateMark } from './RunList.tsx'
import { LooksTable, RunResult, RunSettings, VerifierCard } from './RunResults.tsx'
import { SkippedImages } from './SkippedImages.tsx'

/** The charts' library is large, so it is loaded when the first run is shown. */
const RunCharts = lazy(() => import('./RunCharts.tsx').then((module) => ({ default: module.RunCharts })))
const chartNames = ['validation.hallucinationRate', 'validation.coverage', 'klNats', 'meanReward']

interface Loaded {
  readonly detail: RunDetail
  readonly series: Result<'runs.metrics'>
}

interface RunDetailsProps {
  readonly run: RunView
  /** Shows another run of the workspace. */
  readonly onShow: (runId: RunId) => void
}

export function RunDetails({ run, onShow }: RunDetailsProps): ReactNode {
  const loaded = useRunDetail(run)
  return (
    <article className="run" aria-label={run.name}>
      <header className="run-head">
        <div className="run-title">
          <Title order={2} size="h3">
            {run.name}
          </Title>
          <RunStateMark state={run.state} />
        </div>
        <RunActions run={run} detail={loaded?.detail ?? null} />
      </header>
      <Text size="sm" className="quiet">
        {presetTitle(run.preset)} · {run.modelName} · seed {run.seed} ·{' '}
        <span title={formatMoment(run.createdAtMs)}>made {formatAgo(run.createdAtMs)}</span>
      </Text>
      {run.state !== 'complete' && run.state !== 'failed' && <RunNow run={run} />}
      {run.waitingFor && <RunWaits error={run.waitingFor} />}
      {run.error && <RunError run={run} config={loaded?.detail.config ?? null} />}
      {loaded && (
        <>
          {run.isPlacebo && <PlaceboNote counterpart={loaded.detail.counterpart} onShow={onShow} />}
          <RunResult run={run} detail={loaded.detail} />
          <BeyondPlacebo run={run} detail={loaded.detail} onShow={onShow} />
          {loaded.detail.looks.length > 0 && (
            <Suspense fallback={<Loader size="sm" aria-label="Loading the charts" />}>
              <RunCharts
                series={loaded.series}
                counterpart={loaded.detail.counterpart}
                totalSteps={run.totalSteps}
                bestStep={loaded.detail.bestStep}
              />
            </Suspense>
          )}
          <VerifierCard calibration={loaded.detail.calibration} notes={loaded.detail.calibrationNotes} />
          <LooksTable looks={loaded.detail.looks} bestStep={loaded.detail.bestStep} />
          <SkippedImages skipped={loaded.detail.skipped} />
          <RunSettings detail={loaded.detail} />
        </>
      )}
    </article>
  )
}

/** What the run's page shows beside its list entry; asked for again after each checkpoint and change of state. */
function useRunDetail({ runId, state, checkpointStep }: RunView): Loaded | null {
  const [loaded, setLoaded] = useState<Loaded | null>(null)
  const attempt = useAttempt()
  // biome-ignore lint/correctness/useExhaustiveDependencies: state and step say when there is more to see
  useEffect(() => {
    let isCurrent = true
    attempt(async () => {
      const [detail, series] = await Promise.all([
        request('runs.get', { runId }),
        request('runs.metrics', { runId, names: chartNames }),
      ])
      if (isCurrent) setLoaded({ detail, series })
    })
    return () => {
      isCurrent = false
    }
  }, [attempt, runId, state, checkpointStep])
  return loaded
}

function RunNow({ run }: { readonly run: RunView }): ReactNode {
  const { engine, hardware } = useAppState()
  const words = nowWords(run, engine.state === 'ready' && hardware !== null)
  return (
    <section className="run-now" aria-label="Progress">
      <div className="run-now-words">
        <Text size="sm" fw={600} role="status" aria-label="What the run does now">
          {words}
          {run.live && '…'}
        </Text>
        <Text size="sm" className="quiet run-steps">
          {stepWords(run)}
        </Text>
      </div>
      <Progress
        value={percentOf(run)}
        aria-label="Progress of the run"
        color={colourOf(run.state)}
        animated={run.live !== null}
      />
    </section>
  )
}

interface RunActionsProps {
  readonly run: RunView
  readonly detail: RunDetail | null
}

function RunActions({ run, detail }: RunActionsProps): ReactNode {
  const { runId, state, live } = run
  const { workspace } = useAppState()
  const attempt = useAttempt()
  const [isDeleting, setDeleting] = useState(false)
  const isEnding = live !== null && live.wish !== 'go-on'
  const isUnderWay = state === 'running' || state === 'queued'
  const canResume = state === 'paused' || state === 'stopped' || state === 'failed'
  if (workspace?.readOnlyBecause !== null) return detail && <ExportRun run={run} detail={detail} />
  return (
    <div className="run-actions">
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
      {detail && <ExportRun run={run} detail={detail} />}
      <Button size="xs" variant="default" leftSection={<IconTrash size={15} />} onClick={() => setDeleting(true)}>
        Delete…
      </Button>
      {isDeleting && <DeleteDialog run={run} onClose={() => setDeleting(false)} />}
    </div>
  )
}

function DeleteDialog({ run, onClose }: { readonly run: RunView; readonly onClose: () => void }): ReactNode {
  const attempt = useAttempt()
  const [isBusy, setBusy] = useState(false)
  const remove = (): void => {
    setBusy(true)
    attempt(async () => {
      try {
        await request('runs.delete', { runId: run.runId })
      } finally {
        setBusy(false)
        onClose()
      }
    })
  }
  return (
    <Modal
      opened
      onClose={onClose}
      centered
      title={`Delete “${run.name}”?`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Text size="sm">
        Its checkpoints, responses and figures are deleted for good. The model, your images and the other runs stay.
      </Text>
      <div className="dialog-actions">
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep it
        </Button>
        <Button color="red.9" loading={isBusy} onClick={remove}>
          Delete the run
        </Button>
      </div>
    </Modal>
  )
}

/** What keeps the run from going on, and how a person can help. */
function RunWaits({ error: { message, remedy, where } }: { readonly error: ErrorRecord }): ReactNode {
  return (
    <Alert color="yellow" variant="light" icon={<IconHourglass size={18} />} title={message} className="run-waits">
      {remedy} The run goes on by itself from its last checkpoint as soon as it can.
      {where && <div className="notice-where">{where}</div>}
    </Alert>
  )
}

/** What ended the run, and what to do; a refused verifier may be overridden by a person who has read why. */
function RunError({ run, config }: { readonly run: RunView; readonly config: RunDetail['config'] }): ReactNode {
  const attempt = useAttempt()
  const { runId, error } = run
  if (!error) return null
  const { code, message, remedy, expected, found, where } = error
  const isRefusal = code === 'run.verifier-cannot-tell'
  const mayGoOn = isRefusal && config?.calibration.goOnRefused === false
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle size={18} />} title={message} className="run-error">
      {remedy}
      {expected !== undefined && found !== undefined && (
        <div className="run-error-facts">
          Needed: {expected}. Found: {found}.
        </div>
      )}
      {where && !isRefusal && <div className="notice-where">{where}</div>}
      {mayGoOn && (
        <div className="run-error-choice">
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
