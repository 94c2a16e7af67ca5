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
/** A busy machine takes seconds to start a process. */
const patiently = { timeout: 20_000 }
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

function start(
  options: { args?: readonly string[]; silenceMs?: number; maxRestartsInARow?: number; backoffMs?: number } = {},
): {
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
  await vi.waitFor(() => expect(client.status).toMatchObject({ state: 'ready', restarts: 1 }), patiently)
  expect(client.status.pid).not.toBe(before)
})

test('silence that its request explains does not end it, any other does', async () => {
  const { client } = start({ silenceMs: 1500 })
  expect(await client.request('block', { forMs: 2500, times: 2 })).toEqual({ beats: expect.any(Number) })
  expect(client.status.restarts).toBe(0)
  await expect(client.request('hang', { forMs: 4000 })).rejects.toMatchObject({
    code: 'engine.crashed',
    message: expect.stringContaining('no sign of life'),
  })
})

/** FISAO_THOROUGH asks for what takes most of a minute. */
const isThorough = process.env['FISAO_THOROUGH'] === 'yes'
const longCalls = 'two native calls of 20 seconds in a row, with the silence that the app allows'

test.runIf(isThorough)(longCalls, { timeout: 90_000 }, async () => {
  const { client } = start()
  const { beats } = await client.request('block', { forMs: 20_000, times: 2 })
  expect(beats, 'heartbeats left between the calls').toBeGreaterThanOrEqual(2)
  expect(client.status).toMatchObject({ state: 'ready', restarts: 0 })
})

test('a request that may be silent excuses nothing once it is answered', async () => {
  const { client } = start({ silenceMs: 1500 })
  await client.request('block', { forMs: 10, times: 1 })
  await expect(client.request('hang', { forMs: 4000 })).rejects.toMatchObject({ code: 'engine.crashed' })
})

test('a time in which main itself was stopped is no silence of the process', async () => {
  const { client } = start({ silenceMs: 1500 })
  await client.request('count', { to: 1 })
  // As after a night's sleep: main's timers are long due, and what the process said waits behind them.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6000)
  expect(await client.request('count', { to: 2 })).toEqual({ counted: 2 })
  await new Promise((resolve) => setTimeout(resolve, 1000))
  expect(client.status).toMatchObject({ state: 'ready', restarts: 0 })
})

test('one that works between its ends is not given up', async () => {
  const { client } = start({ maxRestartsInARow: 2 })
  for (let end = 1; end <= 5; end++) {
    expect(await client.request('count', { to: 1 })).toEqual({ counted: 1 })
    await expect(client.request('crash', {})).rejects.toMatchObject({ code: 'engine.crashed' })
  }
  expect(client.status).toMatchObject({ state: 'restarting', restarts: 5 })
})

test('a process that cannot even be started is an end like any other', async () => {
  let spawns = 0
  const failing = new WorkerClient({
    ...{ name: 'test', area: 'engine' as const, methods: testMethods, backoffMs: 5, maxRestartsInARow: 2 },
    spawn: () => {
      spawns++
      throw new Error('no memory for a process')
    },
  })
  failing.start()
  await vi.waitFor(() => expect(failing.status.state).toBe('failed'), patiently)
  expect(spawns).toBe(3)
  expect(failing.status.lastError?.message).toContain('no memory for a process')
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

test('a start by hand does not wait for the next restart', async () => {
  const { client } = start({ args: ['die-at-once'], backoffMs: 60_000 })
  await vi.waitFor(() => expect(client.status.state).toBe('restarting'), patiently)
  client.start()
  expect(client.status).toMatchObject({ state: 'starting', pid: expect.any(Number) })
})

test('a process of another protocol version is refused', async () => {
  const { client } = start({ args: ['other-version'], maxRestartsInARow: 0 })
  await expect(client.request('count', { to: 1 })).rejects.toThrow('speaks protocol 999')
})
