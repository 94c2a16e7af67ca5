// Workspace files of every kind that a person may try to open, and the message each of them gets.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { StudioError } from '../../shared/errors.ts'
import { backupFolder, restoreBackup, takeBackup } from './backup.ts'
import { connect } from './connection.ts'
import { createImport } from './imports.ts'
import { currentVersion } from './migrate.ts'
import { closeWorkspace, createWorkspace, openWorkspace, prepareWorkspace } from './open.ts'
import { inspectDamage, salvageWorkspace } from './salvage.ts'
import { fillWorkspace } from './testing/fullWorkspace.ts'
import { makeWorkspaceWithRows } from './testing/temporaryWorkspace.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fisao-db-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string): string => join(folder, name)

/** A workspace with some rows, closed. */
const makeWorkspace = (name = 'work.fisao', rows = 0): string => makeWorkspaceWithRows(at(name), rows)

/** The error of preparing the file at `path`. */
async function refusal(path: string): Promise<StudioError> {
  const error = await prepareWorkspace(path).then(
    () => new Error('it was accepted'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof StudioError)) throw error
  return error
}

describe('a new workspace', () => {
  test('opens, and leaves nothing but itself behind', async () => {
    const path = makeWorkspace()
    await prepareWorkspace(path)
    expect(readdirSync(folder)).toEqual(['work.fisao'])
  })

  test('commits with a full flush, in WAL mode, with foreign keys', () => {
    const db = openWorkspace(makeWorkspace())
    const pragma = (name: string): unknown => db.pragma(name, { simple: true })
    expect([pragma('synchronous'), pragma('journal_mode'), pragma('foreign_keys')]).toEqual([2, 'wal', 1])
    closeWorkspace(db)
  })

  test('does not replace a file that is there', () => {
    makeWorkspace()
    expect(() => createWorkspace(at('work.fisao'))).toThrow('There already is a file named work.fisao in this folder.')
  })
})

