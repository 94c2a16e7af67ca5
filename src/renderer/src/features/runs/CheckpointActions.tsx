// What can be done with a checkpoint: use it instead of the best one, keep its weights, take it out of the app, write its report, describe every image.
import { Button, Menu, Text } from '@mantine/core'
import { IconArrowBackUp, IconCheck, IconChevronDown, IconFileText, IconPin, IconPinnedOff } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { CheckpointView } from '../../../../shared/describe.ts'
import { type ErrorRecord, toErrorRecord } from '../../../../shared/errors.ts'
import type { RunDetail, RunView } from '../../../../shared/runView.ts'
import { request, useAppState } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { ErrorAlert } from '../../ui/ErrorAlert.tsx'
import css from './CheckpointActions.module.css'
import { DescribeLibrary } from './DescribeLibrary.tsx'
import { ExportRun } from './ExportRun.tsx'

interface CheckpointActionsProps {
  readonly run: RunView
  readonly detail: RunDetail
  readonly checkpoint: CheckpointView
  /** Whether other pages propose it already. */
  readonly isUsual: boolean
}

export function CheckpointActions({ run, detail, checkpoint, isUsual }: CheckpointActionsProps): ReactNode {
  const { step, isPinned, isUsed, hasWeights } = checkpoint
  const { runId } = run
  const canChange = useAppState().workspace?.readOnlyBecause === null
  const report = useReport(run, step)
  return (
    <div className={css.actions}>
      <div className={css.buttons}>
        <ExportRun run={run} detail={detail} checkpoint={checkpoint} />
        <Menu position="bottom-start">
          <Menu.Target>
            <Button
              size="xs"
              variant="default"
              loading={report.isBusy}
              leftSection={<IconFileText size={15} />}
              rightSection={<IconChevronDown size={14} />}
            >
              Report…
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => report.write('html')}>As a page (HTML)…</Menu.Item>
            <Menu.Item onClick={() => report.write('pdf')}>As PDF…</Menu.Item>
          </Menu.Dropdown>
        </Menu>
        {canChange && step > 0 && (isUsed || (hasWeights && !isUsual)) && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconArrowBackUp size={15} />}
            onClick={() => attempt(() => request('runs.use', { runId, step: isUsed ? null : step }))}
          >
            {isUsed ? 'Use the best one again' : 'Use this checkpoint'}
          </Button>
        )}
        {canChange && step > 0 && (hasWeights || isPinned) && (
          <Button
            size="xs"
            variant="default"
            leftSection={isPinned ? <IconPinnedOff size={15} /> : <IconPin size={15} />}
            onClick={() => attempt(() => request('runs.pin', { runId, step, isPinned: !isPinned }))}
          >
            {isPinned ? 'Unpin' : 'Pin'}
          </Button>
        )}
      </div>
      <Text size="xs" className="quiet">
        {weightWords(checkpoint)}
      </Text>
      {report.error && <ErrorAlert error={report.error} />}
      {report.path !== null && (
        <div role="status" className={css.written}>
          <IconCheck size={18} aria-hidden="true" />
          <div className={css.writtenWords}>
            <strong>Report written</strong>
            <div className="path">{report.path}</div>
          </div>
          <Button size="xs" onClick={() => attempt(() => request('runs.showReport', {}))}>
            Show it
          </Button>
        </div>
      )}
      <DescribeLibrary runId={runId} checkpoint={checkpoint} canAsk={canChange && hasWeights} />
    </div>
  )
}

function weightWords({
  step,
  isPinned,
  isUsed,
  isBest,
  hasWeights,
}: Pick<CheckpointView, 'step' | 'isPinned' | 'isUsed' | 'isBest' | 'hasWeights'>): string {
  if (step === 0) return 'The model as it came: there is no adapter to export.'
  if (!hasWeights) return 'Its weights were dropped to save space; what it said and its figures stay.'
  if (isUsed) {
    return 'In use: the inspector, Try it and Evaluate propose it instead of the best step. Later steps stay as they are.'
  }
  if (isPinned) return 'Pinned: its weights are kept until you unpin it.'
  if (isBest) return 'The best step: its weights are kept while it is the best. Pin it to keep them in any case.'
  return 'Its weights may be dropped when newer checkpoints come. Pin it to keep them.'
}

interface ReportState {
  readonly isBusy: boolean
  readonly path: string | null
  readonly error: ErrorRecord | null
  readonly write: (format: 'html' | 'pdf') => void
}

function useReport({ runId }: RunView, step: number): ReportState {
  const [isBusy, setBusy] = useState(false)
  const [path, setPath] = useState<string | null>(null)
  const [error, setError] = useState<ErrorRecord | null>(null)
  const write = async (format: 'html' | 'pdf'): Promise<void> => {
    setBusy(true)
    setError(null)
    setPath(null)
    try {
      const written = await request('runs.report', { runId, step, format })
      if (written) setPath(written.path)
    } catch (thrown) {
      setError(toErrorRecord(thrown))
    } finally {
      setBusy(false)
    }
  }
  return { isBusy, path, error, write: (format) => void write(format) }
}
