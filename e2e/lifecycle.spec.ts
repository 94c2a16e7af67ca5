// Long work lives, and a person is told: the window's page and the graphics process are killed in the middle of a run,
// closing asks, the next start offers to go on, and the computer is told how the run is doing.
import { once } from 'node:events'
import { chmodSync, existsSync, lstatSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ElectronApplication } from '@playwright/test'
import { runAndKill } from './kill.ts'
import type { RunLook } from './runFile.ts'
import { createWorkspace, expect, makeWorkspace, onRuntime, processOf, type Studio, test } from './studio.ts'

const runIsLive = 'Step '

/** Starts the app with a workspace whose run begins at once, and shows its runs. */
async function startRun(launch: (options: { args: string[] }) => Promise<Studio>, path: string): Promise<Studio> {
  await makeWorkspace(path, 'e2e/runFile.ts', 'begin', path)
  const studio = await launch({ args: [path] })
  await studio.page.getByRole('button', { name: 'Runs' }).click()
  await expect(studio.page.getByRole('button', { name: 'Pause' })).toBeVisible({ timeout: 30_000 })
  return studio
}

/** Evaluates in the window's page, also in one that was drawn again, which Playwright lost sight of. */
function inPage(app: ElectronApplication, script: string): Promise<unknown> {
  return app.evaluate(({ BrowserWindow }, code) => {
    const answer = BrowserWindow.getAllWindows()[0]?.webContents.executeJavaScript(code)
    // A page that is gone never answers.
    const giveUp = new Promise((resolve) => setTimeout(resolve, 2000, 'no answer'))
    return Promise.race([answer, giveUp]).catch((thrown: unknown) => String(thrown))
  }, script)
}

/** Answers questions with the button of this number, and keeps what was asked. */
async function answerQuestions(
  app: ElectronApplication,
  response: number,
  afterMs = 0,
): Promise<() => Promise<string[]>> {
  const plan = { response, afterMs }
  await app.evaluate(({ dialog }, { response, afterMs }) => {
    const asked: string[] = []
    Object.assign(globalThis, { asked })
    dialog.showMessageBox = (...args: unknown[]) => {
      const { message, detail, buttons } = args.at(-1) as { message: string; detail: string; buttons: string[] }
      asked.push([message, detail, ...buttons].join(' | '))
      return new Promise((resolve) => setTimeout(resolve, afterMs, { response, checkboxChecked: false }))
    }
  }, plan)
  return () => app.evaluate(() => (globalThis as unknown as { asked: string[] }).asked)
}

const closeWindow = (app: ElectronApplication): Promise<void> =>
  app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close())

test('a page that crashes or is killed in the middle of a run comes back to where it was', async ({
  launch,
  folder,
}) => {
  test.setTimeout(180_000)
  const path = join(folder, 'crash.fisao')
  const { app } = await startRun(launch, path)
  const comesBack = async (): Promise<void> => {
    await expect
      .poll(() => inPage(app, 'document.body.innerText'), { timeout: 30_000 })
      .toContain('The window had to be drawn again.')
    expect(await inPage(app, 'document.title')).toBe('Runs – crash – FiSAO Studio')
    await expect.poll(() => inPage(app, 'document.body.innerText')).toContain(runIsLive)
  }
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.forcefullyCrashRenderer())
  await comesBack()
  process.kill(
    await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.getOSProcessId() ?? 0),
    'SIGKILL',
  )
  await comesBack()
  const gpu = await processOf(app, 'GPU')
  process.kill(gpu, 'SIGKILL')
  await expect.poll(() => processOf(app, 'GPU'), { timeout: 30_000 }).not.toBe(gpu)
  expect(await inPage(app, 'document.title')).toBe('Runs – crash – FiSAO Studio')

  await expect.poll(() => inPage(app, 'document.body.innerText'), { timeout: 120_000 }).toContain('Complete')
  await app.close()
  expect(JSON.parse(await onRuntime('e2e/runFile.ts', 'look', path))).toMatchObject({ state: 'complete', step: 4 })
})

test('a graphics process that ends again and again does not end the app', async ({ studio, folder }) => {
  const { app, page } = studio
  for (let end = 1; end <= 6; end++) {
    const pid = await processOf(app, 'GPU')
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => processOf(app, 'GPU')).not.toBe(pid)
  }
  await createWorkspace(studio, join(folder, 'drawn.fisao'))
  expect((await page.screenshot()).length).toBeGreaterThan(10_000)
})

test('a window that cannot be drawn asks how to go on, and names the log', async ({ studio, folder }) => {
  const { app } = studio
  const asked = await answerQuestions(app, 1, 3000)
  const ended = once(app.process(), 'exit')
  for (let crash = 1; crash <= 4; crash++) {
    await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.forcefullyCrashRenderer())
    if (crash < 4) await expect.poll(() => inPage(app, 'document.title'), { timeout: 30_000 }).toContain('FiSAO Studio')
    if (crash < 4) await expect.poll(() => inPage(app, 'document.body.innerText')).toContain('drawn again')
    else await expect.poll(asked).toEqual([expect.stringContaining(join(folder, 'user data', 'logs'))])
  }
  await ended
})

