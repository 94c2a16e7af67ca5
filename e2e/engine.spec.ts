// The engine process: measured at the start, back by itself after it was killed, WebGPU on a software adapter.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { _electron } from '@playwright/test'
import { electronLaunchOptions } from '../scripts/launch.ts'
import { setUp } from '../scripts/setup.ts'
import { randomNumbers } from './kill.ts'
import { expect, processOf, test } from './studio.ts'

test('the engine that is killed comes back by itself, and the window says so', async ({ studio }) => {
  const { page } = studio
  const status = page.getByRole('status', { name: 'Engine status' })
  await expect(status).toContainText('Engine ready on')
  const pid = await page.evaluate(async () => {
    const answer = await window.studio.request('app.state', {})
    return answer.ok ? answer.value.engine.pid : null
  })
  process.kill(pid ?? 0, 'SIGKILL')
  await expect(status).toContainText('The engine stopped and was started again; nothing stored was lost.')
  await expect(status).toContainText('Engine ready on')
})

// With n = 20 at any time: FISAO_KILLS=20 FISAO_KILL_SEED=41 npx playwright test engine
const kills = Number(process.env.FISAO_KILLS ?? 2)
const seed = Number(process.env.FISAO_KILL_SEED ?? 41)

test(`an engine killed at ${kills} random moments of its first second is ready within 30 seconds`, async ({
  folder,
}) => {
  test.setTimeout(60_000 + kills * 40_000)
  process.stdout.write(`moments by the seed ${seed}\n`)
  const random = randomNumbers(seed)
  for (let kill = 1; kill <= kills; kill++) {
    const app = await _electron.launch(await electronLaunchOptions({ userDataDir: join(folder, `kill ${kill}`) }))
    const pid = await processOf(app, 'engine')
    const afterMs = Math.round(random() * 1000)
    await delay(afterMs)
    process.kill(pid, 'SIGKILL')
    const status = (await app.firstWindow()).getByRole('status', { name: 'Engine status' })
    await expect(status, `killed after ${afterMs} ms`).toContainText('was started again', { timeout: 30_000 })
    await expect(status, `killed after ${afterMs} ms`).toContainText('Engine ready on', { timeout: 30_000 })
    await app.close()
  }
})

test('the hardware card shows what was measured', async ({ studio }) => {
  const table = studio.page.getByRole('table', { name: 'Devices' })
  await expect(table.getByRole('row', { name: /Processor chosen/ })).toContainText('GFLOP/s')
  await studio.page.getByRole('button', { name: 'Measure again' }).click()
  await expect(table.getByRole('row', { name: /Processor chosen/ })).toContainText('It computes correctly')
})

test('WebGPU opens and computes correctly on the software adapter', async ({ launch }) => {
  const { distPath } = await setUp()
  const adapter = join(distPath, 'vk_swiftshader_icd.json')
  test.skip(!existsSync(adapter), 'this runtime carries no software adapter')
  const { page } = await launch({ env: { VK_ICD_FILENAMES: adapter, LD_LIBRARY_PATH: distPath } })
  const row = page.getByRole('table', { name: 'Devices' }).getByRole('row', { name: /WebGPU/ })
  // A layer, its gradients and products of 8 and 4 bits: the software adapter compiles each kind of op for it.
  test.setTimeout(180_000)
  await expect(row).toContainText('A layer and its gradients are within', { timeout: 120_000 })
})
