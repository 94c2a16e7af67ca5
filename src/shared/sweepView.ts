// A sweep as its page sees it: its runs, and per setting (all but the seed) what they came to, as mean and interval over seeds.
// Made by app/sweepViews.ts.
import { z } from 'zod'
import { evaluationIdSchema, runIdSchema, runStateSchema } from './domain.ts'
import { errorRecordSchema } from './errors.ts'
import { mostCells } from './sweep.ts'

const count = z.number().int().nonnegative()

/** A sweep in the list. */
export const sweepViewSchema = z.object({
  sweepId: z.string(),
  name: z.string(),
  /** Where its jobs and results lie; null for one of the app's own queue. */
  folder: z.string().nullable(),
  createdAtMs: z.number(),
  /** Runs of it that are in the workspace, placebos too, and how many of them are complete. */
  runs: count,
  complete: count,
})
export type SweepView = z.infer<typeof sweepViewSchema>

/** A mean over seeds and its 95 % interval (shared/studentT.ts); null bounds for a single seed. */
export const seedMeanSchema = z.object({ mean: z.number(), low: z.number().nullable(), high: z.number().nullable() })
export type SeedMean = z.infer<typeof seedMeanSchema>

/** A figure before and after, and its change (after - before), over the seeds of a setting. */
export const sweepFigureSchema = z.object({ before: z.number(), after: z.number(), change: seedMeanSchema })
export type SweepFigure = z.infer<typeof sweepFigureSchema>

/** A setting: what its runs have in common but for the seed. */
export const sweepRowSchema = z.object({
  /** What it has of its own, e.g. `Thorough`. */
  label: z.string(),
  /** Runs of it without placebos, and those of them that count below. */
  runs: count,
  seeds: count,
  /** Null before the first run counts. */
  figures: z
    .object({
      /** Share of object words: CHAIR-i, or what the verifier estimates. */
      hallucination: sweepFigureSchema,
      /** CHAIR's recall, or right objects a response. */
      recall: sweepFigureSchema,
      words: sweepFigureSchema,
    })
    .nullable(),
  /** Change of the run less that of its placebo, over the seeds that have both; null where none has. */
  beyond: seedMeanSchema.extend({ seeds: count }).nullable(),
})
export type SweepRow = z.infer<typeof sweepRowSchema>

export const sweepTableSchema = z.object({
  /** `chair`: of evaluations on annotated images; `estimate`: the verifier's, on the validation images of the runs. */
  source: z.enum(['chair', 'estimate']),
  rows: z.array(sweepRowSchema),
})
export type SweepTable = z.infer<typeof sweepTableSchema>

/** A run as the overlay draws it. */
export const sweepRunSchema = z.object({
  runId: runIdSchema,
  name: z.string(),
  seed: z.number().int(),
  state: runStateSchema,
  isPlacebo: z.boolean(),
  /** Place of its setting in the tables. */
  row: count,
  looks: z.array(z.object({ step: count, hallucinationRate: z.number(), coverage: z.number() })),
})
export type SweepRunView = z.infer<typeof sweepRunSchema>

/** A cell as it was found in the folder. `refused`: its result is not what a cell of this sweep wrote. */
export const sweepCellViewSchema = z.object({
  cell: count,
  name: z.string(),
  state: z.enum(['complete', 'missing', 'failed', 'refused']),
  /** Of one that failed or is refused. */
  error: errorRecordSchema.nullable(),
  /** The last lines of the log of one that failed. */
  log: z.array(z.string()),
})
export type SweepCellView = z.infer<typeof sweepCellViewSchema>

/** What was found in the folder of a sweep. */
export const collectionSchema = z.object({
  cells: z.array(sweepCellViewSchema),
  /** Cells that were taken over by this look. */
  collected: count,
  /** Names among the cells that are none of them. */
  foreign: z.array(z.string()),
})
export type Collection = z.infer<typeof collectionSchema>

export const sweepDetailSchema = z.object({
  sweep: sweepViewSchema,
  /** The measured one first, where there is one. */
  tables: z.array(sweepTableSchema),
  runs: z.array(sweepRunSchema),
  /**
   * The newest evaluation of each run that CHAIR was asked of, on the annotated images that were asked for last;
   * `evaluations.changed` tells how far each is.
   */
  chair: z.array(evaluationIdSchema).max(mostCells),
  /** What was found in its folder last, in this opening of the workspace; null where nothing was looked at. */
  collection: collectionSchema.nullable(),
  /** Why its folder could not be looked at. */
  error: errorRecordSchema.nullable(),
  isCollecting: z.boolean(),
})
export type SweepDetail = z.infer<typeof sweepDetailSchema>

/** Why CHAIR of a run cannot be measured: it is not at its end, no look chose a step of it, or that step has no weights any more. */
export const chairGaps = ['not-at-end', 'no-kept-step', 'no-weights'] as const
export type ChairGap = (typeof chairGaps)[number]

/** What measuring CHAIR of a sweep's runs would ask for. Made by app/sweepMeasuring.ts. */
export const chairPlanSchema = z.object({
  /** That would be put into the queue, one a run, and what all of them together answer to each image. */
  evaluations: count.max(mostCells),
  answersAnImage: count,
  /** As an earlier evaluation found them in the same files; null where none did. */
  images: count.nullable(),
  /** Runs that were measured on these images, and that wait for it. */
  measured: count,
  waiting: count,
  /** Runs that are left out, and those whose placebo is, by what it lacks. */
  leftOut: z.array(z.object({ gap: z.enum(chairGaps), runs: count })),
  placebosLeftOut: count,
})
export type ChairPlan = z.infer<typeof chairPlanSchema>
