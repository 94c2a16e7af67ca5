// Machines that compute and share one file system, as a simulation of events: a machine does its phases one after the other,
// seconds of work or bytes to move; bytes that are moved at the same time share the file system's rate, each at most as fast
// as a machine's own link. For simulate.ts.

/** Seconds of work, or bytes to or from the file system. */
export type Phase = { readonly workS: number } | { readonly bytes: number }

export interface SharedDisk {
  /** Of all machines together, bytes a second. */
  readonly rate: number
  /** Of one machine. */
  readonly link: number
}

export interface Simulated {
  /** Until the last machine is done, seconds. */
  readonly totalS: number
  /** Share of that in which the file system was as fast as it can be. */
  readonly fullShare: number
  readonly bytes: number
}

interface Machine {
  phases: readonly Phase[]
  at: number
  /** Seconds or bytes that are left of the phase. */
  left: number
}

/**
 * @param jobs phases of each, in the order in which they are taken
 * @param machines each takes the next job when it has done one
 */
export function simulate(jobs: readonly (readonly Phase[])[], machines: number, disk: SharedDisk): Simulated {
  let next = 0
  const take = (): Machine | null => {
    const phases = jobs[next++]
    return phases === undefined ? null : { phases, at: 0, left: amount(phases[0]) }
  }
  let active = Array.from({ length: machines }, take).filter((machine) => machine !== null)
  let [timeS, fullS] = [0, 0]
  while (active.length > 0) {
    const moving = active.filter(isMoving).length
    const rate = Math.min(disk.link, disk.rate / Math.max(1, moving))
    const speed = (machine: Machine): number => (isMoving(machine) ? rate : 1)
    const stepS = Math.min(...active.map((machine) => machine.left / speed(machine)))
    timeS += stepS
    if (moving > 0 && moving * rate >= disk.rate) fullS += stepS
    active = active.flatMap((machine) => {
      machine.left -= stepS * speed(machine)
      // What rounding leaves is no phase of its own.
      if (machine.left > 1e-6 * Math.max(1, amount(machine.phases[machine.at]))) return [machine]
      machine.at++
      if (machine.at === machine.phases.length) return take() ?? []
      machine.left = amount(machine.phases[machine.at])
      return [machine]
    })
  }
  const bytes = jobs.flat().reduce((sum, phase) => sum + ('bytes' in phase ? phase.bytes : 0), 0)
  return { totalS: timeS, fullShare: timeS === 0 ? 0 : fullS / timeS, bytes }
}

function isMoving({ phases, at }: Machine): boolean {
  const phase = phases[at]
  return phase !== undefined && 'bytes' in phase
}

function amount(phase: Phase | undefined): number {
  if (phase === undefined) return 0
  return 'bytes' in phase ? phase.bytes : phase.workS
}
