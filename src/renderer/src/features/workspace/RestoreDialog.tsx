// Shown when a workspace file is damaged: what can be kept of the file itself, its automatic backups, and the way back to
// either.
import { Badge, Button, Loader, Text } from '@mantine/core'
import { type ReactNode, useEffect, useState } from 'react'
import type { ErrorRecord } from '../../../../shared/errors.ts'
import { type BackupEntry, isComplete, type SalvageReport } from '../../../../shared/salvage.ts'
import { request } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { formatBytes, formatMoment, formatPlural } from '../../format.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import css from './RestoreDialog.module.css'
import { keptWords, lostWords } from './salvageWords.ts'

interface RestoreDialogProps {
  readonly damaged: ErrorRecord
  readonly onClose: () => void
}

export function RestoreDialog({ damaged, onClose }: RestoreDialogProps): ReactNode {
  const path = damaged.where ?? ''
  const [backups, setBackups] = useState<readonly BackupEntry[] | null>(null)
  /** Undefined while it is being found out. */
  const [report, setReport] = useState<SalvageReport | null | undefined>(undefined)
  const [busy, setBusy] = useState<string | null>(null)

  useEffect(() => attempt(async () => setReport(await request('workspace.inspectDamage', { path }))), [path])
  useEffect(() => attempt(async () => setBackups(await request('workspace.backups', { path }))), [path])

  const carryOut = (what: string, work: () => Promise<unknown>): void =>
    attempt(async () => {
      setBusy(what)
      try {
        // Null: another workspace's run shall not stop for it.
        if ((await work()) !== null) onClose()
      } finally {
        setBusy(null)
      }
    })
  const recover = (
    <Recovery
      report={report}
      isBusy={busy === path}
      isDisabled={busy !== null}
      onRecover={() => carryOut(path, () => request('workspace.salvage', { path }))}
    />
  )
  // Values that may be wrong are offered after what is known to be right.
  const isLast = report === null || (report?.changedTables.length ?? 0) > 0
  return (
    <Dialog onClose={onClose} title="This workspace is damaged" centered>
      <Text size="sm">{damaged.message}</Text>
      <Text size="sm" className="path" my="xs">
        {path}
      </Text>
      <Text size="sm">Whatever you choose, the damaged file is kept beside the new one.</Text>
      {!isLast && recover}
      <section className={css.wayBack} aria-labelledby="backups-title">
        <Text size="sm" fw={600} id="backups-title">
          Restore a backup
        </Text>
        {backups === null && <Loader size="sm" aria-label="Looking at the backups" />}
        {backups?.length === 0 && (
          <Text size="sm">
            There is no backup beside it. If you have a copy of the file elsewhere, open that one; your images
            themselves are not affected.
          </Text>
        )}
        <ul className={css.backups}>
          {backups?.map((backup) => (
            <BackupItem
              key={backup.path}
              backup={backup}
              isBusy={busy === backup.path}
              isDisabled={busy !== null}
              onRestore={() => carryOut(backup.path, () => request('workspace.restore', { path, backup: backup.path }))}
            />
          ))}
        </ul>
      </section>
      {isLast && recover}
    </Dialog>
  )
}

interface RecoveryProps {
  readonly report: SalvageReport | null | undefined
  readonly isBusy: boolean
  readonly isDisabled: boolean
  readonly onRecover: () => void
}

/** What can be read of the damaged file itself: usually more than a backup has. */
function Recovery({ report, isBusy, isDisabled, onRecover }: RecoveryProps): ReactNode {
  return (
    <section className={css.wayBack} aria-labelledby="recovery-title">
      <Text size="sm" fw={600} id="recovery-title">
        Keep what can be read
      </Text>
      {report === undefined && <Loader size="sm" aria-label="Looking at what can be read" />}
      {report === null && <Text size="sm">Nothing in the damaged file can be read.</Text>}
      {report && (
        <div className={css.recovery}>
          <div>
            <Text size="sm">{keptWords(report)}</Text>
            <Text size="sm" className="quiet">
              {isComplete(report) ? 'Nothing is lost.' : lostWords(report)}
            </Text>
          </div>
          <Button size="xs" loading={isBusy} disabled={isDisabled && !isBusy} onClick={onRecover}>
            Recover
          </Button>
        </div>
      )}
    </section>
  )
}

interface BackupItemProps {
  readonly backup: BackupEntry
  readonly isBusy: boolean
  readonly isDisabled: boolean
  readonly onRestore: () => void
}

function BackupItem({ backup, isBusy, isDisabled, onRestore }: BackupItemProps): ReactNode {
  const { images, runs, takenAtMs, sizeBytes, isSound } = backup
  const facts = `${formatPlural(images, 'image')}, ${formatPlural(runs, 'run')}`
  return (
    <li>
      <span>
        {formatMoment(takenAtMs)}
        <span className={`quiet ${css.backupFacts}`}>
          {isSound || images > 0 ? `${facts}, ${formatBytes(sizeBytes)}` : formatBytes(sizeBytes)}
          {!isSound && (
            <Badge color="red" variant="light" size="sm">
              damaged
            </Badge>
          )}
        </span>
      </span>
      <Button
        size="xs"
        variant="default"
        loading={isBusy}
        disabled={isDisabled && !isBusy}
        onClick={onRestore}
        aria-label={`Restore the backup of ${formatMoment(takenAtMs)}`}
      >
        Restore
      </Button>
    </li>
  )
}
