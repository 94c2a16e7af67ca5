// The command palette: pages, runs, models and actions, found by typing a part of their names.
import { Spotlight, type SpotlightActionGroupData } from '@mantine/spotlight'
import { IconBolt, IconBox, IconRoute, IconSearch } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { AppState } from '../../../shared/contract.ts'
import { request, useAppState } from '../api.ts'
import { attempt } from '../attempt.ts'
import { presetTitle, stateLabels } from '../features/runs/runWords.ts'
import { pages } from '../pages/table.tsx'
import { navigate, showPage } from '../place.ts'
import { useModels } from '../queries/models.ts'
import { useRuns } from '../queries/runs.ts'
import css from './Palette.module.css'

interface PaletteProps {
  readonly onHelp: () => void
  readonly onTour: () => void
}

export function Palette({ onHelp, onTour }: PaletteProps): ReactNode {
  const state = useAppState()
  const runs = useRuns() ?? []
  const models = useModels() ?? []
  const groups: SpotlightActionGroupData[] = [
    { group: 'Pages', actions: pageActions(state) },
    {
      group: 'Runs',
      actions: runs.map(({ runId, name, preset, state: runState }) => ({
        id: `run-${runId}`,
        label: name,
        description: `${presetTitle(preset)}, ${stateLabels[runState].toLowerCase()}`,
        leftSection: <IconRoute size={18} aria-hidden="true" />,
        onClick: () => navigate({ page: 'runs', runId }),
      })),
    },
    {
      group: 'Models',
      actions: models.map(({ modelId, name }) => ({
        id: `model-${modelId}`,
        label: name,
        leftSection: <IconBox size={18} aria-hidden="true" />,
        onClick: () => navigate({ page: 'models', modelId }),
      })),
    },
    {
      group: 'Actions',
      actions: actionsOf(state, { onHelp, onTour }).map(([label, act]) => ({
        id: `action-${label}`,
        label,
        leftSection: <IconBolt size={18} aria-hidden="true" />,
        onClick: act,
      })),
    },
  ]
  return (
    <Spotlight
      actions={groups.filter(({ actions }) => actions.length > 0)}
      // Opened by the table of keys (keys.ts).
      shortcut={null}
      nothingFound="Nothing has this in its name."
      highlightQuery
      // The pictures of the grid are too many to be blurred at each frame.
      overlayProps={{ blur: 0 }}
      attributes={{ content: { 'aria-label': 'Find anything' } }}
      classNames={{ actionsGroup: css.group, actionDescription: css.description }}
      scrollable
      maxHeight={420}
      searchProps={{
        placeholder: 'Find a page, a run or an action',
        'aria-label': 'Find a page, a run or an action',
        leftSection: <IconSearch size={18} aria-hidden="true" />,
      }}
    />
  )
}

function pageActions({ workspace }: AppState): SpotlightActionGroupData['actions'] {
  return pages
    .filter(({ isInNavigation, needsWorkspace }) => isInNavigation && (workspace || !needsWorkspace))
    .flatMap(({ page, label, icon: Icon }) =>
      page === 'inspector'
        ? []
        : [
            {
              ...{ id: `page-${page}`, label, leftSection: <Icon size={18} aria-hidden="true" /> },
              onClick: () => showPage(page),
            },
          ],
    )
}

/** What can be done now, by name. */
function actionsOf(
  { workspace }: AppState,
  { onHelp, onTour }: PaletteProps,
): readonly (readonly [label: string, act: () => void])[] {
  const asks = (work: () => Promise<unknown>) => () => attempt(work)
  const ofWorkspace = [
    ['Add a folder of images', asks(() => request('images.pickFolder', {}))],
    ['Close the workspace', asks(() => request('workspace.close', {}))],
  ] as const
  return [
    ...(workspace && workspace.readOnlyBecause === null ? ofWorkspace : workspace ? [ofWorkspace[1]] : []),
    ['New workspace', asks(() => request('workspace.create', {}))],
    ['Open a workspace', asks(() => request('workspace.open', {}))],
    ['Open the demo', asks(() => request('workspace.openDemo', {}))],
    ['Light theme', asks(() => request('app.setAppearance', { appearance: 'light' }))],
    ['Dark theme', asks(() => request('app.setAppearance', { appearance: 'dark' }))],
    ['Theme as the system', asks(() => request('app.setAppearance', { appearance: 'system' }))],
    ['Measure the devices again', asks(() => request('hardware.probe', {}))],
    ['Show keys and terms', onHelp],
    ['Show me around', onTour],
    ['Show the logs', asks(() => request('app.showLogs', {}))],
  ]
}
