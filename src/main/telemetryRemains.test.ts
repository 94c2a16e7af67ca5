// Of what lies beside it, only the telemetry's own files go.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { removeTelemetryRemains, telemetryFolders } from './telemetryRemains.ts'

let home = ''
let temporary = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'fisao-remains-'))
  temporary = join(home, 'tmp')
  mkdirSync(temporary)
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const sessionText = '1795748807249\n7a92c3f9-390c-ca95-1810-6012f92d2809'

test('removes device id, events, logs and the folders that are empty then', async () => {
  const folders = telemetryFolders(home, temporary, {}, 'linux')
  expect(folders.store).toBe(join(home, '.cache/Microsoft/DeveloperTools/.onnxruntime'))
  mkdirSync(folders.store as string, { recursive: true })
  for (const name of ['deviceid', 'deviceid.lock', 'onnxruntime.db', 'onnxruntime.db-wal', 'onnxruntime.db-shm']) {
    writeFileSync(join(folders.store as string, name), 'x')
  }
  // A process that has ended, as all of them have that left a log behind.
  const { pid } = spawnSync(process.execPath, ['-e', ''], { env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' } })
  writeFileSync(join(temporary, `mat-debug-${pid}.log`), '')
  writeFileSync(join(temporary, '.ses'), sessionText)
  expect(await removeTelemetryRemains(folders)).toHaveLength(7)
  expect(readdirSync(temporary)).toEqual([])
  expect(readdirSync(join(home, '.cache'))).toEqual([])
  expect(await removeTelemetryRemains(folders)).toEqual([])
})

test("leaves alone what is not the telemetry's, and what is still in use", async () => {
  const folders = telemetryFolders(home, temporary, { XDG_CACHE_HOME: join(home, 'c') }, 'linux')
  const store = folders.store as string
  mkdirSync(join(store, 'onnxruntime.db'), { recursive: true })
  writeFileSync(join(home, 'c/Microsoft/other'), '')
  writeFileSync(join(store, 'deviceid'), 'x')
  writeFileSync(join(store, 'model.onnx'), 'x')
  writeFileSync(join(home, 'mine'), 'mine')
  symlinkSync(join(home, 'mine'), join(store, 'deviceid.lock'))
  for (const name of [`mat-debug-${process.pid}.log`, 'mat-debug-.log', 'mat-debug-1.log.txt', 'xmat-debug-1.log']) {
    writeFileSync(join(temporary, name), '')
  }
  writeFileSync(join(temporary, '.ses'), 'notes of a person')
  expect(await removeTelemetryRemains(folders)).toEqual([join(store, 'deviceid')])
  expect(readdirSync(temporary)).toHaveLength(5)
  expect(readdirSync(store).sort()).toEqual(['deviceid.lock', 'model.onnx', 'onnxruntime.db'])
  expect(existsSync(join(home, 'mine'))).toBe(true)
})

test('looks where each system keeps them, and passes over what is not there', async () => {
  expect(telemetryFolders('/Users/a', '/t', {}, 'darwin').store).toBe(
    '/Users/a/Library/Application Support/Microsoft/DeveloperTools/.onnxruntime',
  )
  expect(telemetryFolders('C:\\a', 'C:\\t', {}, 'win32').store).toBe(null)
  expect(await removeTelemetryRemains({ store: join(home, 'no'), temporary: join(home, 'such') })).toEqual([])
})
