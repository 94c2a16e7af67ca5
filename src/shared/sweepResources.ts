// What Slurm gives a cell of a sweep, and how often a cell copies its work: the options of `sweep` that do not change what is
// computed. The command line (main/headless/sweep.ts) and the window's "Send to the cluster" read them here.
import { z } from 'zod'
import { type Reading, readNumber, readWhole } from './readNumber.ts'
import type { DraftProblem } from './runDraft.ts'

/** A cell that needs longer goes on in another turn. */
export const usualTime = '24:00:00'
export const usualCopySeconds = 300
const slurmTime = /^(\d{1,3}-)?\d{1,4}:[0-5]\d:[0-5]\d$/
export const mostMemoryMb = 100_000_000
export const mostCopySeconds = 1_000_000

export const cellResourcesSchema = z.object({
  /** As Slurm writes it. */
  time: z.string().regex(slurmTime),
  /** Null for what the memory plan says, with a margin. */
  memoryMb: z.int().min(1).max(mostMemoryMb).nullable(),
  /** Seconds between two copies of a cell's work. */
  copyEvery: z.number().min(0).max(mostCopySeconds),
})
export type CellResources = z.infer<typeof cellResourcesSchema>

/** As typed; empty for what is usual. */
export interface ResourcesDraft {
  readonly time: string
  readonly memory: string
  readonly copyEvery: string
}
export const emptyResources: ResourcesDraft = { time: '', memory: '', copyEvery: '' }

/** Slurm's hours, minutes and seconds, perhaps with days before them. */
export function readSlurmTime(text: string): Reading<string> {
  const time = text.trim()
  if (slurmTime.test(time)) return { ok: true, value: time }
  return {
    ok: false,
    problem: 'Enter hours, minutes and seconds such as 24:00:00, or with days before them, 2-12:00:00.',
  }
}

/**
 * What is typed, or what is wrong by the field: `time`, `memory`, `copyEvery`.
 * @param decimal what stands before fractions in the person's language
 */
export function readResources(
  draft: ResourcesDraft,
  decimal: '.' | ',' = '.',
): { readonly resources: CellResources | null; readonly problems: readonly DraftProblem[] } {
  const orUsual = <Value>(text: string, usual: Value, read: (typed: string) => Reading<Value>): Reading<Value> =>
    text.trim() === '' ? { ok: true, value: usual } : read(text)
  const memoryRange = { min: 1, max: mostMemoryMb, unit: 'MB' }
  const copyRange = { isInteger: false, min: 0, max: mostCopySeconds, unit: 'seconds' }
  const time = orUsual(draft.time, usualTime, readSlurmTime)
  const memory = orUsual<number | null>(draft.memory, null, (typed) => readWhole(typed, memoryRange, decimal))
  const copyEvery = orUsual(draft.copyEvery, usualCopySeconds, (typed) => readNumber(typed, copyRange, decimal))
  const problems = [
    ...(time.ok ? [] : [{ key: 'time', title: 'Time limit', message: time.problem }]),
    ...(memory.ok ? [] : [{ key: 'memory', title: 'Memory', message: memory.problem }]),
    ...(copyEvery.ok ? [] : [{ key: 'copyEvery', title: 'Seconds between copies', message: copyEvery.problem }]),
  ]
  if (!time.ok || !memory.ok || !copyEvery.ok) return { resources: null, problems }
  return { resources: { time: time.value, memoryMb: memory.value, copyEvery: copyEvery.value }, problems }
}
