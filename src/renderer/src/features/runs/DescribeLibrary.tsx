// A checkpoint that describes every image of the library: how many it has, the asking, its progress, and the way to end it.
import { Button, Progress } from '@mantine/core'
import { IconMessages } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { CheckpointView, LibraryView } from '../../../../shared/describe.ts'
import type { ImageQuery, RunId } from '../../../../shared/domain.ts'
import { openingWords } from '../../../../shared/readying.ts'
import { request } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { formatCount, formatPlural, formatSpan } from '../../format.ts'
import { useAsk, useCoverage, useDescribes } from '../../queries/describe.ts'
import { ErrorAlert } from '../../ui/ErrorAlert.tsx'
import { useGridQuery } from '../images/gridQuery.ts'
import css from './DescribeLibrary.module.css'

interface DescribeLibraryProps {
  readonly runId: RunId
  readonly checkpoint: CheckpointView
  /** False without its weights, and where nothing may be changed. */
  readonly canAsk: boolean
}

export function DescribeLibrary({ runId, checkpoint: { step }, canAsk }: DescribeLibraryProps): ReactNode {
  const coverage = useCoverage({ runId, step })
  const grid = useGridQuery()
  const last = useDescribes().findLast(
    (view): view is LibraryView => view.about === 'library' && view.runId === runId && view.step === step,
  )
  if (!coverage) return null
  const { described, images } = coverage
  if (last && ['waiting', 'opening', 'running'].includes(last.state)) return <UnderWay view={last} />
  const isWhole = described >= images
  const ask = (query: ImageQuery | null): void => attempt(() => request('describe.library', { runId, step, query }))
  const skipped = last?.state === 'done' && last.skipped > 0
  return (
    <>
      {last?.error && <ErrorAlert error={last.error} />}
      <div className={css.row}>
        {canAsk && !isWhole && (
          <Button size="xs" variant="default" leftSection={<IconMessages size={15} />} onClick={() => ask(null)}>
            Describe the whole library
          </Button>
        )}
        {canAsk && !isWhole && grid !== null && grid.images > 0 && (
          <Button size="xs" variant="default" onClick={() => ask(grid.query)}>
            Describe what the grid shows ({formatPlural(grid.images, 'image')})
          </Button>
        )}
        <span className="quiet">
          {isWhole
            ? `It has described ${images === 1 ? 'the only image' : `all ${formatCount(images)} images`} of the library.`
            : `It has described ${formatCount(described)} of ${formatPlural(images, 'image')} so far.`}
          {skipped && ` ${formatPlural(last.skipped, 'image')} could not be read.`}
        </span>
      </div>
    </>
  )
}

function UnderWay({ view }: { readonly view: LibraryView }): ReactNode {
  const { describeId, state, waitsFor, readied, done, total, remainingMs } = view
  const { cancel } = useAsk()
  const words =
    state === 'waiting'
      ? (waitsFor ?? 'Waiting for its turn')
      : state === 'opening'
        ? openingWords(readied)
        : `${formatCount(done)} of ${formatPlural(total, 'image')} described`
  return (
    <section className={css.underWay} aria-label="Description of the library">
      <div className={css.row}>
        <span role="status">
          {words}
          {state === 'running' && remainingMs !== null && ` · ${formatSpan(remainingMs)} left`}
        </span>
        <Button size="compact-xs" variant="default" onClick={() => cancel(describeId)}>
          Cancel
        </Button>
      </div>
      <Progress
        value={total === 0 ? 0 : (100 * done) / total}
        aria-label="Progress of the description"
        animated={state === 'running'}
      />
    </section>
  )
}
