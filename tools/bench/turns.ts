// Tasks timed in turns, and ratios between them. Before it stand tasks.ts and llama.ts, after it formats.ts.
import type { Task } from './tasks.ts'

export interface Timed {
  /** Processor time of all threads, by turn. */
  readonly ms: number[]
  /** The last that the task found. */
  readonly token: number | undefined
}

/** Each task once in each turn, in an order that moves on by one each turn; once before, which does not count. */
export async function inTurns(tasks: ReadonlyMap<string, Task>, turns: number): Promise<Map<string, Timed>> {
  const names = [...tasks.keys()]
  const timed = new Map(names.map((name): [string, Timed] => [name, { ms: [], token: undefined }]))
  for (let turn = -1; turn < turns; turn++) {
    const first = (turn + 1) % names.length
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const { prepare, run } = tasks.get(name) as Task
      await prepare()
      const before = process.cpuUsage()
      const token = await run()
      const { user, system } = process.cpuUsage(before)
      const { ms } = timed.get(name) as Timed
      if (turn >= 0) ms.push((user + system) / 1000)
      timed.set(name, { ms, token })
    }
  }
  return timed
}

/** Turn by turn. */
export function ratios(times: readonly number[], ofTimes: readonly number[]): number[] {
  return times.map((time, i) => time / (ofTimes[i] as number))
}

export type Spread = readonly [median: number, least: number, most: number]

export function spread(numbers: readonly number[]): Spread {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const median = ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2
  return [median, sorted[0] as number, sorted.at(-1) as number]
}
