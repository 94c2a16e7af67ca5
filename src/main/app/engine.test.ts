// The device probe over a real process behind the real supervisor: one that ends, blocks or stalls in its middle is
// followed by another, and in the end there always is a finding or a reason.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, inject, test, vi } from 'vitest'
import { Engine, type EngineOptions } from './engine.ts'

const waitMs = 25_000
let stop: (() => Promise<void>) | null = null

afterEach(async () => {
  await stop?.()
  stop = null
})

interface Bench {
  readonly engine: Engine
  /** How often the process was started. */
  readonly starts: () => number
}

/** An engine whose first processes do what the plan says. */
function bench(plan: readonly string[], options: Partial<EngineOptions> = {}): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'fisao-probe-'))
  writeFileSync(join(folder, 'plan.json'), JSON.stringify(plan))
  const children = new Set<ReturnType<typeof fork>>()
  const engine = new Engine({
    ...{ onChange: () => {}, log: () => {}, backoffMs: 5, ...options },
    spawn: () => {
      const child = fork(inject('scripts').probeWorker, [folder], { serialization: 'advanced', silent: true })
      children.add(child.on('exit', () => children.delete(child)))
      return {
        get pid() {
          return child.pid
        },
        postMessage: (message) => void child.send(message),
        onMessage: (listener) => child.on('message', listener),
        onExit: (listener) => child.on('exit', listener),
        kill: () => child.kill('SIGKILL'),
      }
    },
  })
  stop = async () => {
    engine.stop()
    await Promise.all([...children].map((child) => once(child, 'exit')))
    rmSync(folder, { recursive: true, force: true })
  }
  engine.start()
  return { engine, starts: () => readdirSync(folder).filter((name) => name.startsWith('start')).length }
}

async function untilMeasured({ engine }: Bench): Promise<void> {
  await vi.waitFor(() => expect(engine.hardware.hardware).not.toBeNull(), { timeout: waitMs, interval: 20 })
}

describe('a probe comes to its end though its process', () => {
  test.each([
    [['dies before it is ready', 'dies before it is ready']],
    [['dies before a device', 'dies at cpu', 'dies at cpu']],
    [['dies at webgpu']],
  ])('%j', async (plan) => {
    const one = bench(plan)
    await untilMeasured(one)
    expect(one.starts()).toBe(plan.length + 1)
    // A device that was being tried once, when the process ended, is not to blame.
    expect(one.engine.hardware.hardware).toMatchObject({ chosen: 'webgpu', devices: [] })
  })

  test('ends each time while it tries a device, which is then left out', async () => {
    const one = bench(Array.from({ length: 9 }, () => 'dies at webgpu'))
    await untilMeasured(one)
    expect(one.starts()).toBe(3)
    expect(one.engine.hardware.hardware).toMatchObject({
      chosen: 'cpu',
      devices: [{ device: 'webgpu', state: 'crashed' }],
    })
  })

  test('stalls in a device while its heart beats', async () => {
    const one = bench(['stalls at webgpu', 'stalls at webgpu'], { probeStallMs: 1500 })
    await untilMeasured(one)
    expect(one.engine.hardware.hardware).toMatchObject({ devices: [{ device: 'webgpu', state: 'crashed' }] })
  })

  test('is stopped and started again in its middle', async () => {
    const one = bench(['stalls at cpu'])
    await vi.waitFor(() => expect(one.engine.client.status.state).toBe('ready'), { timeout: waitMs })
    one.engine.client.stop()
    await vi.waitFor(() => expect(one.engine.hardware.hardwareError).toBeNull(), { timeout: waitMs })
    one.engine.client.start()
    await untilMeasured(one)
  })
})

// workerClient.test.ts holds the same silence in every run of the tests.
const isThorough = process.env['FISAO_THOROUGH'] === 'yes'
test.runIf(isThorough)('a probe that is slow twice, 20 seconds each, is left alone', { timeout: 90_000 }, async () => {
  const one = bench(['is slow twice'])
  await vi.waitFor(() => expect(one.engine.hardware.hardware).not.toBeNull(), { timeout: 60_000 })
  expect(one.engine.client.status).toMatchObject({ state: 'ready', restarts: 0 })
})

test('a probe whose process always ends is given up with the reason, and starts again by hand', async () => {
  const one = bench(Array.from({ length: 8 }, () => 'dies at cpu'))
  await vi.waitFor(() => expect(one.engine.hardware.hardwareError).not.toBeNull(), { timeout: waitMs })
  expect(one.engine.hardware.hardwareError).toMatchObject({ code: 'engine.crashed' })
  one.engine.start()
  await untilMeasured(one)
})
