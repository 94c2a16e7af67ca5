// The whole app is killed at fifty random moments of an import: the file opens each time, nothing is damaged, and
// the import goes on by itself to the same end without a duplicate.
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { makePictures } from '../src/main/library/testing/pictures.ts'
import { randomNumbers, runAndKill } from './kill.ts'
import { expect, isThorough, onRuntime, test, why } from './studio.ts'
import type { WorkspaceCheck } from './workspaceFile.ts'

const kills = Number(process.env.FISAO_KILLS ?? 2)
const pictures = kills < 10 ? 2000 : 6000
const seed = 20260

test(`kill -9 at ${kills} random moments of an import`, async ({ launch, folder }) => {
  test.skip(!isThorough, why)
  test.setTimeout(480_000)
  const source = join(folder, 'pictures')
  await makePictures(source, pictures)
  const random = randomNumbers(seed)
  let path = ''
  let before = 0
  let killedAtWork = 0
  let completed = 0

  for (let kill = 1; kill <= kills; kill++) {
    if (path === '') {
      path = join(folder, `killed ${completed}.fisao`)
      await onRuntime('e2e/workspaceFile.ts', 'begin', path, source)
      before = 0
    }
    const args = [`--user-data-dir=${join(folder, 'user data')}`, path]
    // One in ten is killed while it still starts and opens the file, the others while the import goes on.
    if (random() < 0.1) await runAndKill(args, () => delay(random() * 1000))
    else await runAndKill(args, () => untilWritten(`${path}-wal`).then(() => delay(200 + random() * 1800)))
    const check = await checkFile(path)
    const isComplete = check.importStates[0] === 'complete'
    expect(check, `after kill ${kill} of seed ${seed}`).toMatchObject({
      integrity: 'ok',
      foreignKeyViolations: 0,
      ...(isComplete && { images: pictures }),
      paths: check.images,
      hashes: check.images,
      thumbnails: check.images,
      importStates: [isComplete ? 'complete' : 'running'],
    })
    expect(check.images).toBeGreaterThanOrEqual(before)
    if (check.images > before) killedAtWork++
    before = check.images
    // A quick machine comes to the end before the last kill; then another import begins.
    if (isComplete && kill < kills) {
      path = ''
      completed++
    }
  }
  process.stdout.write(
    `${kills} kills (seed ${seed}), ${killedAtWork} while images came in, ${completed} imports complete, ${before} of ${pictures} images in the last\n`,
  )
  expect(killedAtWork).toBeGreaterThan(kills / 3)

  const { app, page } = await launch({ args: [path] })
  const count = page.getByRole('status', { name: 'Number of images' })
  await expect(count).toHaveText(`${pictures.toLocaleString('en')} images`, { timeout: 120_000 })
  await expect(page.getByRole('progressbar', { name: 'Import progress' })).toBeHidden()
  await app.close()
  expect(await checkFile(path)).toEqual({
    integrity: 'ok',
    foreignKeyViolations: 0,
    images: pictures,
    paths: pictures,
    hashes: pictures,
    thumbnails: pictures,
    importStates: ['complete'],
  })
})

async function checkFile(path: string): Promise<WorkspaceCheck> {
  return JSON.parse(await onRuntime('e2e/workspaceFile.ts', 'check', path))
}

/** Waits until the file is there and changes, which it does once the app has opened the workspace. */
async function untilWritten(file: string): Promise<void> {
  const change = (): number => (existsSync(file) ? statSync(file).mtimeMs : 0)
  const before = change()
  for (let waited = 0; change() === before && waited < 500; waited++) await delay(20)
}