describe('a file that cannot be used says so', () => {
  test('missing', async () => {
    const error = await refusal(at('gone.fisao'))
    expect(error.code).toBe('workspace.missing')
    expect(error.message).toBe('The workspace file is no longer there; it was moved, renamed or deleted.')
  })

  test('a folder', async () => {
    mkdirSync(at('dir.fisao'))
    expect((await refusal(at('dir.fisao'))).message).toBe('This is a folder, not a workspace file.')
  })

  test('not a database', async () => {
    writeFileSync(at('notes.fisao'), 'shopping list: apples, bananas'.repeat(50))
    const error = await refusal(at('notes.fisao'))
    expect(error.code).toBe('workspace.foreign')
    expect(error.message).toBe('This file is not a FiSAO Studio workspace.')
  })

  test("another program's database", async () => {
    const db = connect(at('other.fisao'), { create: true })
    db.exec('CREATE TABLE bookmarks (url TEXT)')
    db.close()
    const error = await refusal(at('other.fisao'))
    expect(error.code).toBe('workspace.foreign')
    expect(error.message).toBe('This file is a database of another program, not a FiSAO Studio workspace.')
  })

  test('empty', async () => {
    writeFileSync(at('empty.fisao'), '')
    expect((await refusal(at('empty.fisao'))).message).toBe('The workspace file is empty (0 bytes).')
  })

  test('written by a newer app', async () => {
    const path = makeWorkspace()
    const db = connect(path)
    // A newer app's migrations have changed the schema; the number alone would be damage.
    db.exec('CREATE TABLE later (a INTEGER) STRICT')
    db.pragma('user_version = 999')
    db.close()
    const error = await refusal(path)
    expect(error.code).toBe('workspace.newer')
    expect(error.message).toBe('This workspace was written by a newer version of FiSAO Studio.')
    expect(() => openWorkspace(path)).toThrow(error.message)
  })

  test('pages overwritten with noise', async () => {
    const path = makeWorkspace('work.fisao', 3000)
    const file = openSync(path, 'r+')
    for (let page = 60; page < 90; page++) writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096)
    const error = await refusal(path)
    expect(error.code).toBe('workspace.damaged')
    expect(error.message).toBe('The workspace file is damaged: parts of it cannot be read.')
    expect(error.remedy).toBe('Restore one of its automatic backups; the damaged file is kept beside it.')
  })

  test('half copied', async () => {
    const path = makeWorkspace('work.fisao', 3000)
    truncateSync(path, 4096 * 50)
    expect((await refusal(path)).code).toBe('workspace.damaged')
  })

  test.each([
    ['a table is missing', 'DROP TABLE vote'],
    ['an index is missing', 'DROP INDEX image_by_name'],
    ['a trigger is missing', 'DROP TRIGGER image_name_search_insert'],
    ['a table has another column', 'ALTER TABLE tag ADD COLUMN colour TEXT'],
    ['all tables are missing', 'PRAGMA user_version = 0; PRAGMA writable_schema = ON; DELETE FROM sqlite_schema'],
    ['its version says 0', 'PRAGMA user_version = 0'],
    ['its version says 2', 'PRAGMA user_version = 2'],
    ['its version says one more', `PRAGMA user_version = ${currentVersion + 1}`],
    ['its version says 260', 'PRAGMA user_version = 260'],
    ['its version is negative', 'PRAGMA user_version = -4'],
    ['its search knows nothing', "INSERT INTO image_name_search (image_name_search) VALUES ('delete-all')"],
    ['its search knows other words', "INSERT INTO response_search (rowid, text) VALUES (1, 'giraffe')"],
    ['a row was changed behind its seal', "DROP TRIGGER setting_seal_update; UPDATE setting SET value = '7'"],
  ])('%s', async (name, harm) => {
    const path = makeWorkspace()
    const db = openWorkspace(path)
    fillWorkspace(db, { images: 7, steps: 1, weightBytes: 10 })
    const seal = db.prepare("SELECT sql FROM sqlite_schema WHERE name = 'setting_seal_update'").pluck().get() as string
    db.unsafeMode(true)
    db.exec(harm)
    if (name.includes('seal')) db.exec(seal)
    db.close()
    const error = await refusal(path)
    expect(error.code).toBe('workspace.damaged')
    expect(error.message).toMatch(/^The workspace file is damaged: /)
    // Its rows are all there, but for those that were changed or dropped.
    expect(inspectDamage(path)?.images).toEqual(name === 'all tables are missing' ? undefined : { kept: 7, lost: 0 })
  })

  test.each([0, 5, 15, 16, 18, 19, 20, 21, 22, 23, 44, 47, 52, 56, 59, 64, 68, 71, 80])(
    'a bit flipped at byte %i of its header',
    async (offset) => {
      const path = makeWorkspace()
      const file = readFileSync(path)
      file[offset]! ^= 64
      writeFileSync(path, file)
      const error = await refusal(path)
      expect([error.code, error.message]).toEqual([
        'workspace.damaged',
        'The beginning of the workspace file is damaged.',
      ])
      salvageWorkspace(path)
      await prepareWorkspace(path)
    },
  )

  test.runIf(process.platform === 'linux')('in a read-only folder', () => {
    expect(refusalWithoutWriteAccess(makeWorkspace())).toEqual([
      'workspace.read-only',
      'The workspace cannot be written: its file or folder is read-only.',
      'Copy the workspace to a folder that you may write to, and open it there.',
    ])
  })
})

/**
 * Code, message and remedy that a user gets who may read the workspace but not write it or beside it. Root may
 * write anywhere, so a process of its own gives root's rights up once it has loaded what only root may read.
 */
function refusalWithoutWriteAccess(path: string): unknown {
  const root = join(import.meta.dirname, '../../..')
  const source = `
    import { connect } from ${JSON.stringify(join(import.meta.dirname, 'connection.ts'))}
    import { prepareWorkspace } from ${JSON.stringify(join(import.meta.dirname, 'open.ts'))}
    connect(':memory:', { create: true }).close()
    if (process.getuid() === 0) {
      process.setgid(65534)
      process.setuid(65534)
    }
    prepareWorkspace(${JSON.stringify(path)}).then(
      () => console.log('"accepted"'),
      ({ code, message, remedy }) => console.log(JSON.stringify([code, message, remedy])),
    )`
  const script = at('ask.cjs')
  execFileSync(
    join(root, 'node_modules/.bin/esbuild'),
    [
      '--bundle',
      '--platform=node',
      '--external:better-sqlite3',
      '--loader=ts',
      `--outfile=${script}`,
      '--log-level=error',
    ],
    { input: source, cwd: root },
  )
  execFileSync('chmod', ['a=rX', folder, path])
  try {
    const env = { ...process.env, NODE_PATH: join(root, 'node_modules') }
    return JSON.parse(execFileSync(process.execPath, [script], { encoding: 'utf8', env }))
  } finally {
    execFileSync('chmod', ['u+w', folder])
  }
}

