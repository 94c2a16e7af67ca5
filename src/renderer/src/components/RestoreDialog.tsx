// Shown when a workspace file is damaged: its automatic backups, and the way back to one of them.
import { Button, Loader, Modal, Text } from '@mantine/core'
import { type ReactNode, useEffect, useState } from 'react'
import type { BackupEntry } from '../../../shared/contract.ts'
import type { ErrorRecord } from '../../../shared/errors.ts'
import { request } from '../api.ts'
import { useAttempt } from '../attempt.ts'
import { formatBytes, formatMoment } from '../format.ts'

interface RestoreDialogProps {
  readonly damaged: ErrorRecord
  readonly onClose: () => void
}

export function RestoreDialog({ damaged, onClose }: RestoreDialogProps): ReactNode {
  const path = damaged.where ?? ''
  const [backups, setBackups] = useState<readonly BackupEntry[] | null>(null)
  const [isBusy, setBusy] = useState(false)
  const attempt = useAttempt()

  useEffect(() => attempt(async () => setBackups(await request('workspace.backups', { path }))), [attempt, path])

  const restore = (backup: string): void =>
    attempt(async () => {
      setBusy(true)
      try {
        // Null: another workspace's run shall not stop for it.
        if (await request('workspace.restore', { path, backup })) onClose()
      } finally {
        setBusy(false)
      }
    })

  return (
    <Modal
      opened
      onClose={onClose}
      title="This workspace is damaged"
      centered
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Text size="sm">{damaged.message}</Text>
      <Text size="sm" className="path" my="xs">
        {path}
      </Text>
      {backups === null && <Loader size="sm" />}
      {backups?.length === 0 && (
        <Text size="sm">
          There is no backup beside it. If you have a copy of the file elsewhere, open that one; your images themselves
          are not affected.
        </Text>
      )}
      {backups && backups.length > 0 && (
        <>
          <Text size="sm">Restoring puts a backup in its place. The damaged file is kept beside it.</Text>
          <ul className="backups">
            {backups.map((backup) => (
              <li key={backup.path}>
                <span>
                  {formatMoment(backup.takenAtMs)} <span className="quiet">({formatBytes(backup.sizeBytes)})</span>
                </span>
                <Button size="xs" loading={isBusy} onClick={() => restore(backup.path)}>
                  Restore
                </Button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Modal>
  )
}
