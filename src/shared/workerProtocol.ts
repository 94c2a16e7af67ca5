// The messages between main and its utility processes (engine, library): one versioned envelope,
// one table of methods a process. Both ends validate every message with these schemas.
import { z } from 'zod'
import { encoderChoiceSchema, evidenceSchema, libraryTaskSchema, questionSchema, regionSchema } from './describe.ts'
import {
  answeredCheckpointSchema,
  checkpointIdSchema,
  deletionSchema,
  evaluationIdSchema,
  imageQuerySchema,
  imageRowSchema,
  imageSelectionSchema,
  missingFilesSchema,
  modelIdSchema,
  objectWordSchema,
  relinkReportSchema,
  removalSchema,
  rolloutIdSchema,
  runIdSchema,
  tagChangeSchema,
  tagRecordSchema,
} from './domain.ts'
import { errorRecordSchema } from './errors.ts'
import { chairReportSchema } from './evaluation.ts'
import { deviceNameSchema, hardwareReportSchema } from './hardware.ts'
import { modelDescriptionSchema } from './modelDetails.ts'
import { modelReportSchema } from './modelReport.ts'
import { checkMeasurementSchema, runCheckProgressSchema } from './runCheck.ts'
import { runConfigSchema } from './runConfig.ts'
import { runProgressSchema } from './runProgress.ts'
import { backupEntrySchema, salvageReportSchema } from './salvage.ts'
import { threadsSchema } from './settings.ts'

/** Raised whenever a message changes its meaning; a process of another version is refused at `ready`. */
export const protocolVersion = 2

export const requestMessageSchema = z.object({
  kind: z.literal('request'),
  id: z.number().int().nonnegative(),
  method: z.string(),
  params: z.unknown(),
})

/** What main sends to a worker process. */
export const toWorkerSchema = z.discriminatedUnion('kind', [
  requestMessageSchema,
  z.object({ kind: z.literal('cancel'), id: z.number().int().nonnegative() }),
])
export type ToWorker = z.infer<typeof toWorkerSchema>

/** What a worker process sends to main. */
export const fromWorkerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), protocolVersion: z.number().int(), pid: z.number().int() }),
  /** A sign of life, once a second while the process's thread is not blocked. */
  z.object({ kind: z.literal('heartbeat') }),
  z.object({ kind: z.literal('progress'), id: z.number().int(), progress: z.unknown() }),
  z.object({ kind: z.literal('result'), id: z.number().int(), value: z.unknown() }),
  z.object({ kind: z.literal('error'), id: z.number().int(), error: errorRecordSchema }),
])
export type FromWorker = z.infer<typeof fromWorkerSchema>

/** A method: what it takes, what it reports on the way, what it returns, and how long it may block its thread. */
export interface MethodSchema {
  readonly params: z.ZodType
  readonly progress: z.ZodType
  readonly result: z.ZodType
  /**
   * The longest single call in which its work may keep the process from giving a sign of life: one native run of a
   * large graph on a slow machine, one page check of a large file. It holds from the request to its answer, so no
   * handler can forget to announce it and no heartbeat on the way takes it back.
   */
  readonly quietMs: number
}
export type MethodTable = Readonly<Record<string, MethodSchema>>
export type ParamsOf<T extends MethodTable, M extends keyof T> = z.infer<T[M]['params']>
export type ProgressOf<T extends MethodTable, M extends keyof T> = z.infer<T[M]['progress']>
export type ResultOf<T extends MethodTable, M extends keyof T> = z.infer<T[M]['result']>

const none = z.object({})

/** A device that compiles its first shaders, or a slow one. */
const deviceQuietMs = 120_000
/** One run of a large model's graph on a slow machine is one call. */
const stepQuietMs = 10 * 60_000
/** A picture near the limit of pixels, or a commit on a disk that has to wake up. */
const pictureQuietMs = 120_000
/** A page check or a copy of a large file on a slow disk is one long call. */
const fileQuietMs = 30 * 60_000

