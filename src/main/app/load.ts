// What machine and app are doing: shares of the processors from counters between two looks, memory as the system tells it.
// Asked by a window once a second; nothing runs while nobody asks.
import { readdirSync, readFileSync } from 'node:fs'
import { cpus, freemem, totalmem } from 'node:os'
import { join } from 'node:path'
import type { AppLoad } from '../../shared/appLoad.ts'
import type { DeviceName } from '../../shared/hardware.ts'

/** A process of the app, as Electron counts it. */
export interface ProcessUse {
  readonly pid: number
  /** Seconds of processor time since it began; null where the system does not say. */
  readonly cpuSeconds: number | null
  readonly memoryBytes: number
}

/** Counters at a moment. */
export interface LoadCounters {
  readonly atMs: number
  readonly processes: readonly ProcessUse[]
  /** Milliseconds of all cores together since the system began. */
  readonly machine: { readonly busyMs: number; readonly allMs: number }
}

export interface LoadOptions {
  readonly processes: () => readonly ProcessUse[]
  readonly enginePid: () => number | null
  /** The device that runs use; null until it is known. */
  readonly device: () => DeviceName | null
}

/** Two looks closer together than this say little of the time between them. */
const leastBetweenMs = 400

export class LoadMeter {
  readonly #options: LoadOptions
  #before: LoadCounters | null = null
  #last: AppLoad | null = null

  constructor(options: LoadOptions) {
    this.#options = options
  }

  /** Asked again at once, by another window, it answers the same. */
  look(): AppLoad {
    const nowMs = Date.now()
    if (this.#last && nowMs - this.#last.atMs < leastBetweenMs && nowMs >= this.#last.atMs) return this.#last
    const counters = { atMs: nowMs, processes: this.#options.processes(), machine: machineTimes() }
    const device = this.#options.device()
    this.#last = {
      ...loadBetween(this.#before, counters, {
        ...{ enginePid: this.#options.enginePid(), cores: cpus().length },
        ...{ totalBytes: totalmem(), freeBytes: freemem() },
      }),
      gpu: { device, ...gpuMemory(device) },
    }
    this.#before = counters
    return this.#last
  }
}

/**
 * The load between two moments.
 * @param before null at the first look, which knows no shares
 */
export function loadBetween(
  before: LoadCounters | null,
  now: LoadCounters,
  machine: { enginePid: number | null; cores: number; totalBytes: number; freeBytes: number },
): Omit<AppLoad, 'gpu'> {
  const { enginePid, cores, totalBytes, freeBytes } = machine
  const engine = now.processes.filter(({ pid }) => pid === enginePid)
  const sinceMs = before ? now.atMs - before.atMs : 0
  const shareOf = (processes: readonly ProcessUse[]): number | null => {
    if (!before || sinceMs <= 0 || processes.length === 0) return null
    const spent = processes.map((process) => secondsSince(before, process))
    if (spent.some((seconds) => seconds === null)) return null
    return clipped(spent.reduce<number>((sum, seconds) => sum + (seconds ?? 0), 0) / ((sinceMs / 1000) * cores))
  }
  const allMs = before ? now.machine.allMs - before.machine.allMs : 0
  return {
    atMs: now.atMs,
    cpu: {
      ...{ cores, app: shareOf(now.processes), engine: shareOf(engine) },
      machine: before && allMs > 0 ? clipped((now.machine.busyMs - before.machine.busyMs) / allMs) : null,
    },
    memory: {
      ...{ machineBytes: totalBytes, machineUsedBytes: Math.max(0, totalBytes - freeBytes) },
      appBytes: now.processes.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
      engineBytes: engine[0]?.memoryBytes ?? null,
    },
  }
}

/** Of one that began since, all that it has spent. */
function secondsSince(before: LoadCounters, { pid, cpuSeconds }: ProcessUse): number | null {
  if (cpuSeconds === null) return null
  const earlier = before.processes.find((one) => one.pid === pid)?.cpuSeconds ?? 0
  return Math.max(0, cpuSeconds - earlier)
}

function clipped(share: number): number {
  return Math.min(1, Math.max(0, share))
}

function machineTimes(): LoadCounters['machine'] {
  let [busyMs, allMs] = [0, 0]
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.idle + times.irq
    allMs += all
    busyMs += all - times.idle
  }
  return { busyMs, allMs }
}

/** What the system itself says of a GPU's memory: Linux does for AMD's driver, in files. */
export function gpuMemory(device: DeviceName | null, root = '/sys/class/drm'): Omit<AppLoad['gpu'], 'device'> {
  const unknown = (unknownBecause: string) => ({ usedBytes: null, totalBytes: null, unknownBecause })
  if (device === null) return unknown('The devices of this machine are still being looked at.')
  if (device === 'cpu') return unknown('Runs use the processor, so no GPU memory is taken.')
  for (const card of cardsIn(root)) {
    const [usedBytes, totalBytes] = ['used', 'total'].map((which) => numberIn(join(card, `mem_info_vram_${which}`)))
    if (usedBytes != null && totalBytes != null) return { usedBytes, totalBytes, unknownBecause: null }
  }
  return unknown('The driver of this GPU does not say how much of its memory is taken.')
}

function cardsIn(root: string): string[] {
  try {
    return readdirSync(root)
      .filter((name) => /^card\d+$/.test(name))
      .sort()
      .map((name) => join(root, name, 'device'))
  } catch {
    // Not Linux, or no driver: there are no such files.
    return []
  }
}

function numberIn(path: string): number | null {
  try {
    const value = Number(readFileSync(path, 'utf8').trim())
    return Number.isFinite(value) ? value : null
  } catch {
    return null
  }
}
