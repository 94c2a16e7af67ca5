// Where the person is, the way they came and what pages keep when they are left: for the workspace that is open, and
// stored beside the page, so that one that has to be drawn again (main's windowCare.ts) comes up as it was.
import { useCallback, useSyncExternalStore } from 'react'
import { z } from 'zod'
import { appState, onAppState } from './api.ts'
import {
  go,
  type History,
  historySchema,
  lastOf,
  type PageName,
  type Route,
  type RouteRequest,
  replace,
  routeOf,
  routeSchema,
  startAt,
  visit,
} from './route.ts'

const placeSchema = z.object({
  /** The opening of a workspace that this is in; null where none is open. */
  workspaceKey: z.string().nullable(),
  /** When it was opened. */
  sinceMs: z.number(),
  history: historySchema,
  /** What pages keep, by name. */
  kept: z.record(z.string(), z.unknown()),
})
type Place = z.infer<typeof placeSchema>

const storageKey = 'place'
const listeners = new Set<() => void>()
let place: Place = storedPlace() ?? placeAtTheStart(null)
/** Where the next workspace that opens leads, when not to its images. */
let opensAt: PageName | null = null

/** Follows the workspace: each opening starts at its images, closing leads home. Called once, before the first render. */
export function connectPlace(): void {
  enter(appState().workspace?.key ?? null)
  onAppState(({ workspace }) => enter(workspace?.key ?? null))
}

function enter(workspaceKey: string | null): void {
  if (place.workspaceKey === workspaceKey) return
  setPlace(placeAtTheStart(workspaceKey, opensAt))
  opensAt = null
}

/** Opens a workspace by `work` and shows this page of it instead of its images. */
export async function openAt<T>(page: 'runs', work: () => Promise<T>): Promise<T> {
  opensAt = page
  try {
    return await work()
  } catch (thrown) {
    opensAt = null
    throw thrown
  }
}

function placeAtTheStart(workspaceKey: string | null, page: PageName | null = null): Place {
  const first = workspaceKey === null ? 'home' : (page ?? 'images')
  return { workspaceKey, sinceMs: Date.now(), history: startAt(routeSchema.parse({ page: first })), kept: {} }
}

function storedPlace(): Place | null {
  try {
    return placeSchema.safeParse(JSON.parse(sessionStorage.getItem(storageKey) ?? 'null')).data ?? null
  } catch {
    // Cut short or of another version: only the way back is lost by it.
    return null
  }
}

function setPlace(next: Place): void {
  if (next === place) return
  place = next
  sessionStorage.setItem(storageKey, JSON.stringify(place))
  for (const listener of listeners) listener()
}

function setHistory(history: History): void {
  if (history !== place.history) setPlace({ ...place, history })
}

/** Shows a route. `replaces`: going back does not lead to the one that was shown before. */
export function navigate(route: RouteRequest, { replaces = false }: { readonly replaces?: boolean } = {}): void {
  setHistory((replaces ? replace : visit)(place.history, routeSchema.parse(route)))
}

/** Shows a page as it was left. */
export function showPage(page: Exclude<PageName, 'inspector'>): void {
  navigate(lastOf(place.history, page) ?? { page })
}

export function goBack(): void {
  setHistory(go(place.history, -1))
}

export function goForward(): void {
  setHistory(go(place.history, 1))
}

/** When the workspace that is shown was opened. */
export function keptSince(): number {
  return place.sinceMs
}

export function currentRoute(): Route {
  return routeOf(place.history)
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, currentRoute)
}

/** Whether there is something to go back and forward to. */
export function useWays(): { readonly canGoBack: boolean; readonly canGoForward: boolean } {
  const { entries, index } = useSyncExternalStore(subscribe, () => place.history)
  return { canGoBack: index > 0, canGoForward: index < entries.length - 1 }
}

/** Keeps a value until the workspace closes, without drawing anything again. */
export function keep(name: string, value: unknown): void {
  place = { ...place, kept: { ...place.kept, [name]: value } }
  sessionStorage.setItem(storageKey, JSON.stringify(place))
}

/** What was kept by this name; `initial` where it is nothing that the schema knows. */
export function keptValue<T>(name: string, schema: z.ZodType<T>, initial: T): T {
  const { success, data } = schema.safeParse(place.kept[name])
  return success ? data : initial
}

/** State that is found again when its page is shown again. `name` is unique in the window. */
export function useKept<T>(name: string, schema: z.ZodType<T>, initial: T): [T, (value: T) => void] {
  const raw = useSyncExternalStore(subscribe, () => place.kept[name])
  const { success, data } = schema.safeParse(raw)
  const set = useCallback((value: T) => setPlace({ ...place, kept: { ...place.kept, [name]: value } }), [name])
  return [success ? data : initial, set]
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
