// The import that runs now, with its progress; and after it what was left out, and why.
import { Anchor, Button, CloseButton, Pagination, Progress, Table, Text } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { z } from 'zod'
import type { ImportView } from '../../../../shared/contract.ts'
import type { ImportCounts } from '../../../../shared/workerProtocol.ts'
import { request } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { formatCount, formatPlural, shortenPath } from '../../format.ts'
import { keptSince, useKept } from '../../place.ts'
import { useImportIssues } from '../../queries/images.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import css from './ImportPanel.module.css'

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
  const { importId, state, added, skipped, folder, error } = view
  if (state === 'complete' && skipped === 0) return null
  return (
    <section className={css.import} aria-label="Import">
      <div className={css.importWords}>
        <Text size="sm" fw={600} title={folder}>
          {state === 'complete' ? 'Added' : error ? 'Interrupted:' : 'Cancelled:'} {shortenPath(folder, 44)}
        </Text>
        <Text size="sm" className="quiet" role="status">
          {formatPlural(added, 'image')} added, {formatPlural(skipped, 'file')} left out
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
        {skipped > 0 && (
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

/** How many files the last import left out, and the way to their list. */
export function LeftOut({ imports }: ImportPanelProps): ReactNode {
  const [isShown, setShown] = useState(false)
  const [newest] = imports
  if (!newest || newest.live || newest.skipped === 0) return null
  return (
    <>
      <Anchor component="button" type="button" size="sm" onClick={() => setShown(true)}>
        {formatCount(newest.skipped)} left out
      </Anchor>
      {isShown && <SkippedFiles view={newest} onClose={() => setShown(false)} />}
    </>
  )
}

const issuesPerPage = 50

function SkippedFiles({ view, onClose }: { readonly view: ImportView; readonly onClose: () => void }): ReactNode {
  const [page, setPage] = useState(1)
  const { importId, folder, skipped } = view
  const issues = useImportIssues(importId, (page - 1) * issuesPerPage, issuesPerPage)
  const pages = Math.ceil(skipped / issuesPerPage)
  return (
    <Dialog onClose={onClose} size="xl" title="Files that were left out">
      <Text size="sm" className="quiet" mb="sm">
        {formatPlural(skipped, 'file')} of {shortenPath(folder, 70)} could not be used. Nothing was changed in the
        folder.
      </Text>
      <Table aria-label="Skipped files" verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>File</Table.Th>
            <Table.Th>Reason</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {issues.map(({ path, message }) => (
            <Table.Tr key={path}>
              <Table.Td className="path" title={path}>
                {path.startsWith(folder) ? path.slice(folder.length + 1) : path}
              </Table.Td>
              <Table.Td>{message}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {pages > 1 && <Pagination mt="md" size="sm" total={pages} value={page} onChange={setPage} />}
    </Dialog>
  )
}
