// A disk that fills up at every moment of the work: the person reads why, all buttons work, and it goes on when there is
// room. Real full disks, in memory.
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { canMakeDisks, makeSmallDisk, type SmallDisk } from '../src/main/db/testing/smallDisk.ts'
import { makePictures } from '../src/main/library/testing/pictures.ts'
import type { RunLook } from './runFile.ts'
import { answerDialogs, test as base, createWorkspace, expect, makeWorkspace, onRuntime } from './studio.ts'

const test = base.extend<{ disk: SmallDisk }>({
  disk: async ({ folder }, use) => {
    const disk = makeSmallDisk(join(folder, 'small disk'), 'size=160m')
    await use(disk)
    disk.unmount()
  },
})

test.skip(!canMakeDisks, 'only root can make a small disk')

const isFull = /The disk is (too )?full/

async function look(path: string): Promise<RunLook> {
  return JSON.parse(await onRuntime('e2e/runFile.ts', 'look', path))
}

/** What a run without a full disk leaves behind. */
async function undisturbed(
  launch: (options: { args: string[] }) => Promise<{ page: Page; app: { close(): Promise<void> } }>,
  path: string,
): Promise<RunLook> {
  await makeWorkspace(path, 'e2e/runFile.ts', 'begin', path)
  const { page, app } = await launch({ args: [path] })
  await untilComplete(page)
  await app.close()
  return await look(path)
}

async function untilComplete(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Runs' }).click()
  await expect(page.getByRole('region', { name: 'Result' })).toBeVisible({ timeout: 120_000 })
}

/** Waits until the run says in which phase it is, and how far. */
async function untilSays(page: Page, words: RegExp): Promise<void> {
  await page.getByRole('button', { name: 'Runs' }).click()
  await expect(page.getByRole('region', { name: 'Progress' })).toContainText(words, { timeout: 60_000 })
}

test('a run that finds no room says so, waits, and goes on by itself', async ({ launch, disk }) => {
  test.setTimeout(240_000)
  const path = join(disk.folder, 'work.fisao')
  await makeWorkspace(path, 'e2e/runFile.ts', 'begin', path)
  disk.fill(80_000)
  const { page } = await launch({ args: [path] })
  await page.getByRole('button', { name: 'Runs' }).click()
  const run = page.getByRole('article', { name: 'short' })
  const alert = run.getByRole('alert')
  await expect(alert).toContainText(isFull)
  await expect(alert).toContainText('Free some space on that disk')
  await expect(run.getByRole('status', { name: 'What the run does now' })).toContainText('Waiting')
  await page.screenshot({ path: test.info().outputPath('waiting.png') })
  disk.fill()
  // Each button does what it says, whether or not the file can be written.
  await run.getByRole('button', { name: /Take out of the queue|Stop/ }).click()
  await expect(run.getByText('Stopped').first()).toBeVisible()
  await page.getByRole('button', { name: 'Home' }).click()
  await page.getByRole('button', { name: 'Close workspace' }).click()
  await expect(page.getByRole('button', { name: 'Close workspace' })).toBeHidden()
  disk.free()
  await page.getByRole('button', { name: /^work/ }).click()
  await page.getByRole('button', { name: 'Runs' }).click()
  const resume = page.getByRole('button', { name: 'Resume' })
  const progress = page.getByRole('region', { name: 'Progress' })
  await expect(resume.or(progress)).toBeVisible()
  if (await resume.isVisible()) await resume.click()
  await untilComplete(page)
  expect((await look(path)).state).toBe('complete')
})

test('a disk that fills up in the calibration and in a step costs nothing but time', async ({
  launch,
  folder,
  disk,
}) => {
  test.setTimeout(300_000)
  const whole = await undisturbed(launch, join(folder, 'whole.fisao'))
  const path = join(disk.folder, 'work.fisao')
  await makeWorkspace(path, 'e2e/runFile.ts', 'begin', path)
  const { page, app } = await launch({ args: [path] })
  const run = page.getByRole('article', { name: 'short' })
  const alert = run.getByRole('alert')

  await untilSays(page, /Calibrating|Describing|Opening/)
  disk.fill()
  await expect(alert).toContainText(isFull, { timeout: 60_000 })
  disk.free()
  await expect(alert).toBeHidden({ timeout: 30_000 })

  await untilSays(page, /Step [1-3] of 4/)
  disk.fill()
  await expect(alert).toContainText(isFull, { timeout: 60_000 })
  await page.screenshot({ path: test.info().outputPath('full in a step.png') })
  await run.getByRole('button', { name: 'Pause' }).click()
  await expect(run.getByRole('button', { name: 'Resume' })).toBeVisible()
  disk.free()
  // Stored once there is room, then resumed as any other.
  await expect(async () => expect((await look(path)).state).toBe('paused')).toPass({ timeout: 30_000 })
  await run.getByRole('button', { name: 'Resume' }).click()
  await untilComplete(page)
  await app.close()
  expect(await look(path)).toEqual(whole)
})

test('a run that is deleted on a full disk is gone at once, and stays so', async ({ launch, disk }) => {
  test.setTimeout(180_000)
  const path = join(disk.folder, 'work.fisao')
  await makeWorkspace(path, 'e2e/runFile.ts', 'begin', path)
  const { page, app } = await launch({ args: [path] })
  await untilSays(page, /Step [1-3] of 4/)
  disk.fill()
  const run = page.getByRole('article', { name: 'short' })
  await expect(run.getByRole('alert')).toContainText(isFull, { timeout: 60_000 })
  await run.getByRole('button', { name: 'Delete…' }).click()
  await page.getByRole('button', { name: 'Delete the run' }).click()
  await expect(page.getByRole('heading', { name: 'Align a model with its own eyes' })).toBeVisible()
  disk.free()
  await page.waitForTimeout(5000)
  await app.close()
  await expect(onRuntime('e2e/runFile.ts', 'look', path)).rejects.toThrow('has no run')
})

test('an import that fills the disk says so, keeps what it had, and goes on by itself', async ({
  studio,
  folder,
  disk,
}) => {
  test.setTimeout(180_000)
  const { page } = studio
  const pictures = join(folder, 'pictures')
  await makePictures(pictures, 1200)
  await createWorkspace(studio, join(disk.folder, 'work.fisao'))
  disk.fill(600_000)
  await answerDialogs(studio, pictures)
  await page.getByRole('button', { name: 'Add a folder…' }).click()
  const panel = page.getByRole('region', { name: 'Import' })
  await expect(panel).toContainText(isFull, { timeout: 60_000 })
  await expect(panel).toContainText('Interrupted')
  await page.screenshot({ path: test.info().outputPath('import.png') })
  disk.free()
  await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText('1,200 images', { timeout: 60_000 })
})
