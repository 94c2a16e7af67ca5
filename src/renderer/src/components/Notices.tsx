// What went wrong, what was kept and what to do next, and what else happened: notices in a corner that stay until they
// are closed; for a damaged workspace, wherever it was opened from, its backups.
import { Notification } from '@mantine/core'
import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react'
import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react'
import { type ErrorRecord, toErrorRecord } from '../../../shared/errors.ts'
import { request, useAppState, useStudioEvent } from '../api.ts'
import { type Attempt, AttemptContext } from '../attempt.ts'
import { placeIn } from '../place.ts'
import { InUseDialog } from './InUseDialog.tsx'
import { RestoreDialog } from './RestoreDialog.tsx'

interface Shown {
  readonly id: number
  readonly title: string
  readonly text: string
  readonly where: string | undefined
  readonly isError: boolean
}

const mostNotices = 4

export function NoticesProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [notices, setNotices] = useState<readonly Shown[]>([])
  const [damaged, setDamaged] = useState<ErrorRecord | null>(null)
  const [inUse, setInUse] = useState<ErrorRecord | null>(null)
  const key = useAppState().workspace?.key ?? null
  const add = useCallback((notice: Omit<Shown, 'id'>) => {
    setNotices((shown) => [...shown.slice(1 - mostNotices), { id: (shown.at(-1)?.id ?? 0) + 1, ...notice }])
  }, [])
  const show = useCallback(
    (error: ErrorRecord) => {
      if (error.code === 'workspace.damaged' && error.where) return setDamaged(error)
      if (error.code === 'workspace.in-use' && error.where) return setInUse(error)
      add({ title: error.message, text: error.remedy, where: error.where, isError: true })
    },
    [add],
  )
  const attempt = useMemo<Attempt>(() => (work) => void work().catch((thrown) => show(toErrorRecord(thrown))), [show])

  const fetchNotices = (): void =>
    attempt(async () => {
      for (const notice of await request('app.notices', {})) {
        if (notice.about === 'error') {
          show(notice.error)
          continue
        }
        // Whoever looks at the runs sees how one ended.
        const isSeen = notice.about === 'runs' && placeIn(key).page === 'runs' && document.hasFocus()
        if (!isSeen) add({ title: notice.title, text: notice.text, where: undefined, isError: false })
      }
    })
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked once; after that the event says when
  useEffect(fetchNotices, [])
  useStudioEvent('app.noticed', fetchNotices)

  return (
    <AttemptContext value={attempt}>
      {children}
      <div className="notices">
        {notices.map(({ id, title, text, where, isError }) => (
          <Notification
            key={id}
            role={isError ? 'alert' : 'status'}
            color={isError ? 'red' : 'violet'}
            withBorder
            icon={isError ? <IconAlertTriangle size={18} /> : <IconInfoCircle size={18} />}
            title={title}
            closeButtonProps={{ 'aria-label': 'Close this message' }}
            onClose={() => setNotices((shown) => shown.filter((notice) => notice.id !== id))}
          >
            {text}
            {where && <div className="notice-where">{where}</div>}
          </Notification>
        ))}
      </div>
      {inUse && <InUseDialog inUse={inUse} onClose={() => setInUse(null)} />}
      {damaged && <RestoreDialog damaged={damaged} onClose={() => setDamaged(null)} />}
    </AttemptContext>
  )
}
