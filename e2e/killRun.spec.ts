// The whole app is killed in the middle of a run: opened again, it goes on by itself and ends, byte for byte, where a
// run without a break ends. src/main/engine/resume.test.ts kills the engine's process the same way, and more often.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { runAndKill } from './kill.ts'
import type { RunLook } from './runFile.ts'
import { expect, onRuntime, test } from './studio.ts'

/** When the app is killed: in its start, and once these steps are committed and the next one is under way. */
const killedAfter = [null, 0, 1, 3]

test('a run goes on by itself after the app was killed, to the same bytes', async ({ launch, folder }) => {
  test.setTimeout(300_000)
  const look = async (name: string): Promise<RunLook> =>
    JSON.parse(await onRuntime('e2e/runFile.ts', 'look', join(folder, name)))
  const toTheEnd = async (name: string): Promise<RunLook> => {
    const { app, page } = await launch({ args: [join(folder, name)] })
    await page.getByRole('button', { name: 'Runs' }).click()
    await expect(page.getByRole('region', { name: 'Result' })).toBeVisible({ timeout: 120_000 })
    await app.close()
    return await look(name)
  }

  await onRuntime('e2e/runFile.ts', 'begin', join(folder, 'whole.fisao'))
  const whole = await toTheEnd('whole.fisao')
  expect(whole).toMatchObject({ state: 'complete', step: 4 })

  await onRuntime('e2e/runFile.ts', 'begin', join(folder, 'killed.fisao'))
  const args = [`--user-data-dir=${join(folder, 'user data')}`, join(folder, 'killed.fisao')]
  for (const step of killedAfter) {
    await runAndKill(args, async () => {
      while (step !== null && ((await look('killed.fisao')).step ?? -1) < step) await delay(100)
      await delay(step === null ? 1500 : 300)
    })
  }
  expect(await toTheEnd('killed.fisao')).toEqual(whole)
})
