// Exports that fail, each in its own way: a sentence, and no half folder. Disks, processes, files and model are real.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { unfinishedSuffix } from '../../../shared/fileName.ts'
import { createWorkspace, openWorkspace } from '../../db/open.ts'
import { canMakeDisks, makeSmallDisk } from '../../db/testing/smallDisk.ts'
import { addDemoRun, demoModel } from './testing/demoRun.ts'
import { exportRun } from './workspaceJobs.ts'

const home = mkdtempSync(join(tmpdir(), 'fisao-export-'))
const path = join(home, 'work.fisao')
createWorkspace(path)
const db = openWorkspace(path)
const runId = addDemoRun(db, 6)
afterAll(() => {
  db.close()
  rmSync(home, { recursive: true, force: true })
})

const write = (folder: string, { merged = true, signal }: { merged?: boolean; signal?: AbortSignal } = {}) =>
  exportRun(db, { runId, step: 0, strength: 1, folder, merged }, signal)

function newFolder(name: string): string {
  const folder = join(home, name)
  mkdirSync(folder)
  return folder
}

const testOnSmallDisk = test.skipIf(!canMakeDisks)

async function onSmallDisk(options: string, work: (disk: string) => Promise<void>): Promise<void> {
  const disk = makeSmallDisk(join(home, `disk ${options}`), options)
  try {
    await work(disk.folder)
  } finally {
    disk.unmount()
  }
}

test('an export is whole when it has its name', async () => {
  const parent = newFolder('whole')
  await write(join(parent, 'out'))
  expect(readdirSync(parent)).toEqual(['out'])
  expect(readdirSync(join(parent, 'out')).sort()).toEqual(['adapter', 'merged', 'run.json'])
})

describe('an export that fails leaves nothing behind', () => {
  testOnSmallDisk('where it is too large for the disk: both sizes are named, and nothing is begun', async () => {
    await onSmallDisk('size=2m', async (disk) => {
      await expect(write(join(disk, 'out'))).rejects.toMatchObject({
        code: 'run.export-no-room',
        message: 'This export takes 5.9 MB, and its disk has 2.1 MB free.',
      })
      expect(readdirSync(disk)).toEqual([])
    })
  })

  testOnSmallDisk.each([
    ['a folder', 1],
    ['its first file', 2],
    ['the files of the adapter', 4],
    ['the merged model', 7],
  ])('where the disk is full for %s', async (_name, files) => {
    // The root of the disk is one of its files.
    await onSmallDisk(`size=64m,nr_inodes=${files}`, async (disk) => {
      const failed = write(join(disk, 'out'))
      await expect(failed).rejects.toMatchObject({
        code: expect.stringMatching(/^(run.export-failed|weights.disk-full)$/),
      })
      await expect(failed).rejects.toMatchObject({ message: expect.stringMatching(/disk is full/) })
      expect(readdirSync(disk)).toEqual([])
    })
  })

  test('where the name is too long', async () => {
    const parent = newFolder('long')
    await expect(write(join(parent, 'x'.repeat(255)))).rejects.toMatchObject({
      code: 'run.export-failed',
      message: expect.stringContaining('too long'),
    })
    expect(readdirSync(parent)).toEqual([])
    const longest = 'x'.repeat(255 - unfinishedSuffix.length)
    await write(join(parent, longest), { merged: false })
    expect(readdirSync(parent)).toEqual([longest])
  })

  test('where the place is taken, which stays as it is', async () => {
    const parent = newFolder('taken')
    mkdirSync(join(parent, 'out'))
    writeFileSync(join(parent, 'out', 'mine.txt'), 'mine')
    await expect(write(join(parent, 'out'))).rejects.toMatchObject({ code: 'run.export-taken' })
    expect(readdirSync(join(parent, 'out'))).toEqual(['mine.txt'])
    writeFileSync(join(parent, 'file'), 'mine')
    await expect(write(join(parent, 'file'))).rejects.toMatchObject({ code: 'run.export-failed' })
    expect(readdirSync(parent).sort()).toEqual(['file', 'out'])
  })

  test('where it is cancelled', async () => {
    const parent = newFolder('cancelled')
    await expect(write(join(parent, 'out'), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'run.cancelled',
    })
    expect(readdirSync(parent)).toEqual([])
  })

  test('where the model is gone, or goes while it is merged', async () => {
    const parent = newFolder('model gone')
    const model = join(home, 'model')
    cpSync(demoModel, model, { recursive: true })
    db.prepare('UPDATE model SET folder = ?').run(model)
    try {
      // Found out when the adapter is written already, and the model is being copied.
      mkdirSync(join(model, 'LICENSE'))
      await expect(write(join(parent, 'out'))).rejects.toMatchObject({ code: 'weights.unreadable' })
      expect(readdirSync(parent)).toEqual([])
      rmSync(model, { recursive: true })
      await expect(write(join(parent, 'out'))).rejects.toMatchObject({
        code: expect.stringMatching(/^(model|weights)\./),
      })
    } finally {
      db.prepare('UPDATE model SET folder = ?').run(demoModel)
    }
    expect(readdirSync(parent)).toEqual([])
  })

  /** FISAO_THOROUGH asks for all. */
  const kills = process.env.FISAO_THOROUGH === 'yes' ? [0, 1, 2, 3, 4, 5, 6, 7] : [0, 2, 4]
  test(`where its process is killed, at ${kills.length} moments: never a half folder under its name, and the next export clears up`, {
    timeout: 120_000,
  }, async () => {
    const parent = newFolder('killed')
    const out = join(parent, 'out')
    let unfinished = 0
    for (const kill of kills) {
      const child = spawn(process.execPath, [inject('scripts').exportWorkspace, path, String(runId), out], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const ended = once(child, 'close')
      await once(child.stdout, 'data')
      // Watched from here on: the later the kill, the more is written.
      const wanted = ['', 'adapter', 'adapter/adapter_config.json', 'merged', 'run.json'][kill % 5] as string
      while (child.exitCode === null && !existsSync(join(`${out}${unfinishedSuffix}`, wanted)) && !existsSync(out)) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      child.kill('SIGKILL')
      await ended
      if (existsSync(`${out}${unfinishedSuffix}`)) unfinished++
      if (existsSync(out)) {
        expect(readdirSync(out).sort()).toEqual(['adapter', 'merged', 'run.json'])
        rmSync(out, { recursive: true })
      }
      expect(readdirSync(parent).filter((name) => name !== `out${unfinishedSuffix}`)).toEqual([])
    }
    expect(unfinished).toBeGreaterThan(0)
    await write(out)
    expect(readdirSync(parent)).toEqual(['out'])
  })
})
