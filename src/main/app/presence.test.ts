// Files that come, go, turn into pipes or do not answer, without a question to the disk at the moment of asking.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { Presence } from './presence.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-presence-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('files that are gone or turned into pipes are missing, and come back', async () => {
  const [there, gone, pipe] = ['there', 'gone', 'pipe'].map((name) => join(folder, name)) as [string, string, string]
  writeFileSync(there, '')
  execFileSync('mkfifo', [pipe])
  let changes = 0
  const presence = new Presence({ onChange: () => changes++, freshMs: 0 })
  expect(presence.isMissing(gone)).toBe(false)
  presence.look([there, gone, pipe])
  await vi.waitFor(() =>
    expect([there, gone, pipe].map((path) => presence.isMissing(path))).toEqual([false, true, true]),
  )
  expect(changes).toBe(2)
  writeFileSync(gone, '')
  await vi.waitFor(() => {
    presence.look([there, gone, pipe])
    expect(presence.isMissing(gone)).toBe(false)
  })
  expect(changes).toBe(3)
})

test('a drive that does not answer is asked once, however often the list is wanted', async () => {
  let questions = 0
  const isFile = (): Promise<boolean> => {
    questions++
    return new Promise(() => undefined)
  }
  const presence = new Presence({ onChange: () => undefined, freshMs: 0, limitMs: 20, isFile })
  for (let call = 0; call < 100; call++) presence.look(['/dead/one', '/dead/two'])
  await vi.waitFor(() => expect(presence.isMissing('/dead/one')).toBe(true))
  for (let call = 0; call < 100; call++) presence.look(['/dead/one', '/dead/two'])
  expect(questions).toBe(1)
})
