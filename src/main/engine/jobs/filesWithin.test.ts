// Folders of real files: their order, links, and a folder that is too large to be one of images.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { filesWithin } from './filesWithin.ts'

const home = mkdtempSync(join(tmpdir(), 'fisao-files-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))
mkdirSync(join(home, 'b/c'), { recursive: true })
for (const name of ['z.jpg', 'a.jpg', 'b/d.jpg', 'b/c/e.jpg']) writeFileSync(join(home, name), name)
symlinkSync(join(home, 'a.jpg'), join(home, 'link.jpg'))
symlinkSync(join(home, 'gone.jpg'), join(home, 'broken.jpg'))
symlinkSync(home, join(home, 'b/circle'))

test('lists files of all folders in order; links to files count, broken ones and circles do not', async () => {
  expect(await filesWithin(home)).toEqual(['a.jpg', 'b/c/e.jpg', 'b/d.jpg', 'link.jpg', 'z.jpg'])
})

test('refuses a folder with more entries than images could be, by name', async () => {
  // a.jpg, b, broken.jpg, link.jpg, z.jpg; c, circle, d.jpg; e.jpg
  expect(await filesWithin(home, 9)).toHaveLength(5)
  await expect(filesWithin(home, 8)).rejects.toMatchObject({
    code: 'run.annotations',
    expected: expect.stringContaining('8'),
    where: home,
  })
})