test('a window that does not answer is drawn again when the person wants it', async ({ studio }) => {
  const { app } = studio
  const asked = await answerQuestions(app, 1)
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.emit('unresponsive'))
  await expect.poll(() => inPage(app, 'document.body.innerText'), { timeout: 30_000 }).toContain('drawn again')
  expect(await asked()).toEqual([expect.stringContaining('The window does not answer.')])
})

test('closing in the middle of a run asks; the next start offers to go on', async ({ launch, folder }) => {
  test.setTimeout(180_000)
  const path = join(folder, 'work.fisao')
  const { app, page } = await startRun(launch, path)

  const keeping = await answerQuestions(app, 0)
  await closeWindow(app)
  await expect
    .poll(keeping)
    .toEqual([
      'A run is under way. | “short” will stop after the current step and goes on when you open the workspace again. | Keep it running | Stop for now and quit',
    ])
  await page.getByRole('button', { name: 'Home' }).click()
  await page.getByRole('button', { name: 'Close workspace' }).click()
  await expect.poll(async () => (await keeping()).length).toBe(2)
  await page.getByRole('button', { name: 'Open the demo' }).click()
  await expect.poll(async () => (await keeping()).at(-1)).toContain('Stop for now and open')
  await expect(page).toHaveTitle('Home – work – FiSAO Studio')

  await answerQuestions(app, 1)
  const ended = once(app.process(), 'exit')
  await closeWindow(app)
  await ended
  const before = JSON.parse(await onRuntime('e2e/runFile.ts', 'look', path)) as RunLook
  expect(before.state).toBe('running')

  const again = await launch()
  const offer = again.page.getByRole('region', { name: 'Unfinished run' })
  await expect(offer).toContainText('“short” is not finished')
  await expect(again.page).toHaveTitle('Home – FiSAO Studio')
  await offer.getByRole('button', { name: 'Go on' }).click()
  await expect(again.page).toHaveTitle('Runs – work – FiSAO Studio')
  await expect(again.page.getByRole('region', { name: 'Result' })).toBeVisible({ timeout: 120_000 })
  await again.page.getByRole('button', { name: 'Home' }).click()
  await again.page.getByRole('button', { name: 'Close workspace' }).click()
  await expect(again.page.getByRole('button', { name: 'Close workspace' })).toBeHidden()
  await expect(offer).toBeHidden()
})

test('the start after a kill offers to go on too; an offer that is declined is not made again', async ({
  launch,
  folder,
}) => {
  test.setTimeout(120_000)
  const path = join(folder, 'work.fisao')
  await makeWorkspace(path, 'e2e/runFile.ts', 'begin', path)
  await runAndKill([`--user-data-dir=${join(folder, 'user data')}`, path], async () => {
    while ((JSON.parse(await onRuntime('e2e/runFile.ts', 'look', path)) as RunLook).state !== 'running')
      await delay(100)
    await delay(500)
  })
  for (const isDeclined of [false, true]) {
    const { app, page } = await launch()
    const offer = page.getByRole('region', { name: 'Unfinished run' })
    if (!isDeclined) {
      await offer.getByRole('button', { name: 'Not now' }).click()
      await expect(offer).toBeHidden()
    } else {
      await expect(page.getByRole('button', { name: /^work/ })).toBeVisible()
      await expect(offer).toBeHidden()
    }
    await app.close()
  }
})

test('a signal ends the app without a question, also while one is open', async ({ launch, folder }) => {
  test.setTimeout(180_000)
  for (const isAsked of [false, true]) {
    const { app } = await startRun(launch, join(folder, `asked ${isAsked}.fisao`))
    // A question that nobody answers.
    await app.evaluate(({ dialog }) => {
      Object.assign(globalThis, { asked: 0 })
      dialog.showMessageBox = () => {
        Object.assign(globalThis, { asked: 1 })
        return new Promise(() => undefined)
      }
    })
    if (isAsked) await closeWindow(app)
    if (isAsked) await expect.poll(() => app.evaluate(() => (globalThis as unknown as { asked: number }).asked)).toBe(1)
    const ended = once(app.process(), 'exit')
    const startMs = performance.now()
    process.kill(app.process().pid ?? 0, 'SIGTERM')
    await ended
    expect(performance.now() - startMs).toBeLessThan(30_000)
  }
})

