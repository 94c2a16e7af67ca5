// What went wrong, what was kept and what to do next: notices in a corner that stay until they are closed; for a
// damaged workspace, wherever it was opened from, its backups.
import { Notification } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { type ReactNode, useCallback, useMemo, useState } from 'react'
import { type ErrorRecord, toErrorRecord } from '../../../shared/errors.ts'
import { useStudioEvent } from '../api.ts'
import { type Attempt, AttemptContext } from '../attempt.ts'
import { InUseDialog } from './InUseDialog.tsx'
import { RestoreDialog } from './RestoreDialog.tsx'

interface Notice {
  readonly id: number
  readonly error: ErrorRecord
}

const mostNotices = 4

export function NoticesProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [notices, setNotices] = useState<readonly Notice[]>([])
  const [damaged, setDamaged] = useState<ErrorRecord | null>(null)
  const [inUse, setInUse] = useState<ErrorRecord | null>(null)
  const show = useCallback((error: ErrorRecord) => {
    if (error.code === 'workspace.damaged' && error.where) return setDamaged(error)
    if (error.code === 'workspace.in-use' && error.where) return setInUse(error)
    setNotices((shown) => [...shown.slice(1 - mostNotices), { id: (shown.at(-1)?.id ?? 0) + 1, error }])
  }, [])
  const attempt = useMemo<Attempt>(() => (work) => void work().catch((thrown) => show(toErrorRecord(thrown))), [show])
  useStudioEvent('app.error', show)

  return (
    <AttemptContext value={attempt}>
      {children}
      <div className="notices">
        {notices.map(({ id, error }) => (
          <Notification
            key={id}
            color="red"
            withBorder
            icon={<IconAlertTriangle size={18} />}
            title={error.message}
            closeButtonProps={{ 'aria-label': 'Close this message' }}
            onClose={() => setNotices((shown) => shown.filter((notice) => notice.id !== id))}
          >
            {error.remedy}
            {error.where && <div className="notice-where">{error.where}</div>}
          </Notification>
        ))}
      </div>
      {inUse && <InUseDialog inUse={inUse} onClose={() => setInUse(null)} />}
      {damaged && <RestoreDialog damaged={damaged} onClose={() => setDamaged(null)} />}
    </AttemptContext>
  )
}
