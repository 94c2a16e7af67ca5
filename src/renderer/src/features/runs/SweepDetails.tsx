// One sweep: what its settings came to over their seeds, and its runs over one another.
import { Button, Loader, Text, Title } from '@mantine/core'
import { IconPlayerStop } from '@tabler/icons-react'
import { lazy, type ReactNode, Suspense, useRef } from 'react'
import type { RunView } from '../../../../shared/runView.ts'
import type { SweepView } from '../../../../shared/sweepView.ts'
import { request, useAppState } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { formatAgo, formatMoment } from '../../format.ts'
import { useSweepDetail } from '../../queries/sweeps.ts'
import { useKeptScroll } from '../../ui/useKeptScroll.ts'
import { ChairProgress } from './ChairProgress.tsx'
import { MeasureChair } from './MeasureChair.tsx'
import css from './RunDetails.module.css'
import { sweepWords } from './runWords.ts'
import { SweepCells } from './SweepCells.tsx'
import { SweepTable } from './SweepTable.tsx'

/** The charts' library is large, so it is loaded when it is needed. */
const SweepCharts = lazy(() => import('../charts/SweepCharts.tsx').then((module) => ({ default: module.SweepCharts })))

/** Of settings, in their order; the first is that of a run's curve. */
const colours = ['violet-5', 'teal-6', 'orange-6', 'blue-5', 'pink-5', 'lime-7', 'cyan-6', 'yellow-7'] as const
const colourOf = (row: number): string => `var(--mantine-color-${colours[row % colours.length]})`

interface SweepDetailsProps {
  readonly sweep: SweepView
  /** Those of the workspace. */
  readonly runs: readonly RunView[]
}

export function SweepDetails({ sweep, runs }: SweepDetailsProps): ReactNode {
  const { sweepId, name, createdAtMs } = sweep
  const detail = useSweepDetail(sweepId)
  const article = useRef<HTMLElement>(null)
  useKeptScroll(`sweep.${sweepId}.scroll`, article, detail !== null)
  const own = runs.filter((run) => run.sweepId === sweepId)
  return (
    <article ref={article} className={css.run} aria-label={name}>
      <header className={css.runHead}>
        <Title order={2} size="h4">
          {name}
        </Title>
        <Actions runs={own} />
      </header>
      <Text size="sm" className="quiet">
        {sweepWords(sweep)} · <span title={formatMoment(createdAtMs)}>made {formatAgo(createdAtMs)}</span>
      </Text>
      {detail && (sweep.folder !== null || detail.collection) && <SweepCells detail={detail} />}
      {!detail && <Loader size="sm" aria-label="Loading" />}
      {detail && <ChairProgress chair={detail.chair} />}
      {detail && detail.runs.length > 0 && (
        <>
          <SweepTable tables={detail.tables} colourOf={colourOf}>
            <MeasureChair detail={detail} />
          </SweepTable>
          {detail.runs.some(({ looks }) => looks.length > 0) && (
            <Suspense fallback={<Loader size="sm" aria-label="Loading the charts" />}>
              <SweepCharts runs={detail.runs} colourOf={colourOf} />
            </Suspense>
          )}
        </>
      )}
    </article>
  )
}

function Actions({ runs }: { readonly runs: readonly RunView[] }): ReactNode {
  const { workspace } = useAppState()
  const waiting = runs.filter(({ state }) => state === 'queued')
  if (workspace?.readOnlyBecause !== null || waiting.length === 0) return null
  return (
    <Button
      size="xs"
      variant="default"
      leftSection={<IconPlayerStop size={15} />}
      onClick={() =>
        attempt(async () => {
          for (const { runId } of waiting) await request('runs.stop', { runId })
        })
      }
    >
      Take {waiting.length === 1 ? 'the one' : `the ${waiting.length}`} that {waiting.length === 1 ? 'waits' : 'wait'}{' '}
      out of the queue
    </Button>
  )
}
