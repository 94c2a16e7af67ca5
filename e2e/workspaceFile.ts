// What tests do to workspace files outside of the app, run on the app's own runtime (see onRuntime in studio.ts):
// `make PATH COUNT` seeds one with images, `begin PATH FOLDER` makes one with an import that waits to go on,
// `damage PATH` loses a page of its images, `grow PATH` commits so much that SQLite folds the log into the file by
// itself, `unturn PATH` stores sizes as versions did that laid PNG, WebP and AVIF as their files lie, `check PATH` prints integrity and counts as JSON.
import { closeSync, openSync, writeSync } from 'node:fs'
import { connect } from '../src/main/db/connection.ts'
import { createImport } from '../src/main/db/imports.ts'
import { closeWorkspace, createWorkspace, openWorkspace, prepareWorkspace } from '../src/main/db/open.ts'
import { writeSetting } from '../src/main/db/settings.ts'
import { seedLibrary } from '../src/main/db/testing/seedLibrary.ts'
import { picture } from '../src/main/library/testing/pictures.ts'

/** What `check` prints. */
export interface WorkspaceCheck {
  readonly integrity: string
  readonly foreignKeyViolations: number
  readonly images: number
  readonly paths: number
  readonly hashes: number
  readonly thumbnails: number
  readonly importStates: readonly string[]
}

const [command, path = '', argument = ''] = process.argv.slice(2)
if (command === 'make') await make(path, Number(argument))
if (command === 'begin') begin(path, argument)
if (command === 'damage') damage(path)
if (command === 'grow') grow(path)
if (command === 'unturn') unturn(path)
if (command === 'check') process.stdout.write(`${JSON.stringify(await check(path))}\n`)

async function make(target: string, images: number): Promise<void> {
  createWorkspace(target)
  const db = openWorkspace(target)
  const thumbnails = await Promise.all(Array.from({ length: 24 }, (_, number) => picture(number, 192)))
  seedLibrary(db, images, thumbnails)
  closeWorkspace(db)
}

function grow(target: string): void {
  const db = openWorkspace(target)
  for (let i = 0; i < 8; i++) writeSetting(db, `large ${i}`, 'x'.repeat(1_000_000))
  db.close()
}

function unturn(target: string): void {
  const db = openWorkspace(target)
  db.exec("UPDATE image SET width = height, height = width; DELETE FROM setting WHERE key = 'imageLayout'")
  closeWorkspace(db)
}

function begin(target: string, folder: string): void {
  createWorkspace(target)
  const db = openWorkspace(target)
  createImport(db, folder, Date.now())
  closeWorkspace(db)
}

/** Zeroes the second page of the table of images, as a bad block of a disk does. */
function damage(target: string): void {
  const db = connect(target)
  const page = db.prepare("SELECT pageno FROM dbstat WHERE name = 'image' AND pagetype = 'leaf' LIMIT 1 OFFSET 1")
  const number = page.pluck().get() as number
  db.close()
  const file = openSync(target, 'r+')
  writeSync(file, Buffer.alloc(4096), 0, 4096, (number - 1) * 4096)
  closeSync(file)
}

async function check(target: string): Promise<WorkspaceCheck> {
  await prepareWorkspace(target)
  const db = connect(target)
  const value = (sql: string): number => db.prepare(sql).pluck().get() as number
  const result = {
    integrity: db.pragma('integrity_check', { simple: true }) as string,
    foreignKeyViolations: (db.pragma('foreign_key_check') as unknown[]).length,
    images: value('SELECT count(*) FROM image'),
    paths: value('SELECT count(DISTINCT path) FROM image'),
    hashes: value('SELECT count(DISTINCT sha256) FROM image'),
    thumbnails: value('SELECT count(*) FROM thumbnail'),
    importStates: db.prepare('SELECT state FROM import ORDER BY import_id').pluck().all() as string[],
  }
  db.close()
  return result
}
