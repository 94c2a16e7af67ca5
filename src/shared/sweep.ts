// A sweep: one folder of alignments, each a cell that any machine of a cluster may carry out, and what a cell leaves there.
// Written by `fisao-studio-run sweep`, read by its subcommands cell, work and collect (main/headless).
import { z } from 'zod'
import { errorRecordSchema } from './errors.ts'
import type { AlignJob } from './job.ts'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits')

/** Tasks of one job array in Slurm as it comes (MaxArraySize = 1001, numbers from 0). */
export const mostCells = 1000

/** A run, and its placebo where the sweep has them: the placebo is judged at its run's best step, so both lie in one file. */
export const sweepCellSchema = z.strictObject({
  /** Its job is `jobs/<cell>.json`. */
  cell: z.int().min(1).max(mostCells),
  name: z.string().min(1).max(120),
  /** Of the bytes of its job's file. */
  jobSha256: sha256,
  placebo: z.boolean(),
})
export type SweepCell = z.infer<typeof sweepCellSchema>

/** What every file of a sweep begins with. */
const madeBy = { version: z.literal(1), sweepId: z.uuid(), appVersion: z.string().min(1).max(40) }

/** `sweep.json` */
export const sweepSchema = z.strictObject({
  ...{ format: z.literal('fisao-sweep'), ...madeBy },
  cells: z
    .array(sweepCellSchema)
    .min(1)
    .max(mostCells)
    .refine((cells) => cells.every(({ cell }, i) => cell === i + 1), { message: 'must be numbered from 1' }),
})
export type Sweep = z.infer<typeof sweepSchema>

const ofCell = { ...madeBy, cell: sweepCellSchema.shape.cell, jobSha256: sha256, host: z.string().max(255) }

/** `cells/<cell>/result.json`: a cell that came to its end, and the workspace file that holds it. */
export const cellResultSchema = z.strictObject({
  ...{ format: z.literal('fisao-cell-result'), ...ofCell },
  /** Beside it, named by its hash: two machines that end the same cell never write into one file. */
  file: z.string().regex(/^result-[0-9a-f]{16}\.fisao$/),
  sha256,
  sizeBytes: z.int().positive(),
})
export type CellResult = z.infer<typeof cellResultSchema>

/** `cells/<cell>/failure.json`: why a cell cannot be carried out. */
export const cellFailureSchema = z.strictObject({
  ...{ format: z.literal('fisao-cell-failure'), ...ofCell },
  error: errorRecordSchema,
})
export type CellFailure = z.infer<typeof cellFailureSchema>

const placeboSuffix = ', placebo'
export const longestRunName = 120

/** What the control of a run is called. */
export function placeboName(name: string): string {
  return `${name.slice(0, longestRunName - placeboSuffix.length)}${placeboSuffix}`
}

/** The job of a run's control: the same but for the image that judges. */
export function placeboOf(job: AlignJob): AlignJob {
  const reward = { ...job.config.reward, verifier: 'placebo' as const }
  return { ...job, name: placeboName(job.name), config: { ...job.config, reward } }
}
