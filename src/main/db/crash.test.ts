// What a workspace is worth on a bad day: processes killed in the middle of a commit, a disk that is full, another
// connection in the way, a log left behind by a file that is gone.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import type { RunId } from '../../shared/domain.ts'
import { restoreBackup } from './backup.ts'
import { checkpointPart, listCheckpoints } from './checkpoints.ts'
import { connect } from './connection.ts'
import { createImport, listImports, storeBatch } from './imports.ts'
import { closeWorkspace, createWorkspace, openWorkspace, prepareWorkspace } from './open.ts'
import { responsesOfStep } from './rollouts.ts'
import { brokenSeals } from './seals.ts'
import { startSession, writeSetting } from './settings.ts'
import { seedResponses } from './testing/responses.ts'
import { addCheckpoint, temporaryWorkspace } from './testing/temporaryWorkspace.ts'

/** Kills of the writer; FISAO_THOROUGH and FISAO_KILLS ask for more. */
const kills = Number(process.env.FISAO_KILLS ?? (process.env.FISAO_THOROUGH === 'yes' ? 12 : 4))

/** A process that commits steps of a run without end: responses, metrics and a checkpoint in one transaction. */
function startWriter(path: string, runId: RunId): ChildProcess {
  const stdio = ['ignore', 'pipe', 'inherit'] as const
  return spawn(process.execPath, [inject('scripts').writeSteps, path, String(runId)], { stdio: [...stdio] })
}

test(`${kills} times kill -9 in the middle of commits: whole, and every reported step is there`, {
  timeout: 60_000 + kills * 5_000,
}, async () => {
  const { path, db, runId } = temporaryWorkspace(64)
  let reported = 0
  for (let kill = 0; kill < kills; kill++) {
    const writer = startWriter(path, runId)
    const before = reported
    await new Promise<void>((resolve) => {
      let text = ''
      writer.stdout?.on('data', (chunk: Buffer) => {
        text += chunk
        reported = Math.max(reported, ...text.split('\n').slice(0, -1).map(Number))
        // A commit takes a few milliseconds; these delays fall all over it.
        if (reported >= before + 2) setTimeout(resolve, (kill * 7) % 23)
      })
    })
    writer.kill('SIGKILL')
    await once(writer, 'close')

    expect(integrityOf(path)).toBe('ok')
    expect(db.pragma('foreign_key_check')).toEqual([])
    expect(brokenSeals(db)).toEqual([])
    const steps = listCheckpoints(db, runId).map(({ step }) => step)
    expect(steps).toEqual(steps.map((_, index) => index + 1))
    expect(steps.length).toBeGreaterThanOrEqual(reported)
    expect(steps.length).toBeLessThanOrEqual(reported + 1)
  }
  for (const { step, checkpointId } of listCheckpoints(db, runId)) {
    expect(responsesOfStep(db, runId, step)).toHaveLength(16)
    const adapter = new Uint8Array(1_200_000).fill(step % 256)
    expect(Buffer.compare(checkpointPart(db, checkpointId, 'adapter'), adapter)).toBe(0)
  }
  const orphans = 'SELECT count(*) AS n FROM token WHERE rollout_id NOT IN (SELECT rollout_id FROM rollout)'
  expect(db.prepare(orphans).get()).toEqual({ n: 0 })
})

/**
 * SQLite's full check, on a connection of its own: on one that has read the search index before another connection
 * wrote to it, the check compares the index with what this one remembers of it and reports damage that is not there.
 */
function integrityOf(path: string): unknown {
  const db = openWorkspace(path)
  try {
    return db.pragma('integrity_check', { simple: true })
  } finally {
    closeWorkspace(db)
  }
}

describe('two connections', () => {
  test('a reader sees the last commit whole while a writer is in the middle of the next', () => {
    const { path, db: writer, runId } = temporaryWorkspace(64)
    const reader = openWorkspace(path)
    seedResponses(writer, runId, addCheckpoint(writer, runId, 0), { images: 10, length: 8 })
    writer.exec('BEGIN IMMEDIATE')
    seedResponses(writer, runId, addCheckpoint(writer, runId, 1), { images: 10, length: 8 })
    const startMs = performance.now()
    expect(listCheckpoints(reader, runId).map(({ step }) => step)).toEqual([0])
    expect(responsesOfStep(reader, runId, 0)).toHaveLength(10)
    expect(performance.now() - startMs).toBeLessThan(1000)
    writer.exec('COMMIT')
    expect(listCheckpoints(reader, runId).map(({ step }) => step)).toEqual([0, 1])
    closeWorkspace(reader)
  })

  test.each(['BEGIN IMMEDIATE', 'BEGIN; SELECT count(*) FROM image'])(
    'one closes at once while the other is in "%s"',
    (busy) => {
      const { path, db: other } = temporaryWorkspace()
      const db = openWorkspace(path)
      writeSetting(db, 'prompt', 'Describe.')
      other.exec(busy)
      const startMs = performance.now()
      closeWorkspace(db)
      expect(performance.now() - startMs).toBeLessThan(1000)
      expect(db.open).toBe(false)
      other.exec('ROLLBACK')
    },
  )

  test('who cannot write because of the other says so', () => {
    const { path, db: other } = temporaryWorkspace()
    const db = openWorkspace(path)
    db.pragma('busy_timeout = 50')
    const importId = createImport(db, '/pictures', 1)
    other.exec('BEGIN IMMEDIATE')
    expect(() => storeBatch(db, importId, [], () => null, 1)).toThrow('Another program is using the workspace file.')
    other.exec('ROLLBACK')
    storeBatch(db, importId, [], () => null, 1)
    closeWorkspace(db)
  })
})

