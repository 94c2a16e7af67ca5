// One app at a time on a workspace: real processes, killed and ended in order; the record names who it is.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { expect, inject, test } from 'vitest'
import { connect, inTransaction } from './connection.ts'
import { forgetOwner, inUse, lockFile, lockWorkspace, ownerOf, recordOwner, requireOwner } from './owner.ts'
import { temporaryWorkspace } from './testing/temporaryWorkspace.ts'

/** A process that claims the workspace and holds it; or says that it could not. */
async function startOwner(path: string) {
  const child = spawn(process.execPath, [inject('scripts').holdWorkspace, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, said: said.toString().trim() }
}

test('a second process is told who holds it; a kill lets go at once, an end in order too', async () => {
  const { path, db } = temporaryWorkspace()
  const first = await startOwner(path)
  expect(first.said).toBe('owner')
  expect((await startOwner(path)).said).toBe('in use')
  expect(lockWorkspace(path)).toBeNull()
  expect(inUse(path)).toMatchObject({
    code: 'workspace.in-use',
    message: expect.stringContaining(`process ${first.child.pid} on ${hostname()}, since `),
  })
  first.child.kill('SIGKILL')
  await once(first.child, 'close')
  // The record is still there, the lock is not.
  expect(ownerOf(db)?.processId).toBe(first.child.pid)

  const second = await startOwner(path)
  expect(second.said).toBe('owner')
  second.child.stdin?.end()
  await once(second.child, 'close')
  expect(existsSync(lockFile(path))).toBe(false)
  expect(ownerOf(db)).toBeUndefined()
})

test('a lock whose file was removed is not valid, and lets the lock of the next owner be', async () => {
  const { path } = temporaryWorkspace()
  const first = lockWorkspace(path)
  expect(await first?.isValid()).toBe(true)
  rmSync(lockFile(path))
  expect(await first?.isValid()).toBe(false)
  const second = await startOwner(path)
  expect(second.said).toBe('owner')
  first?.release()
  expect(lockWorkspace(path)).toBeNull()
  second.child.stdin?.end()
  await once(second.child, 'close')
})

test('of many processes at once exactly one gets it', { timeout: 60_000 }, async () => {
  const { path } = temporaryWorkspace()
  for (let round = 0; round < 2; round++) {
    const all = await Promise.all(Array.from({ length: 4 }, () => startOwner(path)))
    expect(all.filter(({ said }) => said === 'owner')).toHaveLength(1)
    for (const { child } of all) child.stdin?.end()
    await Promise.all(all.map(({ child }) => child.exitCode ?? once(child, 'close')))
  }
})

test('what a former owner still wants to commit is refused by name', () => {
  const { path, db } = temporaryWorkspace()
  const former = recordOwner(db, '1.0.0', 1)
  inTransaction(db, () => requireOwner(db, former))
  const other = connect(path)
  const present = recordOwner(other, '1.0.0', 2)
  other.close()
  expect(() => inTransaction(db, () => requireOwner(db, former))).toThrow(
    expect.objectContaining({ code: 'workspace.taken-over' }),
  )
  inTransaction(db, () => requireOwner(db, present))
  forgetOwner(db)
  expect(() => requireOwner(db, present)).toThrow(expect.objectContaining({ code: 'workspace.taken-over' }))
})