describe('files', () => {
  test('of killed work are removed when the folder is used again, those of living processes are not', async () => {
    const path = makeWorkspace('work.fisao')
    const living = spawn(process.execPath, ['-e', 'setTimeout(() => 0, 60000)'], { env: { ELECTRON_RUN_AS_NODE: '1' } })
    const dead = spawnSync(process.execPath, ['-e', ''], { env: { ELECTRON_RUN_AS_NODE: '1' } }).pid
    const host = hostname()
      .replaceAll(/[^\w.]/g, '_')
      .slice(0, 40)
    const backups = backupFolder(path)
    mkdirSync(backups)
    const gone = [
      ...[`.fisao-${host}-${dead}-1.tmp`, `.fisao-${host}-${dead}-1.tmp-wal`, `.fisao-${host}-${dead}-2.tmp-journal`],
      ...[
        `.fisao-${host}-${process.pid}-999.tmp`,
        `work.fisao.${dead}.creating`,
        `work.fisao.${dead}.creating-journal`,
      ],
      `work.fisao.${dead}.restoring`,
    ]
    const kept = [
      `.fisao-${host}-${living.pid}-1.tmp`,
      `.fisao-elsewhere-${dead}-1.tmp`,
      `other.fisao.${living.pid}.restoring`,
    ]
    for (const name of [...gone, ...kept]) writeFileSync(at(name), 'half')
    const partial = join(backups, '2026-01-01 00-00-00.000.fisao.partial')
    writeFileSync(partial, 'half')
    await prepareWorkspace(path)
    const db = openWorkspace(path)
    await takeBackup(db, path)
    closeWorkspace(db)
    living.kill()
    expect(readdirSync(folder).sort()).toEqual([...kept, 'work backups', 'work.fisao'].sort())
    expect(readdirSync(backups)).toHaveLength(1)
  })

  test.runIf(process.platform !== 'win32')(
    'are for their owner alone, those of earlier versions from now on',
    async () => {
      const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8)
      const path = makeWorkspace()
      const db = openWorkspace(path)
      createImport(db, '/pictures', 1)
      const backup = await takeBackup(db, path)
      const all = [path, `${path}-wal`, `${path}-shm`, backup]
      expect(all.map(mode)).toEqual(['600', '600', '600', '600'])
      expect(mode(backupFolder(path))).toBe('700')
      for (const file of all) chmodSync(file, 0o644)
      chmodSync(backupFolder(path), 0o755)
      await prepareWorkspace(path)
      expect(all.map(mode)).toEqual(['600', '600', '600', '600'])
      expect(mode(backupFolder(path))).toBe('700')
      const keptAs = await restoreBackup(path, backup)
      expect([mode(path), mode(keptAs)]).toEqual(['600', '600'])
      closeWorkspace(db)
    },
  )

  test('with the longest name that is possible are made, backed up and restored; a longer one is refused', async () => {
    const longest = `${'é'.repeat(120)}x.fisao`
    const path = makeWorkspace(longest)
    expect(Buffer.byteLength(longest)).toBe(247)
    const db = openWorkspace(path)
    const backup = await takeBackup(db, path)
    closeWorkspace(db)
    await restoreBackup(path, backup)
    await prepareWorkspace(path)
    const refusal = { code: 'workspace.name-too-long', message: 'The name of the workspace is too long for this disk.' }
    for (const length of [248, 255, 4000]) {
      const name = `${'n'.repeat(length - 6)}.fisao`
      expect(() => createWorkspace(at(name))).toThrow(expect.objectContaining(refusal))
      await expect(prepareWorkspace(at(name))).rejects.toMatchObject(refusal)
      expect(() => openWorkspace(at('n'.repeat(300)))).toThrow(expect.objectContaining(refusal))
    }
  })

  test('that are kept aside never take the place of one another, also when the clock stands still', async () => {
    const path = makeWorkspace()
    const db = openWorkspace(path)
    const backup = await takeBackup(db, path)
    closeWorkspace(db)
    const kept = new Set<string>()
    for (let i = 0; i < 3; i++) kept.add(await restoreBackup(path, backup, 1_000))
    expect(kept.size).toBe(3)
    expect(readdirSync(folder).filter((name) => name.startsWith('work damaged'))).toHaveLength(3)
  })
})
