// The shell: navigation at the left, the page, and a status line that says how the engine is doing.
import { AppShell } from '@mantine/core'
import { type ReactNode, useEffect } from 'react'
import css from './App.module.css'
import { request, useAppState, useStudioEvent } from './api.ts'
import { attempt } from './attempt.ts'
import { ReadingBanner } from './features/workspace/InUseDialog.tsx'
import { type AnyPage, pageOf } from './pages/table.tsx'
import { showPage, useRoute } from './place.ts'
import type { Route } from './route.ts'
import { EngineStatus } from './shell/EngineStatus.tsx'
import { Navigation } from './shell/Navigation.tsx'
import { Notices } from './shell/Notices.tsx'
import { useWayKeys } from './shell/wayKeys.ts'

const navigationWidth = 208
const statusHeight = 33

export function App(): ReactNode {
  const { workspace } = useAppState()
  const route = useRoute()
  const shown = pageOf(route.page, workspace !== null)
  useWayKeys()
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
        <Shown key={`${workspace?.key} ${shown.page}`} shown={shown} route={route} />
      </AppShell.Main>
      <AppShell.Footer className={css.status}>
        <EngineStatus />
      </AppShell.Footer>
      <Notices />
    </AppShell>
  )
}

function Shown({ shown, route }: { readonly shown: AnyPage; readonly route: Route }): ReactNode {
  // The table pairs each page with its route; home stands in for a page that cannot be shown now.
  const Page = shown.Page as React.ComponentType<{ readonly route: Route }>
  return <Page route={route.page === shown.page ? route : { page: 'home' }} />
}

function useMenuCommands(): void {
  useStudioEvent('menu.command', ({ command }) => {
    showPage(command === 'showHome' ? 'home' : command === 'showRuns' ? 'runs' : 'images')
    if (command === 'importFolder') attempt(() => request('images.pickFolder', {}))
    if (command === 'find') setTimeout(() => document.getElementById('image-search')?.focus())
  })
}
