// What the renderer may ask of images: imports, the grid's questions, tags, removals and files that moved.
import { z } from 'zod'
import { count, none } from './channelTerms.ts'
import {
  answeredCheckpointSchema,
  checkpointIdSchema,
  deletionSchema,
  imageFactsSchema,
  imageQuerySchema,
  imageRowSchema,
  imageSelectionSchema,
  importIssueSchema,
  importRecordSchema,
  leftOutKindSchema,
  missingFilesSchema,
  objectWordSchema,
  relinkReportSchema,
  removalSchema,
  tagChangeSchema,
  tagNameSchema,
  tagRecordSchema,
} from './domain.ts'
import { errorRecordSchema } from './errors.ts'
import { importCountsSchema } from './workerProtocol.ts'

/** An import as the renderer sees it. */
export const importViewSchema = importRecordSchema.extend({
  /** The counts of one that is running now. */
  live: importCountsSchema.nullable(),
  /** Why it ended before its end, since the workspace was opened. */
  error: errorRecordSchema.nullable(),
  /** What it found and did not look into, the most files first. */
  leftOut: z.array(leftOutKindSchema),
  /** What came of it, in one sentence, once it is complete: also when nothing did. */
  outcome: z.string().nullable(),
})
export type ImportView = z.infer<typeof importViewSchema>

export const imageChannels = {
  'images.pickFolder': { params: none, result: z.object({ importId: count }).nullable() },
  /** Asks for single pictures. */
  'images.pickFiles': { params: none, result: z.object({ importId: count }).nullable() },
  /** Files and folders, as they are dropped on the window. */
  'images.importPaths': {
    params: z.object({ paths: z.array(z.string()).min(1).max(1000) }),
    result: z.object({ importId: count }),
  },
  'images.importFolder': { params: z.object({ folder: z.string() }), result: z.object({ importId: count }) },
  'images.cancelImport': { params: z.object({ importId: count }), result: none },
  'images.resumeImport': { params: z.object({ importId: count }), result: none },
  'images.imports': { params: none, result: z.array(importViewSchema) },
  'images.importIssues': {
    params: z.object({ importId: count, offset: count, limit: count.max(500) }),
    result: z.object({ total: count, issues: z.array(importIssueSchema) }),
  },
  'images.count': { params: z.object({ query: imageQuerySchema }), result: z.object({ total: count }) },
  'images.window': {
    params: z.object({ query: imageQuerySchema, offset: count, limit: count.max(500) }),
    result: z.object({ images: z.array(imageRowSchema) }),
  },
  /** The object words of a checkpoint's responses, the most frequent first. */
  'images.words': {
    params: z.object({ checkpointId: checkpointIdSchema }),
    result: z.object({ words: z.array(objectWordSchema) }),
  },
  /** The checkpoints that have responses to show, by run, the newest run first. */
  'images.checkpoints': { params: none, result: z.array(answeredCheckpointSchema) },
  'images.tags': { params: none, result: z.array(tagRecordSchema) },
  /** Gives images a tag, which is made when it is new. The result counts those that had not had it. */
  'images.tag': {
    params: z.object({ selection: imageSelectionSchema, tag: tagNameSchema }),
    result: tagChangeSchema,
  },
  'images.untag': {
    params: z.object({ selection: imageSelectionSchema, tag: tagNameSchema }),
    result: tagChangeSchema,
  },
  /** Undoes one of the last changes of tags since the workspace was opened; 0 images when it is forgotten. */
  'images.undoTags': { params: z.object({ changeId: count }), result: z.object({ images: count }) },
  'images.renameTag': { params: z.object({ from: tagNameSchema, to: tagNameSchema }), result: none },
  /** Takes images out of the library; files, responses and runs stay, and `images.restore` brings them back as they were. */
  'images.remove': {
    params: z.object({ selection: imageSelectionSchema }),
    /** `removalId` is null when there was nothing to remove. */
    result: z.object({ removalId: count.nullable(), images: count }),
  },
  'images.restore': { params: z.object({ removalId: count }), result: z.object({ images: count }) },
  /** What was removed and not brought back, the last first. */
  'images.removals': { params: none, result: z.array(removalSchema) },
  /** What `images.delete` would take. */
  'images.deletion': { params: z.object({ removalId: count }), result: deletionSchema },
  /** Deletes removed images for good, after a backup; files are not touched, and nothing brings them back. */
  'images.delete': { params: z.object({ removalId: count }), result: z.object({ images: count }) },
  /** Looks for the files of all images, for some seconds at most. */
  'images.missing': { params: none, result: missingFilesSchema },
  /** Asks for the new place of a folder. */
  'images.pickNewPlace': { params: none, result: z.object({ folder: z.string() }).nullable() },
  /** Gives images below `from` (or the one at `from`) the paths below `to`, where the very same files are. */
  'images.relink': { params: z.object({ from: z.string(), to: z.string() }), result: relinkReportSchema },
  /** Ends a relink that is under way; nothing is changed by it then. */
  'images.cancelRelink': { params: none, result: none },
  /** One image; null when the workspace has it no more. */
  'images.get': {
    params: z.object({ imageId: count }),
    result: z.object({ image: imageFactsSchema.nullable() }),
  },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>
