// The renderer's client of the contract: requests that throw a StudioError, and the app's state as a store.
import { useEffect, useEffectEvent, useSyncExternalStore } from 'react'
import type { AppState, Channel, EventPayload, Params, Result, StudioEvent } from '../../shared/contract.ts'
import { StudioError } from '../../shared/errors.ts'

/**
 * Asks main.
 * @throws StudioError with what happened and what to do
 */
export async function request<C extends Channel>(channel: C, params: Params<C>): Promise<Result<C>> {
  const answer = await window.studio.request(channel, params)
  if (answer.ok) return answer.value
  throw new StudioError(answer.error)
}

/** Calls `listener` for each event of this kind while the component is shown. */
export function useStudioEvent<E extends StudioEvent>(event: E, listener: (payload: EventPayload<E>) => void): void {
  const onEvent = useEffectEvent(listener)
  useEffect(() => window.studio.subscribe(event, (payload) => onEvent(payload)), [event])
}

let state: AppState | null = null
const stateListeners = new Set<(state: AppState, before: AppState | null) => void>()

function setAppState(next: AppState): void {
  const before = state
  state = next
  for (const listener of stateListeners) listener(next, before)
}

/** Loads the app's state and keeps it current; called once, before the first render. */
export async function connectAppState(): Promise<void> {
  window.studio.subscribe('app.stateChanged', setAppState)
  const first = await request('app.state', {})
  if (state === null) setAppState(first)
}

/** Calls `listener` at each change, until the returned function is called. */
export function onAppState(listener: (state: AppState, before: AppState | null) => void): () => void {
  stateListeners.add(listener)
  return () => stateListeners.delete(listener)
}

/** The app's state as it is now. */
export function appState(): AppState {
  if (state === null) throw new Error('the app state is used before connectAppState has loaded it')
  return state
}

/** The app's state. */
export function useAppState(): AppState {
  return useSyncExternalStore(onAppState, appState)
}

/** The opening of a workspace that is shown; null where none is open. */
export function useWorkspaceKey(): string | null {
  return useAppState().workspace?.key ?? null
}
