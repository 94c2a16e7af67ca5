// Workspace files of every kind that a person may try to open, and the message each of them gets.
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { StudioError } from '../../shared/errors.ts'
import { listBackups, restoreBackup, takeBackup } from './backup.ts'
import { connect, type WritableDb } from './connection.ts'
import { createImport } from './imports.ts'
import { closeWorkspace, createWorkspace, openWorkspace, prepareWorkspace } from './open.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fisao-db-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string): string => join(folder, name)

/** A workspace with some rows, closed. */
function makeWorkspace(name = 'work.fisao', rows = 0): string {
  createWorkspace(at(name))
  const db = openWorkspace(at(name))
  for (let i = 0; i < rows; i++) createImport(db, `/folder/${i}`.padEnd(400, 'x'), i)
  closeWorkspace(db)
  return at(name)
}

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

describe('backups', () => {
  test('a damaged workspace is restored, and kept beside the restored one', async () => {
    const path = makeWorkspace('work.fisao', 10)
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
    const path = makeWorkspace('work.fisao', 2000)
    const db = openWorkspace(path)
    const writer = openWorkspace(path)
    const backup = takeBackup(db, path, 1_000)
    createImport(writer, '/written meanwhile', 1)
    await backup
    for (let day = 2; day < 9; day++) await takeBackup(db, path, day * 86_400_000)
    expect(listBackups(path).map(({ takenAtMs }) => takenAtMs / 86_400_000)).toEqual([8, 7, 6, 5, 4])
    await prepareWorkspace(listBackups(path)[0]?.path ?? '')
    closeWorkspace(writer)
    closeWorkspace(db)
  })

  test('a damaged backup changes nothing', async () => {
    const path = makeWorkspace()
    writeFileSync(at('bad.fisao'), 'not a database at all, and long enough to be looked at')
    await expect(restoreBackup(path, at('bad.fisao'))).rejects.toThrow()
    await prepareWorkspace(path)
  })

  test('is a whole workspace', async () => {
    const path = makeWorkspace('work.fisao', 5)
    const db: WritableDb = openWorkspace(path)
    const backup = await takeBackup(db, path)
    closeWorkspace(db)
    copyFileSync(backup, at('copy.fisao'))
    await prepareWorkspace(at('copy.fisao'))
  })
})
