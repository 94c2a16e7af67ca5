// Settings against a real store of answers.
import { QueryObserver } from '@tanstack/react-query'
import { expect, test } from 'vitest'
import type { SettingsView } from '../../../shared/settings.ts'
import { makeQueryClient } from './client.ts'
import { keepSettings } from './everywhere.ts'
import { keys } from './keys.ts'

const withThreads = (threads: number | null) => ({ chosen: { device: null, threads } }) as SettingsView

test('what was set while the settings were asked for anew is shown, and not the answer of before', async () => {
  const client = makeQueryClient()
  client.setQueryData(keys.settingsView(null), withThreads(null))
  // The devices have been measured meanwhile: asked before the change, answered after it.
  let answerFirst = (_: SettingsView): void => undefined
  let asked = 0
  const queryFn = () => {
    asked++
    return asked === 1 ? new Promise<SettingsView>((resolve) => (answerFirst = resolve)) : withThreads(2)
  }
  const shown = new QueryObserver(client, { queryKey: keys.settingsView(7), queryFn })
  const stop = shown.subscribe(() => undefined)
  await expect.poll(() => asked).toBe(1)
  keepSettings(client, withThreads(2))
  answerFirst(withThreads(null))
  await expect.poll(() => asked).toBe(2)
  await expect.poll(() => shown.getCurrentResult().data).toEqual(withThreads(2))
  expect(client.getQueryData(keys.settingsView(null))).toEqual(withThreads(2))
  stop()
  client.clear()
})
