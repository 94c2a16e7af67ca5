// The renderer starts here: styles, state, then the app.
import '@fontsource-variable/inter/wght.css'
import '@mantine/core/styles.css'
import './styles.css'
import { MantineProvider } from '@mantine/core'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { toErrorRecord } from '../../shared/errors.ts'
import { App } from './App.tsx'
import { connectAppState } from './api.ts'
import { NoStart } from './components/NoStart.tsx'
import { NoticesProvider } from './components/Notices.tsx'
import { theme } from './theme.ts'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no element named root')
const problem = await connectAppState().then(
  () => null,
  (thrown: unknown) => toErrorRecord(thrown),
)
createRoot(root).render(
  <StrictMode>
    {/* Main sets the theme for the whole app, so the page only follows the system's colour scheme. */}
    <MantineProvider theme={theme} defaultColorScheme="auto">
      {problem ? (
        <NoStart problem={problem} />
      ) : (
        <NoticesProvider>
          <App />
        </NoticesProvider>
      )}
    </MantineProvider>
  </StrictMode>,
)
