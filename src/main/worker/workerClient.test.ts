// Supervision of a real child process: answers, progress, cancel, crashes, silence and giving up.
import { execFileSync, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { WorkerStatus } from '../../shared/workerStatus.ts'
import { testMethods } from './testing/methods.ts'
import { WorkerClient, type WorkerPort } from './workerClient.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-worker-'))
const script = join(folder, 'worker.cjs')
let client: WorkerClient<typeof testMethods> | null = null

beforeAll(() => {
  const esbuild = join(import.meta.dirname, '../../../node_modules/.bin/esbuild')
  const entry = join(import.meta.dirname, 'testing/worker.ts')
  execFileSync(esbuild, [entry, '--bundle', '--platform=node', `--outfile=${script}`, '--log-level=error'])
})
afterEach(() => client?.stop())
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function spawn(args: readonly string[] = []): WorkerPort {
  const child = fork(script, args, { serialization: 'advanced', silent: true })
  return {
    get pid() {
      return child.pid
    },
    postMessage: (message) => void child.send(message),
    onMessage: (listener) => child.on('message', listener),
    onExit: (listener) => child.on('exit', listener),
    kill: () => child.kill('SIGKILL'),
  }
}

function start(options: { args?: readonly string[]; silenceMs?: number; maxRestartsInARow?: number } = {}): {
  client: WorkerClient<typeof testMethods>
  states: WorkerStatus['state'][]
} {
  const states: WorkerStatus['state'][] = []
  const { args, ...rest } = options
  client = new WorkerClient({
    name: 'test',
    area: 'engine',
    methods: testMethods,
    spawn: () => spawn(args),
    onStatus: ({ state }) => states.push(state),
    backoffMs: 5,
    ...rest,
  })
  client.start()
  return { client, states }
}

test('answers requests that were made before it was ready, with progress on the way', async () => {
  const { client, states } = start()
  const progress: number[] = []
  const answer = await client.request('count', { to: 3 }, { onProgress: ({ at }) => progress.push(at) })
  expect(answer).toEqual({ counted: 3 })
  expect(progress).toEqual([1, 2, 3])
  expect(states).toEqual(['starting', 'ready'])
})

test('an error keeps its code and remedy', async () => {
  const { client } = start()
  await expect(client.request('fail', {})).rejects.toMatchObject({ code: 'engine.on-purpose', remedy: 'Do not ask.' })
})

test('parameters and results that were not agreed are refused', async () => {
  const { client } = start()
  await expect(client.request('count', { to: 'three' } as never)).rejects.toMatchObject({ code: 'ipc.bad-params' })
  await expect(client.request('lie', {})).rejects.toMatchObject({ code: 'engine.malformed' })
})

test('a cancel reaches the work', async () => {
  const { client } = start()
  const abort = new AbortController()
  const answer = client.request('count', { to: 1e9 }, { signal: abort.signal, onProgress: () => abort.abort() })
  expect((await answer).counted).toBeLessThan(1000)
})

test('a crash refuses what was under way and is followed by a restart', async () => {
  const { client, states } = start()
  await expect(client.request('crash', {})).rejects.toMatchObject({ code: 'engine.crashed' })
  expect(await client.request('count', { to: 2 })).toEqual({ counted: 2 })
  expect(states).toEqual(['starting', 'ready', 'restarting', 'restarting', 'ready'])
  expect(client.status.restarts).toBe(1)
})

test('a process that is killed from outside comes back', async () => {
  const { client } = start()
  await client.request('count', { to: 1 })
  const before = client.status.pid
  process.kill(before ?? 0, 'SIGKILL')
  await vi.waitFor(() => expect(client.status).toMatchObject({ state: 'ready', restarts: 1 }))
  expect(client.status.pid).not.toBe(before)
})

test('silence beyond what was announced ends it; announced silence does not', async () => {
  const { client } = start({ silenceMs: 1500 })
  expect(await client.request('block', { forMs: 2500, announcedMs: 3000 })).toEqual({})
  await expect(client.request('block', { forMs: 4000, announcedMs: 0 })).rejects.toMatchObject({
    code: 'engine.crashed',
    message: expect.stringContaining('no sign of life'),
  })
})

test('one that cannot stay alive is given up, and can be started again by hand', async () => {
  const { client, states } = start({ args: ['die-at-once'], maxRestartsInARow: 3 })
  await expect(client.request('count', { to: 1 })).rejects.toMatchObject({ code: 'engine.crashed' })
  expect(client.status.state).toBe('failed')
  expect(states.filter((state) => state === 'restarting').length).toBeGreaterThanOrEqual(3)
  await expect(client.request('count', { to: 1 })).rejects.toMatchObject({ code: 'engine.failed' })
  client.start()
  expect(client.status.state).toBe('starting')
})

test('a process of another protocol version is refused', async () => {
  const { client } = start({ args: ['other-version'], maxRestartsInARow: 0 })
  await expect(client.request('count', { to: 1 })).rejects.toThrow('speaks protocol 999')
})