/** Where sessions run, and on how many threads of the processor; null for as many as there are cores. */
const sessions = { device: deviceNameSchema, threads: threadsSchema.nullable() }
const describing = {
  workspace: z.string(),
  ...sessions,
  lexicon: z.string(),
  ownerToken: z.string().nullable(),
}
/** Share of the model that is made ready; null once it is. */
const readied = z.number().min(0).max(1).nullable()
const describedCounts = z.object({
  /** Images with a response. */
  done: z.number().int(),
  /** Images that are described in the end. */
  total: z.number().int(),
  /** Images that could not be read this time. */
  skipped: z.number().int(),
})

/** What the engine process can be asked. */
export const engineMethods = {
  /** Opens and times each device that ONNX Runtime offers; those in `skip` crashed the process before. */
  probeDevices: {
    params: z.object({ skip: z.array(deviceNameSchema) }),
    progress: z.object({ device: deviceNameSchema, phase: z.enum(['opening', 'measuring', 'done']) }),
    result: hardwareReportSchema,
    quietMs: deviceQuietMs,
  },
  /** Opens a model folder and its companion as a run would, and compares their image towers. */
  inspectModel: {
    params: z.object({ folder: z.string(), companionFolder: z.string().nullable() }),
    progress: none,
    result: modelReportSchema,
    quietMs: deviceQuietMs,
  },
  /** What a model folder and its companion hold, part by part; reads headers and small files only. */
  describeModel: {
    params: z.object({ folder: z.string(), companionFolder: z.string().nullable() }),
    progress: none,
    result: modelDescriptionSchema,
    quietMs: deviceQuietMs,
  },
  /** Does a little of what a run would do and measures it; stores nothing. */
  checkRun: {
    params: z.object({
      workspace: z.string(),
      modelId: modelIdSchema,
      config: runConfigSchema,
      seed: z.number().int(),
      ...sessions,
      lexicon: z.string(),
    }),
    progress: runCheckProgressSchema,
    result: checkMeasurementSchema,
    quietMs: stepQuietMs,
  },
  /** Runs (or resumes) the run to its end; a cancel pauses it after the current step of decoding or training. */
  runAlignment: {
    params: z.object({
      workspace: z.string(),
      runId: runIdSchema,
      ...sessions,
      /** The lexicon of object words that the app brings. */
      lexicon: z.string(),
      /** Of the ownership of the workspace (db/owner.ts) under which it commits; null when it was not written down. */
      ownerToken: z.string().nullable(),
    }),
    progress: runProgressSchema,
    result: z.object({ steps: z.number().int(), bestStep: z.number().int(), outcome: z.string() }),
    quietMs: stepQuietMs,
  },
  /** Writes the adapter of a step as a PEFT folder, the merged model if asked for, and `run.json` to repeat the run. */
  exportRun: {
    params: z.object({
      workspace: z.string(),
      runId: runIdSchema,
      step: z.number().int(),
      strength: z.number(),
      folder: z.string(),
      merged: z.boolean(),
    }),
    progress: none,
    result: none,
    quietMs: stepQuietMs,
  },
  /** CHAIR of two steps of a run on images with COCO annotations, paired by image. */
  evaluateChair: {
    params: z.object({
      workspace: z.string(),
      runId: runIdSchema,
      beforeStep: z.number().int(),
      afterStep: z.number().int(),
      /** Judges the run's placebo at the same step too. */
      withPlacebo: z.boolean(),
      /** Of the adapter, for all steps. */
      strength: z.number(),
      imageFolder: z.string(),
      annotationFile: z.string(),
      /** The first so many of the annotated images; all when null. */
      mostImages: z.number().int().positive().nullable(),
      ...sessions,
      lexicon: z.string(),
    }),
    progress: z.object({ done: z.number().int(), total: z.number().int() }),
    result: chairReportSchema,
    quietMs: stepQuietMs,
  },
  /** Answers a question; a cancel ends it after the current step of decoding. */
  describeImage: {
    params: z.object({ ...describing, question: questionSchema }),
    /** What was said so far. */
    progress: z.object({ text: z.string(), tokens: z.number().int(), readied }),
    result: z.object({ rolloutId: rolloutIdSchema }),
    quietMs: stepQuietMs,
  },
  /** Lets a checkpoint describe every image of a query that has no response of it; what is committed before a cancel stays. */
  describeLibrary: {
    params: z.object({ ...describing, ...libraryTaskSchema.shape }),
    progress: describedCounts.extend({ readied }),
    result: describedCounts,
    quietMs: stepQuietMs,
  },
  /** Carries an evaluation out, or what is left of it; answers that are committed before a cancel stay. */
  evaluate: {
    params: z.object({ ...describing, evaluationId: evaluationIdSchema }),
    progress: z.object({
      phase: z.enum(['opening', 'answering', 'counting']),
      done: z.number().int(),
      total: z.number().int(),
      readied,
    }),
    result: none,
    quietMs: stepQuietMs,
  },
  /** Where an image shows a word. */
  evidence: {
    params: z.object({
      workspace: z.string(),
      imageId: z.number().int(),
      word: z.string(),
      encoder: encoderChoiceSchema,
      region: regionSchema.nullable(),
      ...sessions,
    }),
    progress: none,
    result: evidenceSchema,
    quietMs: stepQuietMs,
  },
} as const satisfies MethodTable

