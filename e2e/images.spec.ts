// Images through the real window: a folder with bad files among a thousand good ones, search, keys, the large view.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pictureFiles, pictureFolder } from '../src/main/files/testing/pictureFiles.ts'
import { addBadPictures, makePictures } from '../src/main/library/testing/pictures.ts'
import { alone, answerDialogs, createWorkspace, expect, isThorough, onRuntime, processOf, test, why } from './studio.ts'

test('a folder of 1,000 images comes in; five bad files are listed with plain reasons', async ({ studio, folder }) => {
  const { page } = studio
  const pictures = join(folder, 'pictures')
  await makePictures(pictures, 1000)
  await addBadPictures(pictures)
  await createWorkspace(studio, join(folder, 'work.fisao'))
  await answerDialogs(studio, pictures)
  await page.getByRole('button', { name: 'Add a folder…' }).click()
  await expect(page.getByRole('progressbar', { name: 'Import progress' })).toBeVisible()

  await expect(page.getByText('1,001 images were added. Left out: 5 pictures with a problem.')).toBeVisible({
    timeout: 60_000,
  })
  await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText('1,001 images')
  await page.getByRole('button', { name: 'Show what was left out' }).click()
  const rows = page.getByRole('table', { name: 'Skipped files' }).getByRole('row')
  expect((await rows.allInnerTexts()).slice(1).map((row) => row.split('\t'))).toEqual([
    ['bad empty.png', 'The file is empty (0 bytes).'],
    [
      'bad huge.png',
      'It is too large: 30000 × 30000 pixels take 2700 MB in memory; the limit is 537 MB, 178 million pixels in usual colour.',
    ],
    ['bad text.png', 'It is not an image of a supported kind, whatever its name says.'],
    ['bad truncated.jpg', 'It is damaged or cut short: its picture cannot be decoded to the end.'],
    ['bad twin 2.jpg', 'It is the same image as bad twin 1.jpg, byte for byte.'],
  ])
  await page.keyboard.press('Escape')

  await test.step('search', async () => {
    await page.getByRole('searchbox', { name: 'Search images' }).fill('twin')
    await expect(page.getByRole('gridcell')).toHaveCount(1)
    await page.getByRole('searchbox', { name: 'Search images' }).fill('no such thing')
    await expect(page.getByText('No image matches “no such thing”.')).toBeVisible()
    await page.getByRole('button', { name: 'Show all images' }).click()
  })

  await test.step('keys', async () => {
    await page.getByRole('gridcell').first().click()
    await page.keyboard.press('End')
    await expect(page.locator('[role=gridcell]:focus')).toHaveAttribute('data-index', '1000')
    await page.keyboard.press('Home')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowUp')
    await expect(page.locator('[role=gridcell]:focus')).toHaveAttribute('data-index', '1')
  })

  await test.step('the large view', async () => {
    await page.keyboard.press('Enter')
    const picture = page.getByRole('main').locator('img')
    await expect(picture).toBeVisible()
    const first = await picture.getAttribute('alt')
    await page.keyboard.press('PageDown')
    await expect(picture).not.toHaveAttribute('alt', first ?? '')
    expect(
      await picture.evaluate((element: HTMLImageElement) => element.decode().then(() => element.naturalWidth)),
    ).toBe(96)
    await page.keyboard.press('Escape')
    await expect(page.getByRole('grid', { name: 'Images' })).toBeVisible()
  })
})

