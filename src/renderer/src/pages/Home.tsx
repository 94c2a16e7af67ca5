// Home: begin or go on with a workspace, and see what this computer can do.
import { ActionIcon, Button, Paper, Text, Title, Tooltip } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import { IconFileOff, IconFilePlus, IconFolderOpen, IconPlayerPlay, IconRoute, IconX } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { RecentEntry } from '../../../shared/contract.ts'
import type { UnfinishedRun } from '../../../shared/settings.ts'
import { request, useAppState } from '../api.ts'
import { attempt } from '../attempt.ts'
import { HardwareCard } from '../features/workspace/HardwareCard.tsx'
import { formatAgo, formatMoment, formatPlural, shortenPath } from '../format.ts'
import { openAt, showPage } from '../place.ts'
import shared from '../ui/shared.module.css'
import css from './Home.module.css'

/** More unfinished runs than these are found by opening their workspaces. */
const mostOffered = 3

export function Home(): ReactNode {
  const { recentWorkspaces, unfinishedRuns, workspace } = useAppState()
  const [isBusy, setBusy] = useState(false)
  const [isHidden, setHidden] = useLocalStorage({ key: 'firstSteps.hidden', defaultValue: false })
  // Whoever opened a workspace, if only the demo, has taken the first of them.
  const showsSteps = recentWorkspaces.length === 0 && !workspace && !isHidden

  const open = (work: () => Promise<unknown>): void => {
    setBusy(true)
    attempt(() => work().finally(() => setBusy(false)))
  }

  return (
    <div className={css.home}>
      <header className={css.homeHead}>
        <Title order={1}>Teach your model to say only what it sees</Title>
        <Text className={css.lead}>
          FiSAO Studio aligns a vision-language model with its own eyes: it describes your images, checks each word
          against the picture, and learns from the difference. Everything stays on this computer.
        </Text>
        <div className={css.actions}>
          <Button
            leftSection={<IconFilePlus size={18} />}
            disabled={isBusy}
            onClick={() => open(() => request('workspace.create', {}))}
          >
            New workspace
          </Button>
          <Button
            variant="default"
            leftSection={<IconFolderOpen size={18} />}
            disabled={isBusy}
            onClick={() => open(() => request('workspace.open', {}))}
          >
            Open…
          </Button>
          <Button
            variant="default"
            leftSection={<IconPlayerPlay size={18} />}
            disabled={isBusy}
            onClick={() => open(() => request('workspace.openDemo', {}))}
          >
            Open the demo
          </Button>
        </div>
      </header>
      {unfinishedRuns.slice(0, mostOffered).map((waiting) => (
        <UnfinishedItem
          key={waiting.path}
          waiting={waiting}
          isBusy={isBusy}
          onGoOn={() => open(() => openAt('runs', () => request('workspace.goOn', { path: waiting.path })))}
          onForget={() => attempt(() => request('workspace.forgetUnfinished', { path: waiting.path }))}
        />
      ))}
      {workspace && (
        <Paper component="section" withBorder p="md" className={css.openWorkspace} aria-label="Open workspace">
          <div className={css.openWorkspaceWords}>
            <Text fw={600}>{workspace.name}</Text>
            <Text size="sm" className="quiet" title={workspace.path}>
              {formatPlural(workspace.imageCount, 'image')} · {shortenPath(workspace.path)}
            </Text>
          </div>
          <div className={css.actions}>
            <Button size="xs" onClick={() => showPage('images')}>
              Show its images
            </Button>
            <Button size="xs" variant="default" onClick={() => attempt(() => request('workspace.close', {}))}>
              Close workspace
            </Button>
          </div>
        </Paper>
      )}
      <div className={css.homeColumns}>
        <section aria-labelledby="recent-title">
          <div className={css.stepsHead}>
            <Title order={2} size="h4" id="recent-title">
              {showsSteps ? 'First steps' : 'Recent workspaces'}
            </Title>
            {showsSteps && (
              <Button size="compact-xs" variant="subtle" color="gray" onClick={() => setHidden(true)}>
                Hide
              </Button>
            )}
          </div>
          {showsSteps && <FirstSteps />}
          {!showsSteps && recentWorkspaces.length === 0 && (
            <Text size="sm" className="quiet">
              Workspaces that you make or open are listed here.
            </Text>
          )}
          {recentWorkspaces.length > 0 && (
            <ul className={css.recent}>
              {recentWorkspaces.map((entry) => (
                <RecentItem
                  key={entry.path}
                  entry={entry}
                  onOpen={() => open(() => request('workspace.openRecent', { path: entry.path }))}
                  onForget={() => attempt(() => request('workspace.forgetRecent', { path: entry.path }))}
                />
              ))}
            </ul>
          )}
        </section>
        <HardwareCard />
      </div>
    </div>
  )
}