/** Counts of an import so far. `seen` = added + known + skipped. */
export const importCountsSchema = z.object({
  seen: z.number().int(),
  added: z.number().int(),
  /** Already in the workspace from an earlier or interrupted import of the same file. */
  known: z.number().int(),
  skipped: z.number().int(),
  /** Files found so far while walking; final once `walking` is false. */
  found: z.number().int(),
  walking: z.boolean(),
})
export type ImportCounts = z.infer<typeof importCountsSchema>

/** What the library process can be asked. */
export const libraryMethods = {
  /** Checks, migrates and backs up a workspace file, so that main may open it. */
  prepareWorkspace: {
    params: z.object({ path: z.string(), create: z.boolean() }),
    progress: z.object({ phase: z.enum(['checking', 'backing-up', 'migrating']) }),
    result: z.object({ path: z.string() }),
    quietMs: fileQuietMs,
  },
  /** Runs (or resumes) the import with this id to its end; returns when it is complete or cancelled. */
  runImport: {
    params: z.object({ path: z.string(), importId: z.number().int() }),
    progress: importCountsSchema,
    result: z.object({ state: z.enum(['complete', 'cancelled']), counts: importCountsSchema }),
    quietMs: pictureQuietMs,
  },
  /** Lays images anew that an earlier version stored as their files lie, not upright; a cancel keeps what was laid. */
  layImages: {
    params: z.object({ path: z.string() }),
    progress: none,
    result: z.object({ laid: z.number().int() }),
    quietMs: pictureQuietMs,
  },
  /** A picture as JPEG for a page that would lay its file in another way or not show it; null where the file will do. */
  pagePicture: {
    params: z.object({ path: z.string() }),
    progress: none,
    result: z.object({ jpeg: z.instanceof(Uint8Array).nullable() }),
    quietMs: pictureQuietMs,
  },
  /** Looks for the files of all images, as long as `limitMs`. */
  findMissingFiles: {
    params: z.object({ path: z.string(), limitMs: z.number() }),
    progress: none,
    result: missingFilesSchema,
    quietMs: pictureQuietMs,
  },
  /** Gives images below `from` their path below `to` where the very same bytes are; a cancel changes nothing. */
  relinkFolder: {
    params: z.object({ path: z.string(), from: z.string(), to: z.string() }),
    progress: z.object({ done: z.number().int(), total: z.number().int() }),
    result: relinkReportSchema,
    quietMs: pictureQuietMs,
  },
  /** Deletes a removal for good, as deletionOf in db/removals.ts says; a cancel leaves the rest as it is. */
  deleteRemoval: {
    params: z.object({ path: z.string(), removalId: z.number().int() }),
    progress: z.object({ done: z.number().int() }),
    result: z.object({ images: z.number().int() }),
    quietMs: pictureQuietMs,
  },
  /** Takes a backup when the last one is older than the schedule allows. */
  backupIfDue: {
    params: z.object({ path: z.string() }),
    progress: none,
    result: z.object({ backup: z.string().nullable() }),
    quietMs: fileQuietMs,
  },
  /** Reads the open workspace from end to end, as before its opening. */
  checkWorkspace: {
    params: z.object({ path: z.string() }),
    progress: none,
    result: none,
    quietMs: fileQuietMs,
  },
  /** Folds the log of the open workspace into its file; see openWorkspace in db/open.ts. */
  foldLog: {
    params: z.object({ path: z.string() }),
    progress: none,
    result: none,
    quietMs: fileQuietMs,
  },
  /** A backup of the workspace as it is now: the last one when nothing has changed since, or a new one. */
  takeBackup: {
    params: z.object({ path: z.string() }),
    progress: none,
    result: z.object({ backup: z.string() }),
    quietMs: fileQuietMs,
  },
  /** The backups of a workspace with what is in them, the last first; each is read from end to end. */
  listBackups: {
    params: z.object({ path: z.string() }),
    progress: none,
    result: z.array(backupEntrySchema),
    quietMs: fileQuietMs,
  },
  /** What could be kept of a damaged workspace; null when nothing in it can be read. */
  inspectDamage: {
    params: z.object({ path: z.string() }),
    progress: none,
    result: salvageReportSchema.nullable(),
    quietMs: fileQuietMs,
  },
  /** Puts what can be read of a damaged workspace in its place; the damaged file is kept beside it. */
  salvageWorkspace: {
    params: z.object({ path: z.string() }),
    progress: none,
    result: z.object({ keptAs: z.string(), report: salvageReportSchema }),
    quietMs: fileQuietMs,
  },
  /** Puts a backup in the place of a damaged workspace file; the damaged file is kept beside it. */
  restoreBackup: {
    params: z.object({ path: z.string(), backup: z.string() }),
    progress: none,
    result: z.object({ keptAs: z.string() }),
    quietMs: fileQuietMs,
  },
} as const satisfies MethodTable

