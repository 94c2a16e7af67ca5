// ONNX Runtime's telemetry stays off on plain Node, on the app's runtime and in threads, whatever the environment says.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silencedOnBuildServers, telemetryOff } from '../../../shared/telemetryOff.ts'
import { silenceTelemetry } from './silenceTelemetry.ts'

const root = join(import.meta.dirname, '../../../..')
const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/esm/index.mjs')).href
const tsxApi = pathToFileURL(join(root, 'node_modules/tsx/dist/esm/api/index.mjs')).href
const tested = pathToFileURL(join(import.meta.dirname, 'silenceTelemetry.ts')).href
const script = join(import.meta.dirname, 'testing/runOneSession.ts')
const onLinux = process.platform === 'linux'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fisao-telemetry-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs one session in a process whose home, caches and temporary files are in `folder`. */
function runOneSession(executable: string, how: 'bare' | 'ours', env: NodeJS.ProcessEnv = {}): string {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !(name in telemetryOff) && !silencedOnBuildServers.includes(name),
  )
  return execFileSync(executable, ['--import', tsx, script, how], {
    encoding: 'utf8',
    env: { ...Object.fromEntries(inherited), HOME: folder, XDG_CACHE_HOME: folder, TMPDIR: folder, ...env },
  })
}

/** What telemetry writes, by the names that it gives its files. */
function remains(): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names.filter((name) => /\.onnxruntime|mat-debug|\.ses$/.test(name)).sort()
}

test.runIf(onLinux)('the library as it comes writes a device id, a database and a log', () => {
  runOneSession('node', 'bare')
  expect(remains().map((name) => name.replace(/\d+/, 'N'))).toEqual([
    '.ses',
    'Microsoft/DeveloperTools/.onnxruntime',
    'Microsoft/DeveloperTools/.onnxruntime/deviceid',
    'Microsoft/DeveloperTools/.onnxruntime/onnxruntime.db',
    'mat-debug-N.log',
  ])
})

test('no other file of the app and its tools can load the library', () => {
  const sources = ['src', 'tools', 'scripts', 'e2e'].flatMap((top) =>
    readdirSync(join(root, top), { recursive: true, encoding: 'utf8' }).map((name) => join(top, name)),
  )
  // As an import, or as the argument of one that is a function; lists of packages name it too.
  const loads = /(from |import\(|require\(|\)\()'onnxruntime-node'/
  const naming = sources.filter(
    (name) => /(?<!\.test)\.tsx?$/.test(name) && loads.test(readFileSync(join(root, name), 'utf8')),
  )
  expect(naming.sort()).toEqual([
    'src/main/engine/graph/ortSession.ts',
    'src/main/engine/graph/testing/runOneSession.ts',
  ])
})

test.each([
  ['plain Node', 'node', {}],
  ['plain Node, told to report', 'node', { ORT_DISABLE_TELEMETRY: '0' }],
  ['the runtime of the app', process.execPath, { ELECTRON_RUN_AS_NODE: '1' }],
])('a session of ours leaves nothing on %s', (_name, executable, env) => {
  expect(runOneSession(executable, 'ours', env)).toBe('2\n')
  expect(remains()).toEqual([])
})

test('a thread cannot switch it off by itself, and refuses instead', async () => {
  const source = `const { register } = await import(${JSON.stringify(tsxApi)})
    register()
    const { silenceTelemetry } = await import(${JSON.stringify(tested)})
    const { parentPort } = await import('node:worker_threads')
    try { silenceTelemetry(); parentPort.postMessage('silent') } catch (thrown) { parentPort.postMessage(thrown.code) }`
  const outcome = (env: NodeJS.ProcessEnv): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`)
      new Worker(url, { env, execArgv: [] }).once('message', resolve).once('error', reject)
    })
  expect(await outcome({})).toBe('device.telemetry')
  silenceTelemetry()
  expect(await outcome(process.env)).toBe('silent')
})
