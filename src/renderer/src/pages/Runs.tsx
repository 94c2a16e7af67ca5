// Runs: what is being aligned, what waits, and what came of it; a run's page beside the list.
import { Button, Title } from '@mantine/core'
import { IconPlus, IconRoute } from '@tabler/icons-react'
import { type ReactNode, useEffect, useState } from 'react'
import type { RunId } from '../../../shared/domain.ts'
import type { RunView } from '../../../shared/runView.ts'
import { request, useAppState, useStudioEvent } from '../api.ts'
import { useAttempt } from '../attempt.ts'
import { NewRunDialog } from '../components/NewRunDialog.tsx'
import { RunDetails } from '../components/RunDetails.tsx'
import { RunList } from '../components/RunList.tsx'
import { placeIn, rememberPlace } from '../place.ts'

export function Runs({ onShowImages }: { readonly onShowImages: () => void }): ReactNode {
  const runs = useRuns()
  const { workspace } = useAppState()
  const [chosen, setChosen] = useState<RunId | null>(() => placeIn(workspace?.key ?? null).runId)
  useEffect(() => rememberPlace({ runId: chosen }), [chosen])
  const [isAsking, setAsking] = useState(false)
  const shown =
    runs?.find(({ runId }) => runId === chosen) ??
    runs?.find(({ live }) => live) ??
    runs?.find(({ isPlacebo }) => !isPlacebo) ??
    runs?.[0]
  return (
    <div className="runs">
      <header className="images-head">
        <Title order={1} size="h3">
          Runs
        </Title>
        {runs && runs.length > 0 && (
          <Button
            leftSection={<IconPlus size={18} />}
            disabled={workspace?.readOnlyBecause !== null}
            onClick={() => setAsking(true)}
          >
            New run
          </Button>
        )}
      </header>
      {runs?.length === 0 && <NoRuns onNew={() => setAsking(true)} onShowImages={onShowImages} />}
      {runs && shown && (
        <div className="runs-columns">
          <RunList runs={runs} shownId={shown.runId} onShow={setChosen} />
          <RunDetails key={shown.runId} run={shown} onShow={setChosen} />
        </div>
      )}
      {isAsking && (
        <NewRunDialog
          existing={runs ?? []}
          onClose={() => setAsking(false)}
          onStarted={(runId) => {
            setChosen(runId)
            setAsking(false)
          }}
        />
      )}
    </div>
  )
}

/** The runs of the workspace, newest first; asked for again when one changes. Null before the first answer. */
function useRuns(): readonly RunView[] | null {
  const [runs, setRuns] = useState<readonly RunView[] | null>(null)
  const attempt = useAttempt()
  const load = (): void => attempt(async () => setRuns(await request('runs.list', {})))
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked once; after that the events say when
  useEffect(load, [])
  useStudioEvent('runs.changed', load)
  return runs
}

const steps = [
  ['It describes your images', 'and names what it believes to see.'],
  ['Its own image encoder checks each object word', 'against the picture. No labels are needed.'],
  ['It learns from the difference', 'in a small adapter; the model itself is never changed.'],
] as const

function NoRuns({ onNew, onShowImages }: { readonly onNew: () => void; readonly onShowImages: () => void }): ReactNode {
  const { workspace } = useAppState()
  const hasImages = (workspace?.imageCount ?? 0) > 0
  return (
    <div className="empty runs-empty">
      <IconRoute size={44} stroke={1.4} aria-hidden="true" className="empty-icon" />
      <h2>Align a model with its own eyes</h2>
      <ol className="first-steps">
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
          <Button onClick={onShowImages}>Add images first</Button>
        </>
      )}
    </div>
  )
}
