// Load between two moments, by hand, and the memory of a GPU from files as the system writes them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { gpuMemory, LoadMeter, loadBetween } from './load.ts'

const machine = { enginePid: 2, cores: 4, totalBytes: 1000, freeBytes: 400 }
const counters = (atMs: number, seconds: readonly number[], busyMs: number, allMs: number) => ({
  atMs,
  processes: seconds.map((cpuSeconds, i) => ({ pid: i + 1, cpuSeconds, memoryBytes: 100 * (i + 1) })),
  machine: { busyMs, allMs },
})

test('shares are of all cores since the last look', () => {
  const load = loadBetween(counters(0, [10, 20], 100, 1000), counters(2000, [11, 23], 500, 1800), machine)
  // 1 + 3 s of 2 s x 4 cores; 3 s of them the engine's; 400 of 800 ms busy.
  expect(load.cpu).toEqual({ cores: 4, app: 0.5, engine: 0.375, machine: 0.5 })
  expect(load.memory).toEqual({ machineBytes: 1000, machineUsedBytes: 600, appBytes: 300, engineBytes: 200 })
})

test('a first look, an engine that is gone, and a process that began since', () => {
  const first = loadBetween(null, counters(0, [10], 1, 2), machine)
  expect(first.cpu).toEqual({ cores: 4, app: null, engine: null, machine: null })
  expect(first.memory.engineBytes).toBeNull()
  const begun = loadBetween(counters(0, [10], 0, 0), counters(1000, [10, 2], 0, 0), machine)
  expect(begun.cpu).toMatchObject({ app: 0.5, engine: 0.5, machine: null })
  const backwards = loadBetween(counters(1000, [10], 0, 10), counters(1000, [11], 5, 10), machine)
  expect(backwards.cpu).toMatchObject({ app: null, machine: null })
})

test('the machine of this test has memory, and asked at once it says the same', () => {
  const meter = new LoadMeter({ processes: () => [], enginePid: () => null, device: () => 'cpu' })
  const load = meter.look()
  expect(load.memory.machineBytes).toBeGreaterThan(load.memory.machineUsedBytes)
  expect(meter.look()).toBe(load)
  expect(load.gpu).toMatchObject({ device: 'cpu', usedBytes: null, totalBytes: null })
})

test('a GPU whose driver writes its memory into files is known; another says why not', () => {
  const root = mkdtempSync(join(tmpdir(), 'fisao-drm-'))
  try {
    expect(gpuMemory('webgpu', root).unknownBecause).toContain('does not say')
    expect(gpuMemory('webgpu', join(root, 'none')).unknownBecause).toContain('does not say')
    for (const card of ['card0', 'card1', 'card1-DP-1']) mkdirSync(join(root, card, 'device'), { recursive: true })
    writeFileSync(join(root, 'card1/device/mem_info_vram_used'), '250\n')
    writeFileSync(join(root, 'card1/device/mem_info_vram_total'), '1000\n')
    expect(gpuMemory('webgpu', root)).toEqual({ usedBytes: 250, totalBytes: 1000, unknownBecause: null })
    expect(gpuMemory('cpu', root).usedBytes).toBeNull()
    expect(gpuMemory(null, root).unknownBecause).toContain('still')
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
