// The renderer starts here: styles, state, then the app.
import '@fontsource-variable/inter/wght.css'
import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import '@mantine/spotlight/styles.css'
import './styles.css'
import { MantineProvider } from '@mantine/core'
import { ModalsProvider } from '@mantine/modals'
import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { toErrorRecord } from '../../shared/errors.ts'
import { App } from './App.tsx'
import { appState, connectAppState, onAppState } from './api.ts'
import { connectPlace } from './place.ts'
import { makeQueryClient } from './queries/client.ts'
import { followEvents, followImages } from './queries/invalidate.ts'
import { NoStart } from './shell/NoStart.tsx'
import { theme } from './theme.ts'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no element named root')
const queryClient = makeQueryClient()
const problem = await connectAppState().then(
  () => null,
  (thrown: unknown) => toErrorRecord(thrown),
)
if (!problem) {
  connectPlace()
  followEvents(queryClient, {
    subscribe: window.studio.subscribe,
    workspaceKey: () => appState().workspace?.key ?? null,
  })
  onAppState(({ workspace }, before) => {
    if (workspace && workspace.imageCount !== before?.workspace?.imageCount) {
      followImages(queryClient, workspace.key)
    }
  })
}
createRoot(root).render(
  <StrictMode>
    {/* Main sets the theme for the whole app, so the page only follows the system's colour scheme. */}
    <MantineProvider theme={theme} defaultColorScheme="auto">
      {problem ? (
        <NoStart problem={problem} />
      ) : (
        <QueryClientProvider client={queryClient}>
          <ModalsProvider>
            <App />
          </ModalsProvider>
        </QueryClientProvider>
      )}
    </MantineProvider>
  </StrictMode>,
)
