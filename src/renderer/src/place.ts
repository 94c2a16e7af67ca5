// Where the person is: kept beside the page, so that one that has to be drawn again (main's windowCare.ts) comes up
// with the same page and run.
import type { RunId } from '../../shared/domain.ts'

export type Page = 'home' | 'images' | 'runs'

export interface Place {
  /** The opening of a workspace that this is in; null where none is open. */
  readonly workspaceKey: string | null
  readonly page: Page
  /** The run that was chosen on the page of runs; null for the one that is shown by itself. */
  readonly runId: RunId | null
}

const storageKey = 'place'
const atTheStart: Place = { workspaceKey: null, page: 'home', runId: null }
const stored = sessionStorage.getItem(storageKey)
// Only this page and the one before it write here, and the storage ends with the window.
let place: Place = stored === null ? atTheStart : (JSON.parse(stored) as Place)

/** Where the person is; in another opening of a workspace than the last one, at its images. */
export function placeIn(workspaceKey: string | null): Place {
  if (place.workspaceKey !== workspaceKey) {
    place = { workspaceKey, page: workspaceKey === null ? 'home' : 'images', runId: null }
  }
  return place
}

export function rememberPlace(change: Partial<Place>): void {
  place = { ...place, ...change }
  sessionStorage.setItem(storageKey, JSON.stringify(place))
}
