// Real pipes, devices and sockets in the place of files; and work that comes too late.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Gate, NoAnswer, NotAFile, openRegularFile, withinMs } from './regularFile.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-files-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a regular file is opened, whatever else is in its place is refused at once', async () => {
  writeFileSync(join(folder, 'file'), 'hello')
  const { file, stats } = await openRegularFile(join(folder, 'file'), 1000)
  expect(stats.size).toBe(5)
  await file.close()

  execFileSync('mkfifo', [join(folder, 'pipe')])
  symlinkSync('/dev/zero', join(folder, 'device'))
  symlinkSync(join(folder, 'pipe'), join(folder, 'link'))
  mkdirSync(join(folder, 'folder'))
  for (const name of ['pipe', 'device', 'link', 'folder']) {
    await expect(openRegularFile(join(folder, name), 1000), name).rejects.toBeInstanceOf(NotAFile)
  }
  await expect(openRegularFile(join(folder, 'gone'), 1000)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('what comes too late is handed to whoever cleans up', async () => {
  const late = new Promise<string>((resolve) => setTimeout(resolve, 100, 'late'))
  const cleaned: string[] = []
  await expect(withinMs(10, late, (value) => cleaned.push(value))).rejects.toBeInstanceOf(NoAnswer)
  await late
  expect(cleaned).toEqual(['late'])
})

test('a gate lets so many in, and forgets who stopped waiting', async () => {
  const gate = new Gate(1)
  const leave = await gate.enter(50)
  await expect(gate.enter(20)).rejects.toBeInstanceOf(NoAnswer)
  const next = gate.enter(1000)
  leave()
  leave()
  const leaveNext = await next
  await expect(gate.enter(20), 'leaving twice frees no second place').rejects.toBeInstanceOf(NoAnswer)
  leaveNext()
  await gate.enter(50)
})
