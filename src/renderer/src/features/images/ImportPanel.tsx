// The import that runs now, with its progress; and after it what was left out, and why.
import { Button, CloseButton, Progress, Text } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { z } from 'zod'
import type { ImportView } from '../../../../shared/contract.ts'
import type { ImportCounts } from '../../../../shared/workerProtocol.ts'
import { request } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { formatCount, formatPlural, shortenPath } from '../../format.ts'
import { keptSince, useKept } from '../../place.ts'
import css from './ImportPanel.module.css'
import { SkippedFiles } from './SkippedFiles.tsx'

interface ImportPanelProps {
  readonly imports: readonly ImportView[]
}

export function ImportPanel({ imports }: ImportPanelProps): ReactNode {
  const running = imports.filter(({ live }) => live)
  const [newest] = imports
  const [seenId, setSeenId] = useKept('images.importSeen', z.number(), 0)
  const openedAtMs = keptSince()
  // One that ended in an earlier opening was read then; one that did not come to its end still waits for the person.
  const isOld = newest?.state === 'complete' && (newest.endedAtMs ?? 0) < openedAtMs
  return (
    <>
      {running.map((view) => (
        <RunningImport key={view.importId} view={view} counts={view.live as ImportCounts} />
      ))}
      {running.length === 0 && newest && !isOld && newest.importId !== seenId && (
        <EndedImport view={newest} onClose={() => setSeenId(newest.importId)} />
      )}
    </>
  )
}

function RunningImport({ view, counts }: { readonly view: ImportView; readonly counts: ImportCounts }): ReactNode {
  const { seen, found, added, skipped, walking } = counts
  const share = walking || found === 0 ? 0 : (seen / found) * 100
  const words = walking
    ? `Looking for images: ${formatCount(found)} so far`
    : `${formatCount(seen)} of ${formatPlural(found, 'file')}: ${formatCount(added)} added, ${formatCount(skipped)} left out`
  return (
    <section className={css.import} aria-label="Import">
      <div className={css.importWords}>
        <Text size="sm" fw={600} title={view.folder}>
          Adding {shortenPath(view.folder, 44)}
        </Text>
        <Text size="sm" className="quiet" role="status">
          {words}
        </Text>
      </div>
      <Progress value={share} aria-label="Import progress" className={css.importBar} animated={walking} />
      <Button
        size="xs"
        variant="default"
        onClick={() => attempt(() => request('images.cancelImport', { importId: view.importId }))}
      >
        Cancel import
      </Button>
    </section>
  )
}

interface EndedImportProps {
  readonly view: ImportView
  readonly onClose: () => void
}

function EndedImport({ view, onClose }: EndedImportProps): ReactNode {
  const [isShown, setShown] = useState(false)
  const { importId, state, added, skipped, folder, error, leftOut, outcome } = view
  return (
    <section className={css.import} aria-label="Import">
      <div className={css.importWords}>
        <Text size="sm" fw={600} title={folder}>
          {state === 'complete' ? 'Looked through' : error ? 'Interrupted:' : 'Cancelled:'} {shortenPath(folder, 44)}
        </Text>
        <Text size="sm" className="quiet" role="status">
          {outcome ?? `${formatPlural(added, 'image')} added, ${formatPlural(skipped, 'file')} left out`}
        </Text>
        {error && (
          <Text size="sm" className={css.importError}>
            {error.message} {error.remedy}
            {error.code === 'workspace.disk-full' && ' The import goes on by itself when there is room.'}
          </Text>
        )}
      </div>
      <div className={css.importActions}>
        {state !== 'complete' && (
          <Button
            size="xs"
            variant="default"
            onClick={() => attempt(() => request('images.resumeImport', { importId }))}
          >
            Resume import
          </Button>
        )}
        {(skipped > 0 || leftOut.length > 0) && (
          <Button size="xs" variant="default" onClick={() => setShown(true)}>
            Show what was left out
          </Button>
        )}
        <CloseButton aria-label="Close this message" onClick={onClose} />
      </div>
      {isShown && <SkippedFiles view={view} onClose={() => setShown(false)} />}
    </section>
  )
}
