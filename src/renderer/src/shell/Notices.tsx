// What went wrong, what was kept and what to do next, and what else happened: notices in a corner that stay until they
// are closed, but for the end of a run that somebody was there for; for a damaged workspace, its backups.
import { Notifications, notifications, useNotifications } from '@mantine/notifications'
import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react'
import { type ReactNode, useEffect, useState } from 'react'
import type { ErrorRecord } from '../../../shared/errors.ts'
import { request, useStudioEvent } from '../api.ts'
import { attempt, showError, showErrorsWith } from '../attempt.ts'
import { InUseDialog } from '../features/workspace/InUseDialog.tsx'
import { RestoreDialog } from '../features/workspace/RestoreDialog.tsx'
import { currentRoute } from '../place.ts'
import css from './Notices.module.css'

const mostNotices = 4
/** A run's end stands on the page of runs as well: told to somebody who is there, it need not be closed by hand. */
const runEndMs = 15_000

export function Notices(): ReactNode {
  const [damaged, setDamaged] = useState<ErrorRecord | null>(null)
  const [inUse, setInUse] = useState<ErrorRecord | null>(null)

  useEffect(
    () =>
      showErrorsWith((error) => {
        if (error.code === 'workspace.damaged' && error.where) setDamaged(error)
        else if (error.code === 'workspace.in-use' && error.where) setInUse(error)
        else noteError(error)
      }),
    [],
  )
  useEffect(fetchNotices, [])
  useStudioEvent('app.noticed', fetchNotices)
  useRoomForTheNewest()

  return (
    <>
      <Notifications
        position="bottom-right"
        limit={mostNotices + 1}
        autoClose={false}
        notificationMaxHeight="100vh"
        className={css.notices}
      />
      {inUse && <InUseDialog inUse={inUse} onClose={() => setInUse(null)} />}
      {damaged && <RestoreDialog damaged={damaged} onClose={() => setDamaged(null)} />}
    </>
  )
}

/** The oldest notice makes room: the newest says how things stand. */
function useRoomForTheNewest(): void {
  const { notifications: shown } = useNotifications()
  useEffect(() => {
    const [oldest] = shown
    if (shown.length > mostNotices && oldest?.id) notifications.hide(oldest.id)
  }, [shown])
}

const closeButtonProps = { 'aria-label': 'Close this message' }

/** One that is shown already is not shown twice: many questions may fail for one reason. */
function noteError({ code, message: title, remedy, where }: ErrorRecord): void {
  notifications.show({
    id: JSON.stringify([code, title, where]),
    ...{
      role: 'alert',
      color: 'red',
      icon: <IconAlertTriangle size={18} />,
      title,
      withBorder: true,
      closeButtonProps,
    },
    message: (
      <>
        {remedy}
        {where && (
          <div className={`notice-where ${css.where}`} title={where}>
            {where}
          </div>
        )}
      </>
    ),
  })
}

function fetchNotices(): void {
  attempt(async () => {
    for (const notice of await request('app.notices', {})) {
      if (notice.about === 'error') {
        showError(notice.error)
        continue
      }
      // Whoever looks at the runs sees how one ended.
      if (notice.about === 'runs' && currentRoute().page === 'runs' && document.hasFocus()) continue
      notifications.show({
        ...{ role: 'status', icon: <IconInfoCircle size={18} />, title: notice.title, message: notice.text },
        ...{ withBorder: true, closeButtonProps },
        autoClose: notice.about === 'runs' && document.hasFocus() ? runEndMs : false,
      })
    }
  })
}
