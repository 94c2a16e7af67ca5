// Runs: what is being aligned, what waits, and what came of it; a run's page beside the list.
import { Button, Title } from '@mantine/core'
import { IconPlus, IconRoute } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { RunId } from '../../../shared/domain.ts'
import type { RunView } from '../../../shared/runView.ts'
import type { SweepView } from '../../../shared/sweepView.ts'
import { useAppState } from '../api.ts'
import { CollectResults } from '../features/runs/CollectResults.tsx'
import { RunDetails } from '../features/runs/RunDetails.tsx'
import { RunList } from '../features/runs/RunList.tsx'
import { SweepDetails } from '../features/runs/SweepDetails.tsx'
import { navigate, showPage } from '../place.ts'
import { useRuns } from '../queries/runs.ts'
import { useSweeps } from '../queries/sweeps.ts'
import type { RouteTo } from '../route.ts'
import shared from '../ui/shared.module.css'
import css from './Runs.module.css'

export function Runs({ route }: { readonly route: RouteTo<'runs'> }): ReactNode {
  const runs = useRuns()
  const sweeps = useSweeps()
  const { workspace } = useAppState()
  const show = (runId: RunId): void => navigate({ page: 'runs', runId })
  const { run: shown, sweep } = shownIn(runs ?? [], sweeps ?? [], route)
  return (
    <div className={css.runs}>
      <header className={shared.pageHead}>
        <Title order={1} size="h3">
          Runs
        </Title>
        {runs && sweeps && runs.length + sweeps.length > 0 && (
          <div className={css.actions}>
            <CollectResults />
            <Button leftSection={<IconPlus size={18} />} disabled={workspace?.readOnlyBecause !== null} onClick={begin}>
              New run
            </Button>
          </div>
        )}
      </header>
      {runs?.length === 0 && sweeps?.length === 0 && <NoRuns onNew={begin} />}
      {runs && sweeps && (shown || sweep || sweeps.length > 0) && (
        <div className={`${shared.columns} ${css.columns}`}>
          <RunList
            {...{ runs, sweeps }}
            shown={{ runId: shown?.runId ?? null, sweepId: sweep?.sweepId ?? null }}
            onShow={show}
            onShowSweep={(sweepId) => navigate({ page: 'runs', sweepId })}
          />
          {sweep && <SweepDetails key={sweep.sweepId} sweep={sweep} runs={runs} />}
          {shown && <RunDetails key={shown.runId} run={shown} onShow={show} />}
        </div>
      )}
    </div>
  )
}

/** What the route names; else the run that is under way, else the newest one, or the sweep that it belongs to. */
function shownIn(
  runs: readonly RunView[],
  sweeps: readonly SweepView[],
  { runId, sweepId }: RouteTo<'runs'>,
): { readonly run?: RunView | undefined; readonly sweep?: SweepView | undefined } {
  const sweep = sweeps.find((one) => one.sweepId === sweepId)
  if (sweep) return { sweep }
  const run = runs.find((one) => one.runId === runId) ?? runs.find(({ live }) => live)
  if (run) return { run }
  const newest = runs.find(({ isPlacebo }) => !isPlacebo) ?? runs[0]
  const ofNewest = newest ? sweeps.find((one) => one.sweepId === newest.sweepId) : sweeps[0]
  return ofNewest ? { sweep: ofNewest } : { run: newest }
}

const begin = (): void => navigate({ page: 'new-run' })

const steps = [
  ['It describes your images', 'and names what it believes to see.'],
  ['Its own image encoder checks each object word', 'against the picture. No labels are needed.'],
  ['It learns from the difference', 'in a small adapter; the model itself is never changed.'],
] as const

function NoRuns({ onNew }: { readonly onNew: () => void }): ReactNode {
  const { workspace } = useAppState()
  const hasImages = (workspace?.imageCount ?? 0) > 0
  return (
    <div className={`${shared.empty} ${css.runsEmpty}`}>
      <IconRoute size={44} stroke={1.4} aria-hidden="true" className={shared.emptyIcon} />
      <h2>Align a model with its own eyes</h2>
      <ol className={shared.firstSteps}>
        {steps.map(([title, words]) => (
          <li key={title}>
            <strong>{title}</strong> {words}
          </li>
        ))}
      </ol>
      {hasImages ? (
        <>
          <p>You can pause at any time; what was learnt is kept.</p>
          <Button leftSection={<IconPlus size={18} />} disabled={workspace?.readOnlyBecause !== null} onClick={onNew}>
            New run
          </Button>
        </>
      ) : (
        <>
          <p>A run needs images to describe. A few hundred are a good start.</p>
          <Button onClick={() => showPage('images')}>Add images first</Button>
        </>
      )}
      <div className={css.collect}>
        <CollectResults />
      </div>
    </div>
  )
}
