// Shown when another app works on a workspace: who it is, and the way to look at it all the same.
import { Button, Text } from '@mantine/core'
import { IconEye } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { ErrorRecord } from '../../../../shared/errors.ts'
import { request, useAppState } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import shared from '../../ui/shared.module.css'
import css from './InUseDialog.module.css'

interface InUseDialogProps {
  readonly inUse: ErrorRecord
  readonly onClose: () => void
}

export function InUseDialog({ inUse, onClose }: InUseDialogProps): ReactNode {
  const [isBusy, setBusy] = useState(false)
  const path = inUse.where ?? ''
  const openForReading = (): void => {
    setBusy(true)
    attempt(() => request('workspace.openForReading', { path }).finally(onClose))
  }
  return (
    <Dialog onClose={onClose} centered title="This workspace is in use">
      <Text size="sm">{inUse.message}</Text>
      <Text size="sm" className="path" my="xs">
        {path}
      </Text>
      <Text size="sm">
        Two of them would undo each other’s work, so only one may change it. Opened for reading you see what is stored,
        also while the other one goes on.
      </Text>
      <div className={shared.dialogActions}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button leftSection={<IconEye size={18} />} loading={isBusy} onClick={openForReading} data-autofocus>
          Open for reading
        </Button>
      </div>
    </Dialog>
  )
}

/** Above every page of a workspace that is open for reading only. */
export function ReadingBanner(): ReactNode {
  const { workspace } = useAppState()
  if (!workspace?.readOnlyBecause) return null
  return (
    <p className={css.readingBanner} role="status" title={workspace.readOnlyBecause}>
      <IconEye size={16} aria-hidden="true" />
      <span>
        <strong>Open for reading only.</strong> {workspace.readOnlyBecause}
      </span>
    </p>
  )
}
