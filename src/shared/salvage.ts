// The ways back from a damaged workspace, as the library process finds them and a person chooses between them: what could
// be kept of the file itself, and its backups.
import { z } from 'zod'

const count = z.number().int().nonnegative()
export const countSchema = z.object({ kept: count, lost: count })
export type Count = z.infer<typeof countSchema>

export const salvageReportSchema = z.object({
  images: countSchema,
  runs: countSchema,
  responses: countSchema,
  /** Checkpoints that had weights. */
  weights: countSchema,
  thumbnails: countSchema,
  /** Settings, tags, figures and all that has no count of its own. */
  otherRows: countSchema,
  /** Tables of which some value is not what was stored, while nobody can tell which. */
  changedTables: z.array(z.string()),
  /** The log is damaged: the newest steps are lost, however many they were. */
  lostLastSteps: z.boolean(),
})
export type SalvageReport = z.infer<typeof salvageReportSchema>

/** A backup with what is in it. */
export const backupEntrySchema = z.object({
  path: z.string(),
  takenAtMs: z.number(),
  sizeBytes: count,
  images: count,
  runs: count,
  /** Whether it holds what was stored, from its first to its last byte. */
  isSound: z.boolean(),
})
export type BackupEntry = z.infer<typeof backupEntrySchema>

/** Whether everything is kept and known to be right. */
export function isComplete(report: SalvageReport): boolean {
  const { images, runs, responses, weights, thumbnails, otherRows, changedTables, lostLastSteps } = report
  const lost = [images, runs, responses, weights, thumbnails, otherRows].some((one) => one.lost > 0)
  return !lost && changedTables.length === 0 && !lostLastSteps
}