test('turned pictures lie alike in size, thumbnail and large view, whatever says how they lie', async ({
  studio,
  folder,
}) => {
  const { page } = studio
  await createWorkspace(studio, join(folder, 'work.fisao'))
  await answerDialogs(studio, pictureFolder)
  await page.getByRole('button', { name: 'Add a folder…' }).click()
  await expect(page.getByText(/images were added\. Left out: 1 file of another kind\./)).toBeVisible({
    timeout: 60_000,
  })
  const shown = await page.evaluate(async () => {
    const state = await window.studio.request('app.state', {})
    const key = state.ok ? state.value.workspace?.key : ''
    const size = (address: string) =>
      new Promise<[number, number] | null>((resolve) => {
        const image = new Image()
        image.onload = () => resolve([image.naturalWidth, image.naturalHeight])
        image.onerror = () => resolve(null)
        image.src = address
      })
    const lies = []
    for (let imageId = 1; ; imageId++) {
      const answer = await window.studio.request('images.get', { imageId })
      if (!answer.ok || !answer.value.image) return lies
      const { name, width, height } = answer.value.image
      const full = await size(`studio-image://${key}/full/${imageId}`)
      const [across, down] = (await size(`studio-image://${key}/thumbnail/${imageId}`)) ?? [0, 0]
      lies.push({ name, size: [width, height], full, isTall: [height > width, down > across] })
    }
  })
  expect(shown.length).toBeGreaterThan(40)
  for (const { name, size, full, isTall } of shown) {
    const file = pictureFiles.find((one) => one.name === name)
    expect(size, name).toEqual([file?.width, file?.height])
    expect(full, name).toEqual(size)
    expect(isTall[0], name).toBe(isTall[1])
  }
  await page.getByRole('searchbox', { name: 'Search images' }).fill('turned-6.webp')
  await expect(page.getByRole('gridcell')).toHaveCount(1)
  await page.getByRole('gridcell').first().dblclick()
  await expect(page.getByRole('main').locator('img')).toBeVisible()
  await page.screenshot({ path: test.info().outputPath('turned.png') })
})

test('pictures that an earlier version stored unturned are laid upright once their workspace is open', async ({
  studio,
  launch,
  folder,
}) => {
  const path = join(folder, 'work.fisao')
  const files = pictureFiles.filter(({ name }) => /turned-6\.(png|webp|avif)/.test(name))
  const pictures = join(folder, 'pictures')
  mkdirSync(pictures)
  for (const { name } of files) copyFileSync(join(pictureFolder, name), join(pictures, name))
  await createWorkspace(studio, path)
  await answerDialogs(studio, pictures)
  await studio.page.getByRole('button', { name: 'Add a folder…' }).click()
  await expect(studio.page.getByText('3 images were added.')).toBeVisible({ timeout: 60_000 })
  await studio.app.close()
  await onRuntime('e2e/workspaceFile.ts', 'unturn', path)

  const { page } = await launch()
  await page.getByRole('button', { name: /^work/ }).click()
  await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText('3 images')
  const areTall = () =>
    page.evaluate(async () => {
      const all = [1, 2, 3].map((imageId) => window.studio.request('images.get', { imageId }))
      return (await Promise.all(all)).map((answer) => {
        const image = answer.ok ? answer.value.image : null
        return image !== null && image.height > image.width
      })
    })
  await expect.poll(areTall, { timeout: 30_000 }).toEqual([true, true, true])
})

test('a cancelled import keeps what it had and goes on when asked', async ({ studio, folder }) => {
  const { page } = studio
  const pictures = join(folder, 'pictures')
  await makePictures(pictures, 700)
  await createWorkspace(studio, join(folder, 'work.fisao'))
  await answerDialogs(studio, pictures)
  await page.getByRole('button', { name: 'Add a folder…' }).click()
  await page.getByRole('button', { name: 'Cancel import' }).click()
  await page.getByRole('button', { name: 'Resume import' }).click()
  await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText('700 images', { timeout: 60_000 })
})

test('an import goes on by itself after the app was closed in its middle', async ({ studio, launch, folder }) => {
  const pictures = join(folder, 'pictures')
  await makePictures(pictures, 700)
  await createWorkspace(studio, join(folder, 'work.fisao'))
  await answerDialogs(studio, pictures)
  await studio.page.getByRole('button', { name: 'Add a folder…' }).click()
  await expect(studio.page.getByRole('button', { name: 'Cancel import' })).toBeVisible()
  await studio.app.close()

  const again = await launch()
  await again.page.getByRole('button', { name: /^work/ }).click()
  const count = again.page.getByRole('status', { name: 'Number of images' })
  await expect(count).toHaveText('700 images', { timeout: 60_000 })
})