interface UnfinishedItemProps {
  readonly waiting: UnfinishedRun
  readonly isBusy: boolean
  readonly onGoOn: () => void
  readonly onForget: () => void
}

/** A run that waits in a workspace which is not open; it is never opened without being asked for. */
function UnfinishedItem({ waiting, isBusy, onGoOn, onForget }: UnfinishedItemProps): ReactNode {
  const { runName, path, isDemo, sinceMs } = waiting
  const place = isDemo ? 'In the demo' : shortenPath(path)
  return (
    <Paper
      component="section"
      withBorder
      p="md"
      className={`${css.openWorkspace} ${css.unfinished}`}
      aria-label="Unfinished run"
    >
      <IconRoute size={22} aria-hidden="true" className={css.unfinishedIcon} />
      <div className={css.openWorkspaceWords}>
        <Text fw={600}>“{runName}” is not finished</Text>
        <Text size="sm" className="quiet" title={path}>
          It was under way when its workspace closed and goes on after its last checkpoint.
        </Text>
        <Text size="sm" className="quiet" title={formatMoment(sinceMs)}>
          {place} · begun {formatAgo(sinceMs)}
        </Text>
      </div>
      <div className={css.actions}>
        <Button size="xs" disabled={isBusy} onClick={onGoOn}>
          Go on
        </Button>
        <Button size="xs" variant="default" disabled={isBusy} onClick={onForget}>
          Not now
        </Button>
      </div>
    </Paper>
  )
}

interface RecentItemProps {
  readonly entry: RecentEntry
  readonly onOpen: () => void
  readonly onForget: () => void
}

function RecentItem({ entry, onOpen, onForget }: RecentItemProps): ReactNode {
  const { name, path, imageCount, openedAtMs, missing } = entry
  return (
    <li className={css.recentItem}>
      <button type="button" className={css.recentOpen} onClick={onOpen} disabled={missing}>
        <span className={css.recentName}>{name}</span>
        <span className={css.recentFacts} title={formatMoment(openedAtMs)}>
          {missing ? (
            <span className={css.recentMissing}>
              <IconFileOff size={14} aria-hidden="true" />
              The file is no longer there
            </span>
          ) : (
            `${formatPlural(imageCount, 'image')}, opened ${formatAgo(openedAtMs)}`
          )}
        </span>
        <span className={css.recentPath} title={path}>
          {shortenPath(path)}
        </span>
      </button>
      <Tooltip label="Remove from this list; the file stays">
        <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${name} from the list`} onClick={onForget}>
          <IconX size={16} />
        </ActionIcon>
      </Tooltip>
    </li>
  )
}

const steps = [
  ['Bring images', 'A workspace is one file. Add a folder of ordinary pictures to it; no labels are needed.'],
  ['Start a run', 'Choose a model and a preset. The run can be paused at any time, and shows what it does.'],
  ['Try the demo first', 'It opens 200 sample scenes, so that you can look round without images of your own.'],
] as const

function FirstSteps(): ReactNode {
  return (
    <ol className={shared.firstSteps}>
      {steps.map(([title, words]) => (
        <li key={title}>
          <strong>{title}.</strong> {words}
        </li>
      ))}
    </ol>
  )
}
