// Workspaces through the real window: made, closed, opened again; and files that are none.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readdirSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { answerDialogs, createWorkspace, expect, onRuntime, test } from './studio.ts'

test('a workspace is made, closed and opened again, also after a restart', async ({ studio, launch, folder }) => {
  const path = join(folder, 'My pictures.fisao')
  await createWorkspace(studio, path)
  expect(existsSync(path)).toBe(true)
  await expect(studio.page.getByRole('heading', { name: 'Add a folder of images' })).toBeVisible()
  await expect(studio.page).toHaveTitle('Images – My pictures – FiSAO Studio')

  await studio.page.getByRole('button', { name: 'Home' }).click()
  await studio.page.getByRole('button', { name: 'Close workspace' }).click()
  await expect(studio.page.getByRole('button', { name: 'Close workspace' })).toBeHidden()
  await studio.page.getByRole('button', { name: /^My pictures/ }).click()
  await expect(studio.page).toHaveTitle('Images – My pictures – FiSAO Studio')
  await studio.app.close()

  const again = await launch()
  await again.page.getByRole('button', { name: /^My pictures/ }).click()
  await expect(again.page.getByRole('heading', { name: 'Add a folder of images' })).toBeVisible()
})

test('a click that began before a workspace closed counts', async ({ studio, folder }) => {
  await createWorkspace(studio, join(folder, 'first.fisao'))
  const { page } = studio
  await page.getByRole('button', { name: 'Home' }).click()
  await answerDialogs(studio, join(folder, 'second.fisao'))
  await page.getByRole('button', { name: 'New workspace' }).hover()
  await page.mouse.down()
  await page.evaluate(() => window.studio.request('workspace.close', {}))
  await expect(page.getByRole('button', { name: 'Close workspace' })).toBeHidden()
  await page.mouse.up()
  await expect(page).toHaveTitle('Images – second – FiSAO Studio')
})

test('a file that is no workspace gets one clear sentence and a remedy', async ({ studio, folder }) => {
  const path = join(folder, 'letter.fisao')
  writeFileSync(path, 'Dear Sir or Madam, '.repeat(100))
  await answerDialogs(studio, path)
  await studio.page.getByRole('button', { name: 'Open…' }).click()
  const alert = studio.page.getByRole('alert')
  await expect(alert).toContainText('This file is not a FiSAO Studio workspace.')
  await expect(alert).toContainText('Choose a file that FiSAO Studio made; its name ends in .fisao.')
  await studio.page.getByRole('button', { name: 'Close this message' }).click()
  await expect(alert).toBeHidden()
})

test('a damaged workspace is restored from its backup', async ({ studio, folder }) => {
  const path = join(folder, 'precious.fisao')
  await createWorkspace(studio, path)
  // The first backup is taken right after the first opening.
  await expect.poll(() => existsSync(join(folder, 'precious backups'))).toBe(true)
  await studio.page.getByRole('button', { name: 'Home' }).click()
  await studio.page.getByRole('button', { name: 'Close workspace' }).click()
  await expect(studio.page.getByRole('button', { name: 'Close workspace' })).toBeHidden()
  const file = openSync(path, 'r+')
  for (let page = 1; page < 20; page++) writeSync(file, Buffer.alloc(4096, 0xff), 0, 4096, page * 4096)

  await studio.page.getByRole('button', { name: /^precious/ }).click()
  await studio.page
    .getByRole('dialog', { name: 'This workspace is damaged' })
    .getByRole('button', { name: 'Close' })
    .click()
  // The same from the menu.
  await answerDialogs(studio, path)
  await studio.app.evaluate(({ Menu }) => {
    const items = Menu.getApplicationMenu()?.items.flatMap(({ submenu }) => submenu?.items ?? [])
    items?.find((item) => item.label === 'Open Workspace…')?.click()
  })
  const dialog = studio.page.getByRole('dialog', { name: 'This workspace is damaged' })
  await expect(dialog).toContainText('the damaged file is kept beside the new one.')
  await expect(dialog).toContainText('0 images, 0 runs')
  await dialog.getByRole('button', { name: 'Restore' }).first().click()
  await expect(studio.page).toHaveTitle('Images – precious – FiSAO Studio')
})

test('what can be read of a damaged workspace is kept, and what is lost is said first', async ({ studio, folder }) => {
  const path = join(folder, 'field trip.fisao')
  await onRuntime('e2e/workspaceFile.ts', 'make', path, '300')
  await answerDialogs(studio, path)
  await studio.page.getByRole('button', { name: 'Open…' }).click()
  await expect(studio.page).toHaveTitle('Images – field trip – FiSAO Studio')
  await expect.poll(() => existsSync(join(folder, 'field trip backups'))).toBe(true)
  await studio.page.getByRole('button', { name: 'Home' }).click()
  await studio.page.getByRole('button', { name: 'Close workspace' }).click()
  await expect(studio.page.getByRole('button', { name: 'Close workspace' })).toBeHidden()
  await onRuntime('e2e/workspaceFile.ts', 'damage', path)

  await studio.page.getByRole('button', { name: /^field trip/ }).click()
  const dialog = studio.page.getByRole('dialog', { name: 'This workspace is damaged' })
  await expect(dialog).toContainText('300 images, 0 runs')
  const words = (await dialog.getByText(/of 300 images, 0 runs and 0 responses\./).textContent()) ?? ''
  const kept = Number.parseInt(words, 10)
  expect(kept).toBeGreaterThan(250)
  expect(kept).toBeLessThan(300)
  await dialog.getByRole('button', { name: 'Recover' }).click()
  await expect(studio.page).toHaveTitle('Images – field trip – FiSAO Studio')
  await expect(studio.page.getByText(`${kept} images`).first()).toBeVisible()
  expect(readdirSync(folder).filter((name) => /^field trip damaged .*\.fisao$/.test(name))).toHaveLength(1)
})

test('a workspace that is gone is marked and can be taken off the list', async ({ launch, folder }) => {
  const settings = {
    recentWorkspaces: [
      { path: join(folder, 'gone.fisao'), name: 'gone', openedAtMs: 1, imageCount: 3 },
      { path: join(folder, 'pipe.fisao'), name: 'pipe', openedAtMs: 1, imageCount: 3 },
    ],
  }
  mkdirSync(join(folder, 'user data'))
  writeFileSync(join(folder, 'user data', 'settings.json'), JSON.stringify(settings))
  execFileSync('mkfifo', [join(folder, 'pipe.fisao')])
  const { page } = await launch()
  await expect(page.getByText('The file is no longer there')).toHaveCount(2)
  await page.getByRole('button', { name: 'Remove pipe from the list' }).click()
  await expect(page.getByText('The file is no longer there')).toHaveCount(1)
  await page.getByRole('button', { name: 'Remove gone from the list' }).click()
  await expect(page.getByText('The file is no longer there')).toBeHidden()
})

test('a second start leads to the window that is open', async ({ studio, launch }) => {
  await expect(launch()).rejects.toThrow()
  await expect(studio.page.getByRole('heading', { level: 1 })).toBeVisible()
})
