// The pages there are: one entry adds a page to the window and to the navigation.
import {
  IconBox,
  IconChartBar,
  IconHome,
  IconMessageQuestion,
  IconPhoto,
  IconPhotoScan,
  IconRoute,
  IconSettings,
} from '@tabler/icons-react'
import type { ComponentType } from 'react'
import type { PageName, RouteTo } from '../route.ts'
import { Evaluate } from './Evaluate.tsx'
import { Home } from './Home.tsx'
import { Images } from './Images.tsx'
import { Inspector } from './Inspector.tsx'
import { Models } from './Models.tsx'
import { NewRun } from './NewRun.tsx'
import { Runs } from './Runs.tsx'
import { Settings } from './Settings.tsx'
import { Try } from './Try.tsx'

interface PageEntry<P extends PageName> {
  readonly page: P
  readonly label: string
  readonly icon: typeof IconHome
  /** Such a page is made anew for each opening of a workspace. */
  readonly needsWorkspace: boolean
  /** Not for pages that show one thing which must be chosen first, as the inspector does. */
  readonly isInNavigation: boolean
  readonly Page: ComponentType<{ readonly route: RouteTo<P> }>
}
export type AnyPage = { [P in PageName]: PageEntry<P> }[PageName]

/** In the order of the navigation. */
export const pages: readonly AnyPage[] = [
  { page: 'home', label: 'Home', icon: IconHome, needsWorkspace: false, isInNavigation: true, Page: Home },
  { page: 'images', label: 'Images', icon: IconPhoto, needsWorkspace: true, isInNavigation: true, Page: Images },
  {
    ...{ page: 'inspector', label: 'Inspector', icon: IconPhotoScan, needsWorkspace: true, isInNavigation: false },
    Page: Inspector,
  },
  { page: 'runs', label: 'Runs', icon: IconRoute, needsWorkspace: true, isInNavigation: true, Page: Runs },
  { page: 'try', label: 'Try it', icon: IconMessageQuestion, needsWorkspace: true, isInNavigation: true, Page: Try },
  {
    ...{ page: 'evaluate', label: 'Evaluate', icon: IconChartBar, needsWorkspace: true, isInNavigation: true },
    Page: Evaluate,
  },
  { page: 'models', label: 'Models', icon: IconBox, needsWorkspace: true, isInNavigation: true, Page: Models },
  {
    ...{ page: 'settings', label: 'Settings', icon: IconSettings, needsWorkspace: false, isInNavigation: true },
    Page: Settings,
  },
  {
    ...{ page: 'new-run', label: 'New run', icon: IconRoute, needsWorkspace: true, isInNavigation: false },
    Page: NewRun,
  },
]

const home = pages[0] as AnyPage

/** The page of a route; home where there is none of that name, or where it needs a workspace and none is open. */
export function pageOf(page: PageName, hasWorkspace: boolean): AnyPage {
  const entry = pages.find((one) => one.page === page)
  return entry && (hasWorkspace || !entry.needsWorkspace) ? entry : home
}