test(
  'originals that became pipes, and a workspace in their place, hold nothing up',
  alone,
  async ({ studio, folder }) => {
    const { page } = studio
    const pictures = join(folder, 'pictures')
    await makePictures(pictures, 12)
    await createWorkspace(studio, join(folder, 'work.fisao'))
    await answerDialogs(studio, pictures)
    await page.getByRole('button', { name: 'Add a folder…' }).click()
    await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText('12 images', { timeout: 30_000 })
    for (const name of readdirSync(pictures, { recursive: true, encoding: 'utf8' }).filter((one) =>
      one.endsWith('.jpg'),
    )) {
      rmSync(join(pictures, name))
      execFileSync('mkfifo', [join(pictures, name)])
    }
    const slowest = await page.evaluate(async () => {
      const answer = await window.studio.request('app.state', {})
      const key = answer.ok ? answer.value.workspace?.key : ''
      for (let image = 1; image <= 12; image++) new Image().src = `studio-image://${key}/full/${image}`
      let slowestMs = 0
      for (let call = 0; call < 20; call++) {
        const startMs = performance.now()
        // A state, and a file of the app's own, which main reads on the threads that pipes would hold.
        await window.studio.request('app.state', {})
        await new Promise((resolve) => {
          const image = new Image()
          image.onload = image.onerror = resolve
          image.src = `app://studio/no-such-${call}.png`
        })
        slowestMs = Math.max(slowestMs, performance.now() - startMs)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      return slowestMs
    })
    expect(slowest).toBeLessThan(1000)
    await page.getByRole('gridcell').first().dblclick()
    await expect(page.getByRole('main')).toContainText(/no longer|moved|cannot/i)
    await page.keyboard.press('Escape')

    const pipe = join(folder, 'pipe.fisao')
    execFileSync('mkfifo', [pipe])
    await answerDialogs(studio, pipe)
    await page.getByRole('button', { name: 'Home' }).click()
    await page.getByRole('button', { name: 'Open…' }).click()
    await expect(page.getByRole('alert')).toContainText('This file is not a FiSAO Studio workspace.')
  },
)

test('an import whose process is killed again and again goes on as long as it gets further', async ({
  studio,
  folder,
}) => {
  test.skip(!isThorough, why)
  test.setTimeout(180_000)
  const { app, page } = studio
  const pictures = join(folder, 'pictures')
  await makePictures(pictures, 3000)
  await createWorkspace(studio, join(folder, 'work.fisao'))
  await answerDialogs(studio, pictures)
  await page.getByRole('button', { name: 'Add a folder…' }).click()
  const seen = (): Promise<number> =>
    page.evaluate(async () => {
      const answer = await window.studio.request('images.imports', {})
      return answer.ok ? (answer.value[0]?.live?.seen ?? 0) : 0
    })
  for (let kill = 1; kill <= 5; kill++) {
    await expect.poll(seen, { timeout: 30_000, intervals: [20] }).toBeGreaterThan(kill * 200)
    const pid = await processOf(app, 'library')
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => processOf(app, 'library')).not.toBe(pid)
  }
  await expect(page.getByRole('status', { name: 'Number of images' })).toHaveText('3,000 images', { timeout: 90_000 })
  await expect(page.getByRole('alert')).toBeHidden()
})

test('only registered images of the open workspace have an address', async ({ studio, folder }) => {
  const { page } = studio
  await createWorkspace(studio, join(folder, 'work.fisao'))
  const loads = (address: string): Promise<boolean> =>
    page.evaluate(
      (src) =>
        new Promise<boolean>((resolve) => {
          const image = new Image()
          image.onload = () => resolve(true)
          image.onerror = () => resolve(false)
          image.src = src
        }),
      address,
    )
  const key = await page.evaluate(async () => {
    const answer = await window.studio.request('app.state', {})
    return answer.ok ? answer.value.workspace?.key : undefined
  })
  expect(await loads(`studio-image://${key}/full/1`)).toBe(false)
  expect(await loads(`studio-image://${key}/full/..%2f..%2fetc%2fpasswd`)).toBe(false)
  expect(await loads('studio-image://another-workspace/thumbnail/1')).toBe(false)
  expect(await loads('file:///usr/share/pixmaps/debian-logo.png')).toBe(false)
  expect(await loads('https://example.org/picture.png')).toBe(false)
})
