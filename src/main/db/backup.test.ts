// Automatic backups: when they are taken, in which order they stand, which of them go, and what restoring one does.
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  backupFolder,
  backupIfDue,
  describeBackups,
  ensureBackup,
  listBackups,
  restoreBackup,
  takeBackup,
} from './backup.ts'
import type { WritableDb } from './connection.ts'
import { createImport } from './imports.ts'
import { closeWorkspace, openWorkspace, prepareWorkspace } from './open.ts'
import { startSession } from './settings.ts'
import { fillWorkspace } from './testing/fullWorkspace.ts'
import { makeWorkspaceWithRows } from './testing/temporaryWorkspace.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fisao-db-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string): string => join(folder, name)
const makeWorkspace = (rows = 0): string => makeWorkspaceWithRows(at('work.fisao'), rows)

const dayMs = 86_400_000

/** Flips a bit in the middle of these bytes, wherever they stand in the file: pages that were split hold more than one. */
function flipInside(path: string, bytes: Buffer): void {
  const file = readFileSync(path)
  const beginning = bytes.subarray(0, 64)
  for (let at = file.indexOf(beginning); at >= 0; at = file.indexOf(beginning, at + 64)) file[at + 32]! ^= 4
  writeFileSync(path, file)
}

describe('backups', () => {
  test('a damaged workspace is restored, and kept beside the restored one', async () => {
    const path = makeWorkspace(10)
    const db = openWorkspace(path)
    const backup = await takeBackup(db, path)
    closeWorkspace(db)
    writeFileSync(path, 'ruined')
    const keptAs = await restoreBackup(path, backup)
    await prepareWorkspace(path)
    const restored = openWorkspace(path)
    expect(restored.prepare('SELECT count(*) AS n FROM import').get()).toEqual({ n: 10 })
    closeWorkspace(restored)
    expect(readdirSync(folder)).toContain(keptAs.slice(folder.length + 1))
  })

  test('are taken while another connection writes, and the oldest go', async () => {
    const path = makeWorkspace(2000)
    const db = openWorkspace(path)
    const writer = openWorkspace(path)
    const backup = takeBackup(db, path, 1_000)
    createImport(writer, '/written meanwhile', 1)
    await backup
    for (let day = 2; day < 9; day++) await takeBackup(db, path, day * dayMs)
    expect(listBackups(path).map(({ takenAtMs }) => takenAtMs / dayMs)).toEqual([8, 7, 6, 5, 4])
    await prepareWorkspace(listBackups(path)[0]?.path ?? '')
    closeWorkspace(writer)
    closeWorkspace(db)
  })

  test('stand in the order in which they were taken, whatever the clock said', async () => {
    const path = makeWorkspace()
    const db = openWorkspace(path)
    const years = [2035, 1970, 2026, 2035, 1999, 2026, 2026]
    const names: string[] = []
    for (const year of years) names.push(await takeBackup(db, path, Date.UTC(year, 5, 1)))
    expect(listBackups(path).map((backup) => backup.path)).toEqual(names.slice(-5).reverse())
    expect(names.at(-1)).toMatch(/backups.000007 2026-06-01 00-00-00\.fisao$/)
    closeWorkspace(db)
  })

  test('of earlier versions, named by the clock alone, stand behind those with a counter', async () => {
    const path = makeWorkspace()
    const db = openWorkspace(path)
    const first = await takeBackup(db, path, 1_000)
    for (const old of ['2035-01-01 00-00-00.000', '2034-01-01 00-00-00.000']) {
      copyFileSync(first, join(backupFolder(path), `${old}.fisao`))
    }
    expect(listBackups(path).map(({ takenAtMs }) => new Date(takenAtMs).getUTCFullYear())).toEqual([1970, 2035, 2034])
    closeWorkspace(db)
  })

  test('are due when something changed and a day went by, and sooner when the clock cannot be right', async () => {
    const path = makeWorkspace()
    const db = openWorkspace(path)
    const change = () => createImport(db, '/pictures', 1)
    const isDue = async (nowMs: number): Promise<boolean> => (await backupIfDue(db, path, nowMs)) !== null
    const nowMs = Date.UTC(2026, 10, 27)
    expect(await isDue(nowMs)).toBe(true)
    expect(await isDue(nowMs + 9 * dayMs)).toBe(false)
    change()
    expect(await isDue(nowMs + 1)).toBe(false)
    expect(await isDue(nowMs + dayMs)).toBe(true)
    // The last one is from the future.
    change()
    expect(await isDue(nowMs)).toBe(true)
    // The clock stands still; the workspace is opened again and again.
    change()
    expect(await isDue(nowMs)).toBe(false)
    for (let opening = 0; opening < 8; opening++) startSession(db, '0.1.0', 1)
    expect(await isDue(nowMs)).toBe(true)
    // What was written by a backup's restore, or only read, is no change.
    expect(await ensureBackup(db, path, nowMs)).toBe(listBackups(path)[0]?.path)
    change()
    expect(await ensureBackup(db, path, nowMs)).not.toBe(listBackups(path)[1]?.path)
    closeWorkspace(db)
  })

  test('say what is in them', async () => {
    const path = makeWorkspace()
    const db = openWorkspace(path)
    fillWorkspace(db, { images: 7, steps: 2, weightBytes: 2000 })
    const nowMs = Date.UTC(2026, 10, 27, 8, 0, 0, 123)
    await takeBackup(db, path, nowMs)
    const facts = { takenAtMs: nowMs, images: 7, runs: 2, isSound: true }
    expect(describeBackups(path)).toEqual([expect.objectContaining(facts)])
    flipInside(
      listBackups(path)[0]!.path,
      db.prepare('SELECT bytes FROM checkpoint_blob LIMIT 1').pluck().get() as Buffer,
    )
    expect(describeBackups(path)).toEqual([expect.objectContaining({ ...facts, isSound: false })])
    closeWorkspace(db)
  })

  test('of a damaged workspace are not taken, and none is removed', async () => {
    const path = makeWorkspace()
    const db = openWorkspace(path)
    fillWorkspace(db, { images: 7, steps: 2, weightBytes: 2000 })
    for (let i = 0; i < 5; i++) await takeBackup(db, path, i)
    const before = listBackups(path)
    db.exec('DROP TRIGGER image_seal_update; UPDATE image SET width = 641 WHERE image_id = 3')
    await expect(takeBackup(db, path, 9)).rejects.toMatchObject({ code: 'workspace.damaged', where: path })
    expect(listBackups(path)).toEqual(before)
    expect(readdirSync(backupFolder(path))).toHaveLength(5)
    closeWorkspace(db)
  })

  test('of a workspace with damaged weights are taken, and the last whole one stays', async () => {
    const path = makeWorkspace()
    const db = openWorkspace(path)
    fillWorkspace(db, { images: 7, steps: 2, weightBytes: 2000 })
    const whole = await takeBackup(db, path, 1)
    db.exec('UPDATE checkpoint_blob SET bytes = zeroblob(length(bytes))')
    for (let i = 2; i < 9; i++) await takeBackup(db, path, i)
    expect(describeBackups(path).map(({ isSound }) => isSound)).toEqual([false, false, false, false, false, true])
    expect(listBackups(path).at(-1)?.path).toBe(whole)
    closeWorkspace(db)
  })

  test('a damaged backup changes nothing', async () => {
    const path = makeWorkspace()
    writeFileSync(at('bad.fisao'), 'not a database at all, and long enough to be looked at')
    await expect(restoreBackup(path, at('bad.fisao'))).rejects.toThrow()
    await prepareWorkspace(path)
  })

  test('is a whole workspace', async () => {
    const path = makeWorkspace(5)
    const db: WritableDb = openWorkspace(path)
    const backup = await takeBackup(db, path)
    closeWorkspace(db)
    copyFileSync(backup, at('copy.fisao'))
    await prepareWorkspace(at('copy.fisao'))
  })
})