test('a full disk loses the step that did not fit, and nothing before it', () => {
  const { db } = temporaryWorkspace()
  const importId = createImport(db, '/pictures', 1)
  const issues = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => ({
      issue: { path: `/pictures/${from + i}`.padEnd(3000, 'x'), code: 'empty' as const, message: 'It is empty.' },
    }))
  storeBatch(db, importId, issues(0, 5), () => null, 1)
  // SQLite answers exactly as on a full disk when a file may have no more pages.
  db.pragma(`max_page_count = ${db.pragma('page_count', { simple: true })}`)
  expect(() => storeBatch(db, importId, issues(5, 500), () => null, 1)).toThrow(
    expect.objectContaining({
      code: 'workspace.disk-full',
      message: 'The disk is full, so nothing more could be stored; everything before is kept.',
      remedy: 'Free some space on the disk of the workspace, then try again.',
    }),
  )
  expect(listImports(db)[0]).toMatchObject({ importId, skipped: 5 })
  db.pragma('max_page_count = 1000000')
  storeBatch(db, importId, issues(5, 500), () => null, 1)
  expect(listImports(db)[0]).toMatchObject({ importId, skipped: 505 })
})

describe('files', () => {
  test('the log of a workspace that is gone does not leak into a new one of its name', async () => {
    const { path: elsewhere } = temporaryWorkspace()
    const folder = join(dirname(elsewhere), 'new')
    mkdirSync(folder)
    const path = join(folder, 'work.fisao')
    createWorkspace(path)
    const old = openWorkspace(path)
    for (let i = 0; i < 300; i++) createImport(old, `/old/${i}`.padEnd(300, 'x'), i)
    copyFileSync(`${path}-wal`, join(folder, 'copy'))
    closeWorkspace(old)
    rmSync(path)
    copyFileSync(join(folder, 'copy'), `${path}-wal`)

    createWorkspace(path)
    await prepareWorkspace(path)
    const db = openWorkspace(path)
    expect(listImports(db)).toEqual([])
    closeWorkspace(db)
    expect(readdirSync(folder).filter((name) => /^work left over .*\.fisao-wal$/.test(name))).toHaveLength(1)
  })

  test('a newer workspace names the version to update to, and is not changed', async () => {
    const { path, db } = temporaryWorkspace()
    startSession(db, '0.1.0', 1)
    startSession(db, '9.1.0', 2)
    // A newer app's migrations have changed the schema; the number alone would be damage.
    db.exec('CREATE TABLE later (a INTEGER) STRICT')
    db.pragma('user_version = 999')
    const error = {
      code: 'workspace.newer',
      remedy:
        'Update FiSAO Studio on this computer to 9.1.0 or newer, then open the workspace again; it was not changed.',
      found: 'schema 999, last opened by FiSAO Studio 9.1.0',
    }
    await expect(prepareWorkspace(path)).rejects.toMatchObject(error)
    expect(() => openWorkspace(path)).toThrow(expect.objectContaining(error))
    db.exec('DROP TABLE session')
    await expect(prepareWorkspace(path)).rejects.toMatchObject({ code: 'workspace.newer', found: 'schema 999' })
  })

  test('a new workspace in a folder that is not there', () => {
    const { path } = temporaryWorkspace()
    expect(() => createWorkspace(join(dirname(path), 'gone', 'new.fisao'))).toThrow(
      'The folder for the new workspace is not there.',
    )
  })

  test('a backup that is gone, or of another program, changes nothing', async () => {
    const { path, db } = temporaryWorkspace()
    const gone = restoreBackup(path, join(dirname(path), 'gone.fisao'))
    await expect(gone).rejects.toThrow('This backup is no longer there.')
    const foreign = connect(join(dirname(path), 'other.sqlite'), { create: true })
    foreign.exec('CREATE TABLE bookmarks (url TEXT)')
    foreign.close()
    await expect(restoreBackup(path, join(dirname(path), 'other.sqlite'))).rejects.toThrow(
      'This file is a database of another program, not a FiSAO Studio workspace.',
    )
    writeSetting(db, 'prompt', 'still here')
    await prepareWorkspace(path)
  })

  test('a restore keeps the log of the damaged file with it, away from the restored one', async () => {
    const { path } = temporaryWorkspace()
    const folder = dirname(path)
    const broken = join(folder, 'broken.fisao')
    writeFileSync(broken, 'ruined')
    writeFileSync(`${broken}-wal`, 'its log')
    createWorkspace(join(folder, 'backup.fisao'))
    const keptAs = await restoreBackup(broken, join(folder, 'backup.fisao'))
    await prepareWorkspace(broken)
    const kept = readdirSync(folder).filter((name) => join(folder, name).startsWith(keptAs))
    expect(kept.map((name) => join(folder, name)).sort()).toEqual([keptAs, `${keptAs}-wal`])
  })
})