/** The workspace that a question is about: its file, and the opening, which tells two files under one path apart. */
const asked = z.object({ path: z.string(), key: z.string() })
const total = z.object({ images: z.number().int() })
/** A hundred thousand images tagged at once, while another process commits. */
const catalogueQuietMs = 60_000

const question = <P extends z.ZodType, R extends z.ZodType>(params: P, result: R) => ({
  ...{ params, result, progress: none, quietMs: catalogueQuietMs },
})

/** What the catalogue process can be asked: the library's questions and its small changes, each answered at once. */
export const catalogueMethods = {
  count: question(asked.extend({ query: imageQuerySchema }), z.object({ total: z.number().int() })),
  window: question(
    asked.extend({ query: imageQuerySchema, offset: z.number().int(), limit: z.number().int() }),
    z.object({ images: z.array(imageRowSchema) }),
  ),
  words: question(asked.extend({ checkpointId: checkpointIdSchema }), z.object({ words: z.array(objectWordSchema) })),
  checkpoints: question(asked, z.array(answeredCheckpointSchema)),
  tags: question(asked, z.array(tagRecordSchema)),
  removals: question(asked, z.array(removalSchema)),
  deletion: question(asked.extend({ removalId: z.number().int() }), deletionSchema),
  tag: question(asked.extend({ selection: imageSelectionSchema, tag: z.string() }), tagChangeSchema),
  untag: question(asked.extend({ selection: imageSelectionSchema, tag: z.string() }), tagChangeSchema),
  /** Undoes one of the last changes of tags in this opening; one that is forgotten changes nothing. */
  undoTags: question(asked.extend({ changeId: z.number().int() }), total),
  renameTag: question(asked.extend({ from: z.string(), to: z.string() }), none),
  remove: question(
    asked.extend({ selection: imageSelectionSchema }),
    total.extend({ removalId: z.number().int().nullable() }),
  ),
  restore: question(asked.extend({ removalId: z.number().int() }), total),
  /** Closes the connection, so that the last one to close is main's. */
  close: question(none, none),
} as const satisfies MethodTable
