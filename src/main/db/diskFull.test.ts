// A disk without room for a backup, a migration, a new workspace or the cache of embeddings: what is there stays whole, a
// person reads why, and it works once there is room. e2e/diskFull.spec.ts fills the disk under imports and runs.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { embeddingsIn } from '../engine/jobs/runStore.ts'
import { listBackups, takeBackup } from './backup.ts'
import { applicationId, connect, type WritableDb } from './connection.ts'
import { currentVersion, migrate, schemaVersion } from './migrate.ts'
import { migrations } from './migrations/index.ts'
import { createWorkspace, openWorkspace, prepareWorkspace } from './open.ts'
import { seedLibrary } from './testing/seedLibrary.ts'
import { canMakeDisks, makeSmallDisk, type SmallDisk } from './testing/smallDisk.ts'

const isFull = { code: 'workspace.disk-full', message: expect.stringMatching(/^The disk is (too )?full/) }

describe.skipIf(!canMakeDisks)('on a full disk', () => {
  let folder = ''
  let disk: SmallDisk
  let path = ''
  const opened: WritableDb[] = []

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fisao-full-'))
    disk = makeSmallDisk(join(folder, 'disk'), 'size=24m')
    path = join(disk.folder, 'work.fisao')
  })
  afterEach(() => {
    for (const db of opened.splice(0)) db.close()
    disk.unmount()
    rmSync(folder, { recursive: true, force: true })
  })

  function open(): WritableDb {
    const db = openWorkspace(path)
    opened.push(db)
    return db
  }

  /** Names on the disk, without those that SQLite keeps beside an open file. */
  function names(): string[] {
    return readdirSync(disk.folder, { recursive: true, encoding: 'utf8' }).filter((name) => !/-(wal|shm)$/.test(name))
  }

  test('a backup is not begun, and is taken once there is room', async () => {
    createWorkspace(path)
    const db = open()
    seedLibrary(db, 2000, [Buffer.alloc(1500, 7)])
    disk.fill(200_000)
    const before = names()
    await expect(takeBackup(db, path)).rejects.toMatchObject(isFull)
    expect(names()).toEqual(before)
    disk.free()
    await takeBackup(db, path)
    expect(listBackups(path)).toHaveLength(1)
  })

  test('a migration changes nothing, and is done once there is room', async () => {
    const old = connect(path, { create: true })
    old.pragma(`application_id = ${applicationId}`)
    migrate(old, migrations.slice(0, 3))
    old.exec("INSERT INTO import VALUES (1, '/pictures', 'complete', 1, 2)")
    old.close()
    const before = readFileSync(path)
    disk.fill(60_000)
    await expect(prepareWorkspace(path)).rejects.toMatchObject(isFull)
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(listBackups(path)).toEqual([])
    disk.free()
    await prepareWorkspace(path)
    const db = open()
    expect([schemaVersion(db), db.prepare('SELECT folder FROM import').pluck().get()]).toEqual([
      currentVersion,
      '/pictures',
    ])
    expect(listBackups(path)).toHaveLength(1)
  })

  test('a new workspace leaves nothing half made', () => {
    disk.fill(20_000)
    const before = names()
    expect(() => createWorkspace(path)).toThrow(expect.objectContaining(isFull))
    expect(names()).toEqual(before)
    disk.free()
    createWorkspace(path)
  })

  test('an evaluation goes on without its cache of embeddings', () => {
    createWorkspace(path)
    const db = open()
    disk.fill()
    const store = embeddingsIn(db, Buffer.alloc(32, 1))
    for (let i = 0; i < 600; i++) store.put('text', `word ${i}`, new Float32Array(512).fill(i))
    store.flush()
    disk.free()
    store.put('text', 'another', Float32Array.of(1, 2))
    store.flush()
    expect(embeddingsIn(db, Buffer.alloc(32, 1)).get('text', 'another')).toEqual(Float32Array.of(1, 2))
  })
})
