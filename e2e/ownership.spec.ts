// One workspace, one owner: two apps at once, and a file that goes away under an app that is open.
import { existsSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makePictures } from '../src/main/library/testing/pictures.ts'
import { allImages } from '../src/shared/domain.ts'
import { answerDialogs, createWorkspace, expect, onRuntime, processOf, type Studio, test } from './studio.ts'

/** A workspace with some images, open in the app. */
async function openWithImages(studio: Studio, folder: string, name: string): Promise<string> {
  const path = join(folder, `${name}.fisao`)
  const pictures = join(folder, 'pictures')
  if (!existsSync(pictures)) await makePictures(pictures, 40)
  await createWorkspace(studio, path)
  await answerDialogs(studio, pictures)
  await studio.page.getByRole('button', { name: 'Add a folder…' }).click()
  await expect(studio.page.getByRole('status', { name: 'Number of images' })).toHaveText('40 images')
  return path
}

async function imagesIn(path: string): Promise<number> {
  return JSON.parse(await onRuntime('e2e/workspaceFile.ts', 'check', path)).images
}

test('a second app is told who works on the workspace, may look at it, and gets it when the first is gone', async ({
  studio,
  launch,
  folder,
}) => {
  const path = await openWithImages(studio, folder, 'shared')
  const second = await launch({ userData: 'other user data' })
  const { page } = second
  // Whoever cleans up beside the workspace does not open it to others, and another name of it is not another workspace.
  rmSync(`${path}-lock`)
  await expect.poll(() => existsSync(`${path}-lock`)).toBe(true)
  const link = join(folder, 'link.fisao')
  symlinkSync(path, link)
  await answerDialogs(second, link)
  await page.getByRole('button', { name: 'Open…' }).click()
  const dialog = page.getByRole('dialog', { name: 'This workspace is in use' })
  await expect(dialog).toContainText(`process ${studio.app.process().pid} on `)
  await page.screenshot({ path: test.info().outputPath('in use.png') })
  await dialog.getByRole('button', { name: 'Open for reading' }).click()
  await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText('40 images')
  await expect(page.getByText('Open for reading only.')).toBeVisible()
  await expect(page.getByRole('gridcell').first()).toBeVisible()
  await page.screenshot({ path: test.info().outputPath('reading.png') })
  // What would write is not offered, and refused with its reason.
  await expect(page.getByRole('button', { name: 'Add a folder…' })).toBeDisabled()
  const refusals = await page.evaluate(async () => [
    await window.studio.request('images.importFolder', { folder: '/tmp' }),
    await window.studio.request('models.addDemo', {}),
  ])
  expect(refusals.map((answer) => !answer.ok && answer.error.code)).toEqual([
    'workspace.reading-only',
    'workspace.reading-only',
  ])
  await page.getByRole('button', { name: 'Home' }).click()
  await page.getByRole('button', { name: 'Close workspace' }).click()
  await expect(page.getByRole('button', { name: 'Close workspace' })).toBeHidden()

  // Not even a kill leaves the workspace locked.
  studio.app.process().kill('SIGKILL')
  await answerDialogs(second, path)
  await expect(async () => {
    // Asked before the killed one was gone, it says once more that the workspace is in use.
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Open…' }).click({ timeout: 3000 })
    await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText('40 images', { timeout: 3000 })
  }).toPass()
  await expect(page.getByText('Open for reading only.')).toBeHidden()
})

test('a workspace that is deleted, moved or overwritten while it is open is closed with a word, and nothing is lost', async ({
  studio,
  folder,
}) => {
  test.setTimeout(180_000)
  const { page } = studio
  const alert = page.getByRole('alert')

  await test.step('written to by another program that keeps the rules: it stays open', async () => {
    const path = await openWithImages(studio, folder, 'shared by the rules')
    const { size } = statSync(path)
    await onRuntime('e2e/workspaceFile.ts', 'grow', path)
    expect(statSync(path).size).toBeGreaterThan(size)
    // Longer than it takes to notice a loss.
    await page.waitForTimeout(4000)
    await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText('40 images')
    await page.getByRole('button', { name: 'Home' }).click()
    await page.getByRole('button', { name: 'Close workspace' }).click()
    await expect(page.getByRole('button', { name: 'Close workspace' })).toBeHidden()
    expect(await imagesIn(path)).toBe(40)
  })

  await test.step('deleted: all of it is kept as a backup', async () => {
    const path = await openWithImages(studio, folder, 'deleted')
    rmSync(path)
    await expect(alert).toContainText('deleted or replaced while it was open')
    await page.screenshot({ path: test.info().outputPath('deleted.png') })
    await expect(page).toHaveTitle('Home – FiSAO Studio')
    await alert.getByRole('button', { name: 'Close this message' }).click()
    const backups = join(folder, 'deleted backups')
    const counts = await Promise.all(readdirSync(backups).map((name) => imagesIn(join(backups, name))))
    expect(Math.max(...counts)).toBe(40)
    expect(existsSync(path)).toBe(false)
  })

  await test.step('moved: what was committed goes with it', async () => {
    const path = await openWithImages(studio, folder, 'moved')
    const elsewhere = join(folder, 'elsewhere.fisao')
    renameSync(path, elsewhere)
    await expect(alert).toContainText('moved, renamed or deleted while it was open')
    await alert.getByRole('button', { name: 'Close this message' }).click()
    await expect(page.getByRole('button', { name: 'New workspace' })).toBeVisible()
    expect(await imagesIn(elsewhere)).toBe(40)
    expect(readdirSync(folder).filter((name) => name.startsWith('moved.fisao'))).toEqual([])
  })

  await test.step('overwritten in place: what stands there now is left alone', async () => {
    const path = await openWithImages(studio, folder, 'overwritten')
    const { ino } = statSync(path)
    await page.getByRole('searchbox').fill('picture')
    const letter = 'Dear Sir or Madam, '.repeat(1000)
    writeFileSync(path, letter)
    expect(statSync(path).ino).toBe(ino)
    // One that holds none of the file in its memory.
    process.kill(await processOf(studio.app, 'catalogue'), 'SIGKILL')
    // Questions that fail over it, the page's own among them, are answered with the same, which is shown once.
    const { answers } = await page.evaluate(async (query) => {
      const asked = ['a', 'b', 'c'].map((search) =>
        window.studio.request('images.count', { query: { ...query, search } }),
      )
      return { answers: await Promise.all(asked) }
    }, allImages)
    expect(answers.map((answer) => !answer.ok && answer.error.code)).toEqual(Array(3).fill('workspace.overwritten'))
    await expect(alert).toContainText('Another program wrote over the workspace file')
    await expect(alert).toHaveCount(1)
    await expect(page).toHaveTitle('Home – FiSAO Studio')
    await alert.getByRole('button', { name: 'Close this message' }).click()
    expect(statSync(path).size).toBe(letter.length)
    const again = await page.evaluate((named) => window.studio.request('workspace.openRecent', { path: named }), path)
    expect(!again.ok && again.error.code).toBe('workspace.foreign')
  })
})