test('during a run the computer stays awake and shows how far it is; its end is told', async ({ launch, folder }) => {
  test.setTimeout(180_000)
  const path = join(folder, 'work.fisao')
  await makeWorkspace(path, 'e2e/runFile.ts', 'begin', path)
  const studio = await launch()
  const { app, page } = studio
  const isAwake = (): Promise<boolean> =>
    app.evaluate(({ powerSaveBlocker }) => [0, 1, 2, 3].some((id) => powerSaveBlocker.isStarted(id)))
  await app.evaluate(({ BrowserWindow, Notification }) => {
    const told: { progress: number[]; notifications: string[] } = { progress: [], notifications: [] }
    Object.assign(globalThis, { told })
    const window = BrowserWindow.getAllWindows()[0] as Electron.BrowserWindow
    window.setProgressBar = (share) => void told.progress.push(share)
    window.isFocused = () => false
    Notification.isSupported = () => true
    Notification.prototype.show = function show(this: Electron.Notification) {
      told.notifications.push(`${this.title}: ${this.body}`)
    }
  })
  const told = (): Promise<{ progress: number[]; notifications: string[] }> =>
    app.evaluate(() => (globalThis as unknown as { told: { progress: number[]; notifications: string[] } }).told)
  expect(await isAwake()).toBe(false)
  await app.evaluate(({ app: electron }, file) => electron.emit('second-instance', {}, [file]), path)
  await expect.poll(isAwake, { timeout: 30_000 }).toBe(true)
  await expect
    .poll(async () => (await told()).notifications, { timeout: 120_000 })
    // Over so few images a change may be chance; then that is said.
    .toEqual([expect.stringMatching(/^“short” is complete: (Its page shows what changed|Nothing changed|No step )/)])
  expect(await isAwake()).toBe(false)
  const { progress } = await told()
  expect(progress.at(-1)).toBe(-1)
  expect(progress.slice(0, -1)).toEqual([...progress.slice(0, -1)].sort((a, b) => a - b))
  expect(Math.max(...progress)).toBeGreaterThan(0.7)
  await expect(page.getByRole('status').filter({ hasText: '“short” is complete' })).toBeVisible()
  await createWorkspaceAfter(studio, join(folder, 'other.fisao'))
})

/** With no run under way, nothing is asked. */
async function createWorkspaceAfter(studio: Studio, path: string): Promise<void> {
  const asked = await answerQuestions(studio.app, 0)
  await studio.page.getByRole('button', { name: 'Home' }).click()
  await createWorkspace(studio, path)
  expect(await asked()).toEqual([])
}

test('what a killed app left in the temporary files goes at the next start, and nobody else reads its files', async ({
  launch,
  folder,
}) => {
  test.skip(process.platform !== 'linux', 'only there Chromium puts its socket into the temporary files')
  const userData = join(folder, 'user data')
  const link = join(userData, 'SingletonSocket')
  const isLink = (): boolean => lstatSync(link, { throwIfNoEntry: false }) !== undefined
  await runAndKill([`--user-data-dir=${userData}`], async () => {
    while (!isLink() || !existsSync(join(userData, 'logs', 'studio.log'))) await delay(50)
  })
  const left = dirname(readlinkSync(link))
  expect(existsSync(left)).toBe(true)
  writeFileSync(join(userData, 'settings.json.4711.tmp'), '{}')
  chmodSync(join(userData, 'logs', 'studio.log'), 0o644)

  const { app, page } = await launch()
  expect(existsSync(left)).toBe(false)
  expect(dirname(readlinkSync(link))).not.toBe(left)
  expect(existsSync(join(userData, 'settings.json.4711.tmp'))).toBe(false)
  await page.getByText('Dark', { exact: true }).locator('..').click()
  await expect.poll(() => existsSync(join(userData, 'settings.json'))).toBe(true)
  await app.close()
  const mode = (name: string): string => (lstatSync(join(userData, name)).mode & 0o777).toString(8)
  expect([mode('logs'), mode('logs/studio.log'), mode('settings.json')]).toEqual(['700', '600', '600'])
})

test('what nobody caught in main is shown and ends nothing', async ({ studio, folder }) => {
  const { app, page } = studio
  await app.evaluate(() => {
    setTimeout(() => {
      throw new Error('thrown on purpose')
    })
  })
  await expect(page.getByRole('alert')).toContainText('Something went wrong that FiSAO Studio did not foresee.')
  expect(readFileSync(join(folder, 'user data/logs/studio.log'), 'utf8')).toContain('thrown on purpose')
  await createWorkspace(studio, join(folder, 'after.fisao'))
})

test('a page that main cannot tell how things stand says why, and tries again', async ({ studio }) => {
  const { app, page } = studio
  await app.evaluate(({ ipcMain }) => {
    const error = { code: 'workspace.disk-full', message: 'The disk is full.', remedy: 'Make room.' }
    ipcMain.removeHandler('app.state')
    ipcMain.handle('app.state', () => ({ ok: false, error }))
  })
  await page.reload()
  await expect(page.getByRole('alert')).toContainText('The disk is full.')
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible()
})
