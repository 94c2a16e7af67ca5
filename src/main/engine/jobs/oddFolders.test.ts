// Folders as people have them by mistake go through the check of the window: each is opened, or refused there by a
// sentence of its own and what helps, never later in a run.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { StudioError } from '../../../shared/errors.ts'
import { inspectModel } from './inspectModel.ts'
import { makeOddFolder, oddFolders } from './testing/oddFolders.ts'

const scratch = mkdtempSync(join(tmpdir(), 'fisao-odd-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test('there are more than 60 that are refused', () => {
  expect(oddFolders.filter(({ code }) => code !== null).length).toBeGreaterThan(60)
  expect(new Set(oddFolders.map(({ what }) => what)).size).toBe(oddFolders.length)
})

test.each(oddFolders.map((odd, i) => [odd.what, odd, i] as const))('%s', async (_what, odd, i) => {
  const folder = join(scratch, `folder ${i}`)
  await makeOddFolder(folder, odd)
  const thrown = await inspectModel(folder, null).then(
    () => null,
    (error: unknown) => error,
  )
  if (odd.code === null) return expect(thrown).toBeNull()
  expect(thrown).toBeInstanceOf(StudioError)
  expect(thrown).toMatchObject({
    code: odd.code,
    message: expect.stringMatching(odd.says ?? /./),
    remedy: expect.stringMatching(odd.advises ?? /./),
  })
  const { message, remedy } = thrown as StudioError
  for (const sentence of [message, remedy]) {
    expect(sentence).toMatch(/^[A-Z\p{Ll}].*[.?]$/su)
    expect(sentence).not.toMatch(/undefined|\[object|driver|Report this/)
  }
})
