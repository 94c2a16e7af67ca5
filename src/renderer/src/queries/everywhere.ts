// What every page may show: what is under way, the load of the machine, the app's own settings.
import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Activity } from '../../../shared/activity.ts'
import type { AppLoad } from '../../../shared/appLoad.ts'
import type { Params, Result } from '../../../shared/contract.ts'
import type { SettingsView } from '../../../shared/settings.ts'
import { request, useAppState } from '../api.ts'
import { keys } from './keys.ts'

const loadEveryMs = 1000
const none: readonly Activity[] = []

/** Everything long that is under way or waits; invalidate.ts keeps it current. */
export function useActivities(): readonly Activity[] {
  const { data } = useQuery({ queryKey: keys.activities(), queryFn: () => request('activity.list', {}) })
  return data ?? none
}

/** The load, asked once a second while it is shown; null before the first answer and while it is not. */
export function useLoad(isShown: boolean): AppLoad | null {
  const { data } = useQuery({
    queryKey: keys.load(),
    queryFn: () => request('app.load', {}),
    enabled: isShown,
    refetchInterval: loadEveryMs,
  })
  return isShown ? (data ?? null) : null
}

/** The settings page; null before the first answer. Asked again when the devices have been measured. */
export function useSettings(): SettingsView | null {
  const { hardware } = useAppState()
  const { data } = useQuery({
    queryKey: keys.settingsView(hardware?.measuredAtMs ?? null),
    queryFn: () => request('settings.get', {}),
  })
  return data ?? null
}

/** Changes settings; resolves with what does not take effect at once. */
export function useSetSettings(): (
  changes: Params<'settings.set'>['changes'],
) => Promise<Result<'settings.set'>['note']> {
  const client = useQueryClient()
  return async (changes) => {
    const { settings, note } = await request('settings.set', { changes })
    keepSettings(client, settings)
    return note
  }
}

/** What was set is shown; an answer that is on its way, asked for before it, counts no more. */
export function keepSettings(client: QueryClient, settings: SettingsView): void {
  client.setQueriesData({ queryKey: keys.settingsViews() }, settings)
  void client.invalidateQueries({ queryKey: keys.settingsViews() })
}

/** Bytes of what is kept only to be faster; null before the first answer. */
export function useCacheSize(): { readonly sizeBytes: number | null; readonly again: () => Promise<unknown> } {
  const { data, refetch } = useQuery({ queryKey: keys.cacheSize(), queryFn: () => request('settings.cacheSize', {}) })
  return { sizeBytes: data?.sizeBytes ?? null, again: refetch }
}
