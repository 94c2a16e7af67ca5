// The library's contract through the real processes: reports of imports, tags, removal with undo, moved folders; questions
// that are answered while the library process is busy or the catalogue process was killed.
import { copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makePictures } from '../src/main/library/testing/pictures.ts'
import type { Answer, Channel, Params, Result } from '../src/shared/contract.ts'
import { allImages } from '../src/shared/domain.ts'
import { alone, createWorkspace, expect, processOf, type Studio, test } from './studio.ts'

/** What the page gets for a request; an error is thrown as its code. */
async function ask<C extends Channel>({ page }: Studio, channel: C, params: Params<C>): Promise<Result<C>> {
  const answer: Answer<Channel> = await page.evaluate(sendText, JSON.stringify([channel, params]))
  if (!answer.ok) throw new Error(answer.error.code)
  return answer.value as Result<C>
}

/** In the page. As text, whose types are not followed through all channels at once. */
function sendText(text: string): Promise<Answer<Channel>> {
  const [channel, params] = JSON.parse(text)
  return window.studio.request(channel as Channel, params)
}

async function imported(studio: Studio, channel: 'images.importPaths', paths: string[]) {
  const { importId } = await ask(studio, channel, { paths })
  const find = async () => (await ask(studio, 'images.imports', {})).find((one) => one.importId === importId)
  await expect.poll(async () => (await find())?.state, { timeout: 60_000 }).toBe('complete')
  return (await find())!
}

const query = allImages

test('imports say what they left out; tags, removal and moved folders keep to what a person asked', async ({
  studio,
  folder,
}) => {
  const pictures = join(folder, 'pictures')
  await makePictures(pictures, 30)
  const odd = join(folder, 'odd')
  mkdirSync(odd)
  for (const name of ['IMG_1.HEIC', 'a.gif']) writeFileSync(join(odd, name), 'x')
  await createWorkspace(studio, join(folder, 'work.fisao'))
  const nothing = await imported(studio, 'images.importPaths', [odd])
  expect(nothing.leftOut.map(({ kind, files }) => [kind, files])).toEqual([
    ['GIF', 1],
    ['HEIC', 1],
  ])
  expect(nothing.outcome).toBe('Nothing was added. Found: 1 GIF file, 1 HEIC file.')
  copyFileSync(join(import.meta.dirname, '../src/main/library/testing/formats/grey.jpg'), join(odd, 'one.jfif'))
  const several = await imported(studio, 'images.importPaths', [pictures, join(odd, 'one.jfif')])
  expect(several).toMatchObject({ added: 31, folder })

  const count = async (change: object = {}): Promise<number> =>
    (await ask(studio, 'images.count', { query: { ...query, ...change } })).total
  const before = await ask(studio, 'images.window', { query, offset: 0, limit: 100 })
  const tag = { selection: { query: { ...query, search: '.j' } }, tag: 'Photos' }
  expect((await ask(studio, 'images.tag', tag)).images).toBe(31)
  expect(await ask(studio, 'images.tags', {})).toEqual([{ name: 'Photos', images: 31 }])
  const tagged = await ask(studio, 'images.window', { query, offset: 0, limit: 100 })
  const removal = await ask(studio, 'images.remove', { selection: { query: { ...query, search: 'jfif' } } })
  expect([removal.images, await count(), await count({ tag: 'photos' })]).toEqual([1, 30, 30])
  await expect(studio.page.getByRole('status', { name: 'Number of images' })).toHaveText('30 images')
  await ask(studio, 'images.restore', { removalId: removal.removalId as number })
  expect(await ask(studio, 'images.window', { query, offset: 0, limit: 100 })).toEqual(tagged)
  await ask(studio, 'images.untag', { selection: { query }, tag: 'Photos' })
  expect(await ask(studio, 'images.window', { query, offset: 0, limit: 100 })).toEqual(before)

  renameSync(pictures, join(folder, 'moved'))
  expect(await ask(studio, 'images.missing', {})).toMatchObject({ images: 31, checked: 31, missing: 30 })
  const relinked = await ask(studio, 'images.relink', { from: pictures, to: join(folder, 'moved') })
  expect(relinked).toEqual({ matched: 30, differ: 0, missing: 0, examples: [] })
  expect((await ask(studio, 'images.missing', {})).missing).toBe(0)
})

test(
  'questions are answered while the library process is busy, and after the catalogue process was killed',
  alone,
  async ({ studio, folder }) => {
    const { app } = studio
    const pictures = join(folder, 'pictures')
    await makePictures(pictures, 600)
    await createWorkspace(studio, join(folder, 'work.fisao'))
    await imported(studio, 'images.importPaths', [pictures])
    const total = async (): Promise<number> => (await ask(studio, 'images.count', { query })).total
    expect(await total()).toBe(600)
    // A stopped process answers nothing for as long as a page check would take.
    const library = await processOf(app, 'library')
    process.kill(library, 'SIGSTOP')
    try {
      const startMs = performance.now()
      expect(await total()).toBe(600)
      expect(performance.now() - startMs).toBeLessThan(3000)
    } finally {
      process.kill(library, 'SIGCONT')
    }
    process.kill(await processOf(app, 'catalogue'), 'SIGKILL')
    expect(await total()).toBe(600)
    const closed = await studio.page.evaluate(async () => {
      await window.studio.request('workspace.close', {})
      return window.studio.request('images.tags', {})
    })
    expect(closed).toMatchObject({ ok: false, error: { code: 'workspace.none-open' } })
  },
)
