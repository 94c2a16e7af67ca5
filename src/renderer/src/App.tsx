// The shell: navigation at the left, the page, and a status line that says how the engine is doing.
import { SegmentedControl, VisuallyHidden } from '@mantine/core'
import { IconDeviceDesktop, IconHome, IconMoon, IconPhoto, IconRoute, IconSun } from '@tabler/icons-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import type { Appearance } from '../../shared/settings.ts'
import { request, useAppState, useStudioEvent } from './api.ts'
import { useAttempt } from './attempt.ts'
import { EngineStatus } from './components/EngineStatus.tsx'
import { ReadingBanner } from './components/InUseDialog.tsx'
import { formatCount } from './format.ts'
import { Home } from './pages/Home.tsx'
import { Images } from './pages/Images.tsx'
import { Runs } from './pages/Runs.tsx'
import { type Page, placeIn, rememberPlace } from './place.ts'

const titles: Readonly<Record<Page, string>> = { home: 'Home', images: 'Images', runs: 'Runs' }

export function App(): ReactNode {
  const { workspace, version } = useAppState()
  const key = workspace?.key ?? null
  const [page, setPage] = useState<Page>(() => placeIn(key).page)
  const attempt = useAttempt()
  const shown: Page = workspace ? page : 'home'

  useEffect(() => {
    document.title = [titles[shown], workspace?.name, 'FiSAO Studio'].filter(Boolean).join(' – ')
  }, [shown, workspace?.name])

  // Opening a workspace leads to its images, or to its runs when one goes on; closing it leads home.
  const shownKey = useRef(key)
  const opensAtRuns = useRef(false)
  useEffect(() => {
    if (shownKey.current === key) return
    shownKey.current = key
    setPage(key !== null && opensAtRuns.current ? 'runs' : placeIn(key).page)
    opensAtRuns.current = false
  }, [key])
  useEffect(() => rememberPlace({ workspaceKey: key, page: shown }), [key, shown])

  const goOn = (path: string): Promise<unknown> => {
    opensAtRuns.current = true
    return request('workspace.goOn', { path }).catch((thrown: unknown) => {
      opensAtRuns.current = false
      throw thrown
    })
  }

  useStudioEvent('menu.command', ({ command }) => {
    if (command === 'showHome') setPage('home')
    else if (command === 'showRuns') setPage('runs')
    else setPage('images')
    if (command === 'importFolder') attempt(() => request('images.pickFolder', {}))
    if (command === 'find') setTimeout(() => document.getElementById('image-search')?.focus())
  })

  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        Skip to the page
      </a>
      <nav className="navigation" aria-label="Pages">
        <div className="brand">
          <Mark />
          <span>FiSAO Studio</span>
        </div>
        <NavButton
          icon={<IconHome size={18} />}
          label="Home"
          isShown={shown === 'home'}
          onOpen={() => setPage('home')}
        />
        <NavButton
          icon={<IconPhoto size={18} />}
          label="Images"
          {...(workspace && { note: formatCount(workspace.imageCount) })}
          isShown={shown === 'images'}
          isDisabled={!workspace}
          onOpen={() => setPage('images')}
        />
        <NavButton
          icon={<IconRoute size={18} />}
          label="Runs"
          isShown={shown === 'runs'}
          isDisabled={!workspace}
          onOpen={() => setPage('runs')}
        />
        <div className="navigation-end">
          <AppearanceControl />
          <p className="version">Version {version}</p>
        </div>
      </nav>
      <main className="page" id="main" tabIndex={-1}>
        <ReadingBanner />
        {shown === 'home' || !workspace ? (
          <Home onShowImages={() => setPage('images')} onGoOn={goOn} />
        ) : shown === 'runs' ? (
          <Runs key={workspace.key} onShowImages={() => setPage('images')} />
        ) : (
          <Images key={workspace.key} workspaceKey={workspace.key} />
        )}
      </main>
      <EngineStatus />
    </div>
  )
}

interface NavButtonProps {
  readonly icon: ReactNode
  readonly label: string
  readonly note?: string
  readonly isShown: boolean
  readonly isDisabled?: boolean
  readonly onOpen: () => void
}

function NavButton({ icon, label, note, isShown, isDisabled = false, onOpen }: NavButtonProps): ReactNode {
  return (
    <button
      type="button"
      className="navigation-link"
      disabled={isDisabled}
      {...(isShown && { 'aria-current': 'page' as const })}
      onClick={onOpen}
    >
      {icon}
      <span>{label}</span>
      {note && (
        <span className="navigation-note" aria-hidden="true">
          {note}
        </span>
      )}
    </button>
  )
}

const appearances: readonly { value: Appearance; label: string; icon: typeof IconSun }[] = [
  { value: 'system', label: 'As the system', icon: IconDeviceDesktop },
  { value: 'light', label: 'Light', icon: IconSun },
  { value: 'dark', label: 'Dark', icon: IconMoon },
]

function AppearanceControl(): ReactNode {
  const { appearance } = useAppState()
  const attempt = useAttempt()
  return (
    <SegmentedControl
      aria-label="Appearance"
      size="xs"
      fullWidth
      value={appearance}
      onChange={(value) => attempt(() => request('app.setAppearance', { appearance: value as Appearance }))}
      data={appearances.map(({ value, label, icon: Icon }) => ({
        value,
        label: (
          <span title={label} className="appearance-choice">
            <Icon size={15} aria-hidden />
            <VisuallyHidden>{label}</VisuallyHidden>
          </span>
        ),
      }))}
    />
  )
}

/** The product's mark: a picture with one word set right in it. */
function Mark(): ReactNode {
  return (
    <svg width="26" height="26" viewBox="0 0 26 26" aria-hidden="true">
      <rect x="1" y="1" width="24" height="24" rx="6" fill="var(--accent)" />
      <path d="M5 18.5l5-6 3.5 4 3-3.5 4.5 5.5z" fill="#fff" opacity="0.92" />
      <rect x="5" y="5.5" width="6" height="2.4" rx="1.2" fill="#fff" opacity="0.6" />
      <rect x="12.5" y="5.5" width="8.5" height="2.4" rx="1.2" fill="#ffd43b" />
    </svg>
  )
}
