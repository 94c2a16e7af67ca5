// The shell: navigation at the left, the page, and a status line that says how the engine is doing.
import { AppShell } from '@mantine/core'
import { type ReactNode, useEffect } from 'react'
import type { EventPayload } from '../../shared/contract.ts'
import css from './App.module.css'
import { request, useAppState, useStudioEvent } from './api.ts'
import { attempt } from './attempt.ts'
import { ReadingBanner } from './features/workspace/InUseDialog.tsx'
import { type AnyPage, pageOf } from './pages/table.tsx'
import { showPage, useRoute } from './place.ts'
import type { Route } from './route.ts'
import { ActivityTray } from './shell/ActivityTray.tsx'
import { EngineStatus } from './shell/EngineStatus.tsx'
import { Everywhere } from './shell/Everywhere.tsx'
import { Navigation } from './shell/Navigation.tsx'
import { Notices } from './shell/Notices.tsx'

const navigationWidth = 208
const statusHeight = 33

export function App(): ReactNode {
  const { workspace } = useAppState()
  const route = useRoute()
  const shown = pageOf(route.page, workspace !== null)
  useMenuCommands()

  useEffect(() => {
    document.title = [shown.label, workspace?.name, 'FiSAO Studio'].filter(Boolean).join(' – ')
  }, [shown, workspace?.name])

  return (
    <AppShell
      navbar={{ width: navigationWidth, breakpoint: 0 }}
      footer={{ height: statusHeight }}
      transitionDuration={0}
    >
      <a className="skip-link" href="#main">
        Skip to the page
      </a>
      <AppShell.Navbar className={css.navigation} aria-label="Pages">
        <Navigation shown={shown.page} />
      </AppShell.Navbar>
      <AppShell.Main className={css.page} id="main" tabIndex={-1}>
        <ReadingBanner />
        {/* A page of no workspace stays while one closes: made anew, it would lose a click that was half done. */}
        <Shown
          key={shown.needsWorkspace ? `${workspace?.key} ${shown.page}` : shown.page}
          shown={shown}
          route={route}
        />
      </AppShell.Main>
      <AppShell.Footer className={css.status}>
        <EngineStatus />
        <ActivityTray />
      </AppShell.Footer>
      <Everywhere />
      <Notices />
    </AppShell>
  )
}

function Shown({ shown, route }: { readonly shown: AnyPage; readonly route: Route }): ReactNode {
  // The table pairs each page with its route; home stands in for a page that cannot be shown now.
  const Page = shown.Page as React.ComponentType<{ readonly route: Route }>
  return <Page route={route.page === shown.page ? route : { page: 'home' }} />
}

/** The page that a command of the menu shows, before it does what it says. */
const pageOfCommand: Readonly<Record<EventPayload<'menu.command'>['command'], Parameters<typeof showPage>[0] | null>> =
  {
    ...{ showHome: 'home', showRuns: 'runs', showModels: 'models', showSettings: 'settings', showShortcuts: null },
    ...{ showImages: 'images', importFolder: 'images', find: 'images' },
  }

function useMenuCommands(): void {
  useStudioEvent('menu.command', ({ command }) => {
    const page = pageOfCommand[command]
    if (page) showPage(page)
    if (command === 'importFolder') attempt(() => request('images.pickFolder', {}))
    if (command === 'find') setTimeout(() => document.getElementById('image-search')?.focus())
  })
}
