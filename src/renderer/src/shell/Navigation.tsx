// The left side of the window: back and forward, the pages, the appearance.
import { ActionIcon, NavLink, SegmentedControl, Tooltip, VisuallyHidden } from '@mantine/core'
import { IconArrowLeft, IconArrowRight, IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { Appearance } from '../../../shared/settings.ts'
import { request, useAppState } from '../api.ts'
import { attempt } from '../attempt.ts'
import { formatCount } from '../format.ts'
import { pages } from '../pages/table.tsx'
import { goBack, goForward, showPage, useWays } from '../place.ts'
import type { PageName } from '../route.ts'
import css from './Navigation.module.css'
import { keyWords } from './onMac.ts'
import { Tour, useTour } from './Tour.tsx'

/** Pages that stand behind another one of the navigation. */
const belongsTo: Partial<Record<PageName, PageName>> = { inspector: 'images', 'new-run': 'runs' }

export function Navigation({ shown }: { readonly shown: PageName }): ReactNode {
  const { workspace, version } = useAppState()
  const tour = useTour()
  return (
    <>
      <div className={css.brand}>
        <Mark />
        <span>FiSAO Studio</span>
      </div>
      <Ways />
      {pages.map(({ page, label, icon: Icon, needsWorkspace, isInNavigation }) => {
        if (!isInNavigation || page === 'inspector') return null
        const isShown = page === (belongsTo[shown] ?? shown)
        const isOff = needsWorkspace && !workspace
        return (
          <NavLink
            key={page}
            component="button"
            type="button"
            className={css.navigationLink}
            label={label}
            leftSection={<Icon size={18} aria-hidden="true" />}
            {...(page === 'images' && workspace && { rightSection: <Note count={workspace.imageCount} /> })}
            active={isShown}
            data-toured={tour.page === page}
            {...(isShown && { 'aria-current': 'page' as const })}
            disabled={isOff}
            aria-disabled={isOff}
            onClick={() => !isOff && showPage(page)}
          />
        )
      })}
      <Tour tour={tour} />
      <div className={css.navigationEnd}>
        <AppearanceControl />
        <p className={css.version}>Version {version}</p>
      </div>
    </>
  )
}

function Note({ count }: { readonly count: number }): ReactNode {
  return (
    <span className={css.navigationNote} aria-hidden="true">
      {formatCount(count)}
    </span>
  )
}

/** Back and forward along the pages that were shown. */
function Ways(): ReactNode {
  const { canGoBack, canGoForward } = useWays()
  return (
    <div className={css.ways}>
      <Tooltip label={`Back (${keyWords('back')})`}>
        <ActionIcon variant="subtle" color="gray" aria-label="Back" disabled={!canGoBack} onClick={goBack}>
          <IconArrowLeft size={18} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label={`Forward (${keyWords('forward')})`}>
        <ActionIcon variant="subtle" color="gray" aria-label="Forward" disabled={!canGoForward} onClick={goForward}>
          <IconArrowRight size={18} />
        </ActionIcon>
      </Tooltip>
    </div>
  )
}

const appearances: readonly { value: Appearance; label: string; icon: typeof IconSun }[] = [
  { value: 'system', label: 'As the system', icon: IconDeviceDesktop },
  { value: 'light', label: 'Light', icon: IconSun },
  { value: 'dark', label: 'Dark', icon: IconMoon },
]

function AppearanceControl(): ReactNode {
  const { appearance } = useAppState()
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
          <span title={label} className={css.appearanceChoice}>
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
