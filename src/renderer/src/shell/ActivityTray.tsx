// In the status line: how much is under way, each thing with its progress, time left and an end, and the load meanwhile.
import { ActionIcon, Popover, Progress, Tooltip, UnstyledButton } from '@mantine/core'
import { IconActivity, IconPlayerPause, IconX } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { Activity, ActivityKind } from '../../../shared/activity.ts'
import { request } from '../api.ts'
import { attempt } from '../attempt.ts'
import { formatSpan } from '../format.ts'
import { useActivities } from '../queries/everywhere.ts'
import css from './ActivityTray.module.css'
import { LoadLine, LoadPanel } from './Load.tsx'

const kindLabels: Readonly<Record<ActivityKind, string>> = {
  ...{ import: 'Import', run: 'Run', export: 'Export', check: 'Check', model: 'Model', probe: 'Measurement' },
  ...{
    backup: 'Backup',
    delete: 'Deletion',
    describe: 'Description',
    evaluate: 'Evaluation',
    relink: 'Relink',
    report: 'Report',
    sweep: 'Sweep',
  },
}

export function ActivityTray(): ReactNode {
  const activities = useActivities()
  const [isOpen, setOpen] = useState(false)
  const underWay = activities.filter(({ state }) => state !== 'waiting').length
  return (
    <div className={css.tray}>
      {underWay > 0 && !isOpen && <LoadLine />}
      <Popover opened={isOpen} onChange={setOpen} position="top-end" width={400} trapFocus returnFocus shadow="md">
        <Popover.Target>
          <UnstyledButton className={css.button} data-busy={underWay > 0} onClick={() => setOpen(!isOpen)}>
            <IconActivity size={15} aria-hidden="true" />
            {countWords(underWay, activities.length - underWay)}
          </UnstyledButton>
        </Popover.Target>
        <Popover.Dropdown className={css.dropdown} aria-labelledby="activities-title">
          <h2 className={css.heading} id="activities-title">
            Activities
          </h2>
          {activities.length === 0 && <p className={css.nothing}>Nothing is under way. What takes long shows here.</p>}
          {activities.length > 0 && (
            <ul className={css.list} aria-label="Under way">
              {activities.map((activity) => (
                <ActivityItem key={activity.id} activity={activity} />
              ))}
            </ul>
          )}
          <LoadPanel />
        </Popover.Dropdown>
      </Popover>
    </div>
  )
}

function countWords(underWay: number, waiting: number): string {
  if (underWay === 0 && waiting === 0) return 'Nothing under way'
  if (waiting === 0) return `${underWay} under way`
  return underWay === 0 ? `${waiting} waiting` : `${underWay} under way, ${waiting} waiting`
}

function ActivityItem({ activity }: { readonly activity: Activity }): ReactNode {
  const { id, kind, title, detail, state, share, remainingMs, canCancel } = activity
  // A run keeps what it learned, so the tray pauses it.
  const [verb, Icon] = kind === 'run' ? (['Pause', IconPlayerPause] as const) : (['Cancel', IconX] as const)
  const words = state === 'ending' ? 'ending' : detail
  return (
    <li className={css.item}>
      <div className={css.words}>
        <span className={css.title} title={title}>
          <bdi>{title}</bdi>
        </span>
        <span className={css.facts}>
          {[kindLabels[kind], words, remainingMs === null ? null : `${formatSpan(remainingMs)} left`]
            .filter(Boolean)
            .join(' · ')}
        </span>
        <Progress
          size="sm"
          value={share === null ? 100 : share * 100}
          animated={share === null && state !== 'waiting'}
          color={state === 'waiting' ? 'gray' : 'violet'}
          aria-label={`Progress of ${title}`}
        />
      </div>
      {canCancel && (
        <Tooltip label={verb}>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`${verb} ${title}`}
            onClick={() => attempt(() => request('activity.cancel', { id }))}
          >
            <Icon size={16} />
          </ActionIcon>
        </Tooltip>
      )}
    </li>
  )
}
