// The one contract between renderer and main: every channel with its parameters and result, every event
// with its payload. Preload's `window.studio`, main's handlers and the renderer's client derive from it.
import { z } from 'zod'
import { activitySchema } from './activity.ts'
import { appLoadSchema } from './appLoad.ts'
import {
  checkpointViewSchema,
  describeViewSchema,
  encoderChoiceSchema,
  evidenceSchema,
  libraryDescribeSchema,
  libraryTaskSchema,
  questionSchema,
  regionSchema,
  responseViewDetailSchema,
  responseViewSchema,
} from './describe.ts'
import {
  answeredCheckpointSchema,
  checkpointIdSchema,
  deletionSchema,
  evaluationIdSchema,
  imageFactsSchema,
  imageQuerySchema,
  imageRowSchema,
  imageSelectionSchema,
  importIssueSchema,
  importRecordSchema,
  leftOutKindSchema,
  metricPointSchema,
  missingFilesSchema,
  modelIdSchema,
  objectWordSchema,
  relinkReportSchema,
  removalSchema,
  rolloutIdSchema,
  rolloutPurposeSchema,
  runIdSchema,
  tagChangeSchema,
  tagNameSchema,
  tagRecordSchema,
  voteChoiceSchema,
} from './domain.ts'
import { errorRecordSchema } from './errors.ts'
import {
  ballotSchema,
  ballotViewSchema,
  conceptSchema,
  conceptSorts,
  evaluatedImageSchema,
  evaluatedSelectionSchema,
  evaluationDetailSchema,
  evaluationFiles,
  evaluationTables,
  evaluationViewSchema,
  mostPolicies,
  newEvaluationSchema,
  voteCountsSchema,
  votePairSchema,
} from './evaluations.ts'
import { hardwareReportSchema } from './hardware.ts'
import { modelDetailsSchema } from './modelDetails.ts'
import { runCheckProgressSchema, runCheckSchema, runPrecheckSchema } from './runCheck.ts'
import { presetNames } from './runConfig.ts'
import { modelViewSchema, runDetailSchema, runViewSchema } from './runView.ts'
import { backupEntrySchema, salvageReportSchema } from './salvage.ts'
import { runSections } from './settingFields.ts'
import {
  appearanceSchema,
  chosenSettingsSchema,
  recentWorkspaceSchema,
  settingsViewSchema,
  unfinishedRunSchema,
} from './settings.ts'
import { importCountsSchema } from './workerProtocol.ts'
import { workerStatusSchema } from './workerStatus.ts'

// The page's policy forbids eval, which zod would otherwise use to speed itself up.
z.config({ jitless: true })

const none = z.object({})
const count = z.number().int().nonnegative()

/** The workspace that is open; `key` is new at each opening and part of its image addresses, so no cache outlives it. */
export const openWorkspaceSchema = z.object({
  key: z.string(),
  path: z.string(),
  name: z.string(),
  imageCount: count,
  isDemo: z.boolean(),
  /** Why nothing can be changed in it here, as a sentence; null when it can. */
  readOnlyBecause: z.string().nullable(),
})
export type OpenWorkspace = z.infer<typeof openWorkspaceSchema>

/** A recent workspace and whether its file is still where it was. */
export const recentEntrySchema = recentWorkspaceSchema.extend({ missing: z.boolean() })
export type RecentEntry = z.infer<typeof recentEntrySchema>

export const appStateSchema = z.object({
  version: z.string(),
  platform: z.string(),
  appearance: appearanceSchema,
  workspace: openWorkspaceSchema.nullable(),
  recentWorkspaces: z.array(recentEntrySchema),
  /** Runs that wait in workspaces which are not open, newest first. */
  unfinishedRuns: z.array(unfinishedRunSchema),
  engine: workerStatusSchema,
  /** Null until the probe of the devices has ended. */
  hardware: hardwareReportSchema.nullable(),
  /** Why the last probe ended without a report; null while it runs and after it succeeded. */
  hardwareError: errorRecordSchema.nullable(),
})
export type AppState = z.infer<typeof appStateSchema>

/** Something that happened, which is no answer to a request: a run ended, the window was drawn again, a disk is full. */
export const noticeSchema = z.discriminatedUnion('about', [
  z.object({ about: z.enum(['window', 'runs']), title: z.string(), text: z.string() }),
  z.object({ about: z.literal('error'), error: errorRecordSchema }),
])
export type Notice = z.infer<typeof noticeSchema>

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

/** A run as the wizard asks for it: a preset, and what differs from it. */
export const newRunSchema = z.object({
  modelId: modelIdSchema,
  name: z.string().trim().min(1).max(120),
  preset: z.enum(presetNames),
  /** Values by section and name of runConfig.ts; what is out of range is refused by name. */
  changes: z.partialRecord(z.enum(runSections), z.record(z.string(), z.json())),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
})
export type NewRunRequest = z.infer<typeof newRunSchema>

const run = z.object({ runId: runIdSchema })
const evaluation = z.object({ evaluationId: evaluationIdSchema })

/**
 * Requests from the renderer. A result of null means that the person closed the file dialog, or kept a run going that
 * the opening of another workspace would have stopped.
 */
export const channels = {
  'app.state': { params: none, result: appStateSchema },
  'app.setAppearance': { params: z.object({ appearance: appearanceSchema }), result: none },
  'app.showLogs': { params: none, result: none },
  /** Puts text on the clipboard. */
  'app.copyText': { params: z.object({ text: z.string().min(1).max(1_000_000) }), result: none },
  /** Asks for a file and writes what the window shows in this part of the page, in its pixels, as PNG; null if none was chosen. */
  'app.savePicture': {
    params: z.object({
      /** What the file is called unless the person says otherwise. */
      name: z.string().min(1).max(300),
      area: z.object({ x: count, y: count, width: count.positive(), height: count.positive() }),
    }),
    result: z.object({ path: z.string() }).nullable(),
  },
  /** What happened since this was last asked. */
  'app.notices': { params: none, result: z.array(noticeSchema) },
  /** What machine and app are doing now; ask once a second while it is shown. */
  'app.load': { params: none, result: appLoadSchema },

  /** Everything long that is under way or waits; `activity.changed` carries it too. */
  'activity.list': { params: none, result: z.array(activitySchema) },
  /** Ends one of them, as the page of its kind would; a run is paused. One that has ended meanwhile is no error. */
  'activity.cancel': { params: z.object({ id: z.string().max(200) }), result: none },

  'settings.get': { params: none, result: settingsViewSchema },
  /** Changes those that are given. `note` says what does not take effect at once, and when it will; null when all does. */
  'settings.set': {
    params: z.object({ changes: chosenSettingsSchema.partial() }),
    result: z.object({ settings: settingsViewSchema, note: z.string().nullable() }),
  },
  /** The size of what is kept only to be faster. */
  'settings.cacheSize': { params: none, result: z.object({ sizeBytes: count }) },
  'settings.clearCache': { params: none, result: z.object({ freedBytes: count }) },
  'settings.showCache': { params: none, result: none },

  'workspace.create': { params: none, result: openWorkspaceSchema.nullable() },
  'workspace.open': { params: none, result: openWorkspaceSchema.nullable() },
  'workspace.openRecent': { params: z.object({ path: z.string() }), result: openWorkspaceSchema.nullable() },
  /** Opens a workspace that another app works on, to look at it. */
  'workspace.openForReading': { params: z.object({ path: z.string() }), result: openWorkspaceSchema.nullable() },
  /** Opens the workspace in which a run waits; it goes on by itself. */
  'workspace.goOn': { params: z.object({ path: z.string() }), result: openWorkspaceSchema.nullable() },
  /** Does not offer it any more; the run itself waits in its workspace. */
  'workspace.forgetUnfinished': { params: z.object({ path: z.string() }), result: none },
  'workspace.forgetRecent': { params: z.object({ path: z.string() }), result: none },
  'workspace.openDemo': { params: none, result: openWorkspaceSchema.nullable() },
  'workspace.close': { params: none, result: none },
  /** Backups of a workspace that could not be opened, the one taken last first. */
  'workspace.backups': { params: z.object({ path: z.string() }), result: z.array(backupEntrySchema) },
  'workspace.restore': {
    params: z.object({ path: z.string(), backup: z.string() }),
    result: z.object({ workspace: openWorkspaceSchema, keptAs: z.string() }).nullable(),
  },
  /** What could be kept of a damaged workspace itself; null when nothing in it can be read. */
  'workspace.inspectDamage': { params: z.object({ path: z.string() }), result: salvageReportSchema.nullable() },
  'workspace.salvage': {
    params: z.object({ path: z.string() }),
    result: z.object({ workspace: openWorkspaceSchema, keptAs: z.string(), report: salvageReportSchema }).nullable(),
  },

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

  'models.list': { params: none, result: z.array(modelViewSchema) },
  /** Asks for a folder of a model; `purpose` is what the dialog says. */
  'models.pickFolder': {
    params: z.object({ purpose: z.enum(['model', 'encoder']) }),
    result: z.object({ folder: z.string() }).nullable(),
  },
  /**
   * Checks a model folder and the encoder that its image tower was taken from, and stores it. The code `model.swapped`
   * means that it works with the two folders the other way round.
   */
  'models.add': {
    params: z.object({ folder: z.string().min(1), companionFolder: z.string().min(1).nullable() }),
    result: z.object({
      model: modelViewSchema,
      /** Where the two image towers part, in a few words; null when they are the same or there is no companion. */
      difference: z.string().nullable(),
    }),
  },
  /** Adds the model that comes with the app. */
  'models.addDemo': { params: none, result: modelViewSchema },
  /** Refused with `model.in-use`, naming them, while runs were made with it. */
  'models.remove': { params: z.object({ modelId: modelIdSchema }), result: none },
  'models.details': { params: z.object({ modelId: modelIdSchema }), result: modelDetailsSchema },
  /** Its folders have moved: the weights must be the very same (`model.other-weights`). Null keeps the encoder's place. */
  'models.relink': {
    params: z.object({
      modelId: modelIdSchema,
      folder: z.string().min(1),
      companionFolder: z.string().min(1).nullable(),
    }),
    result: modelViewSchema,
  },

  'runs.list': { params: none, result: z.array(runViewSchema) },
  'runs.get': { params: run, result: runDetailSchema },
  /** The named metrics of a run by step. */
  'runs.metrics': {
    params: run.extend({ names: z.array(z.string()).max(16) }),
    result: z.record(z.string(), z.array(metricPointSchema)),
  },
  'runs.create': { params: newRunSchema, result: run },
  /** What can be told of a new run at once. */
  'runs.precheck': { params: newRunSchema, result: runPrecheckSchema },
  /**
   * The same, and a small measurement with its models; nothing is stored. `runs.checkProgress` tells how far it is.
   * Refused with `run.check-busy` while a run is under way or another check; `run.cancelled` when it was.
   */
  'runs.check': { params: newRunSchema, result: runCheckSchema },
  /** Ends the check that is under way, and answers once it has ended. */
  'runs.cancelCheck': { params: none, result: none },
  /** Asks for a file of COCO annotations, for `calibration.annotationFile`. */
  'runs.pickAnnotations': { params: none, result: z.object({ path: z.string() }).nullable() },
  /** The control of a run: the same one, each image judged by another. */
  'runs.createPlacebo': { params: run, result: run },
  'runs.pause': { params: run, result: none },
  /** Puts it back into the queue; `goOnRefused`: also with a verifier that the calibration refused. */
  'runs.resume': { params: run.extend({ goOnRefused: z.boolean() }), result: none },
  'runs.stop': { params: run, result: none },
  'runs.delete': { params: run, result: none },
  /** Asks for a folder and writes a step into a new one in it: adapter, `run.json`, on request the merged model. */
  'runs.export': {
    params: run.extend({ step: count, strength: z.number().min(0).max(1.5), merged: z.boolean() }),
    /** Null when the person chose no folder. */
    result: z.object({ folder: z.string() }).nullable(),
  },
  /** Opens a folder that `runs.export` wrote since the start in the file manager; any other is left alone. */
  'runs.showExport': { params: z.object({ folder: z.string() }), result: none },

  /** Asks for a file and writes the report of a run into it; step null for its best one. Null when no file was chosen. */
  'runs.report': {
    params: run.extend({ step: count.nullable(), format: z.enum(['html', 'pdf']) }),
    result: z.object({ path: z.string() }).nullable(),
  },
  /** Shows the report that was written last in its folder. */
  'runs.showReport': { params: none, result: none },

  /** Its checkpoints by step, for the time line and for whom to ask. */
  'runs.checkpoints': { params: run, result: z.object({ checkpoints: z.array(checkpointViewSchema) }) },
  /** Keeps the weights of a checkpoint whatever the policy says, or leaves them to it again. */
  'runs.pin': { params: run.extend({ step: count, isPinned: z.boolean() }), result: none },
  /** Puts a checkpoint in the place of the best one wherever one is proposed, and pins it; null for the best one again. */
  'runs.use': { params: run.extend({ step: count.nullable() }), result: none },
  'runs.rename': { params: run.extend({ name: z.string().trim().min(1).max(120) }), result: none },

  /** Asks a policy about an image; `describe.changed` tells how far it is. What is answered already is not asked again. */
  'describe.start': { params: questionSchema, result: z.object({ describeId: count }) },
  /** Lets a checkpoint describe every image of a query that has no response of it yet. */
  'describe.library': { params: libraryTaskSchema, result: z.object({ describeId: count }) },
  /** Ends it after its current step of decoding; what is stored stays. */
  'describe.cancel': { params: z.object({ describeId: count }), result: none },
  /** What waits or is under way, and what has ended lately, in the order of asking. */
  'describe.list': { params: none, result: z.object({ describes: z.array(describeViewSchema) }) },
  /** How many images of the workspace a checkpoint has described. */
  'describe.coverage': {
    params: libraryDescribeSchema,
    result: z.object({ described: count, images: count }),
  },
  /** The first 500 responses to an image that a page can switch between, by run and step; those of models without a run last. */
  'responses.toImage': {
    params: z.object({ imageId: count }),
    result: z.object({ responses: z.array(responseViewSchema) }),
  },
  'responses.get': { params: z.object({ rolloutId: rolloutIdSchema }), result: responseViewDetailSchema },
  /** Samples of a run over time: what was said at one of its steps. */
  'responses.ofStep': {
    params: run.extend({ step: count, purpose: rolloutPurposeSchema, offset: count, limit: count.max(200) }),
    result: z.object({ total: count, responses: z.array(responseViewSchema) }),
  },
  /** Where an image shows a word, by the patches of an encoder. */
  'evidence.get': {
    params: z.object({
      imageId: count,
      word: z.string().trim().min(1).max(200),
      encoder: encoderChoiceSchema,
      /** As in the question whose response named the word; null for the whole picture. */
      region: regionSchema.nullable(),
    }),
    result: evidenceSchema,
  },

  /** All of the workspace, the newest first; `evaluations.changed` tells how far one is. */
  'evaluations.list': { params: none, result: z.object({ evaluations: z.array(evaluationViewSchema) }) },
  'evaluations.get': { params: evaluation, result: evaluationDetailSchema },
  /** Puts it at the end of the queue. */
  'evaluations.create': { params: newEvaluationSchema, result: evaluation },
  /** Asks for a file or folder of a measure. */
  'evaluations.pick': {
    params: z.object({ what: z.enum(evaluationFiles) }),
    result: z.object({ path: z.string() }).nullable(),
  },
  /** Ends it after its current step of decoding; answers so far stay. */
  'evaluations.cancel': { params: evaluation, result: none },
  /** Puts one that was cancelled or has failed back into the queue; it goes on with what is missing. */
  'evaluations.resume': { params: evaluation, result: none },
  'evaluations.delete': { params: evaluation, result: none },
  /** Object words with their counts. `hallucinated`: by the first policy; `change`: by its difference from the last one. */
  'evaluations.concepts': {
    params: evaluation.extend({ sort: z.enum(conceptSorts), offset: count, limit: count.max(500) }),
    result: z.object({ total: count, concepts: z.array(conceptSchema) }),
  },
  /**
   * The images behind a figure of a policy: those that hallucinate, name or miss a concept (any when null), or whose
   * question is answered right or wrong.
   */
  'evaluations.images': {
    params: evaluation.extend({
      select: evaluatedSelectionSchema,
      concept: z.string().max(200).nullable(),
      policy: z
        .int()
        .min(0)
        .max(mostPolicies - 1),
      offset: count,
      limit: count.max(200),
    }),
    result: z.object({ total: count, images: z.array(evaluatedImageSchema) }),
  },
  /** Asks where a table goes and writes it there as CSV. */
  'evaluations.csv': {
    params: evaluation.extend({ table: z.enum(evaluationTables) }),
    result: z.object({ path: z.string() }).nullable(),
  },

  /** How two policies' responses stand against each other, and what is missing before people can compare them. */
  'votes.begin': { params: ballotSchema, result: ballotViewSchema },
  /** The next pair, or null when there is none left. Asked again before a vote, it is the same pair on the same sides. */
  'votes.next': { params: ballotSchema, result: votePairSchema.nullable() },
  'votes.cast': { params: z.object({ pairId: count, choice: voteChoiceSchema }), result: none },
  /** Takes the ballot's last vote back; its pair is the next one then. Null when there is no vote. */
  'votes.undo': { params: ballotSchema, result: votePairSchema.nullable() },
  'votes.counts': { params: ballotSchema, result: voteCountsSchema },

  'engine.restart': { params: none, result: none },
  'hardware.probe': { params: none, result: none },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>
export type Channel = keyof typeof channels
export type Params<C extends Channel> = z.infer<(typeof channels)[C]['params']>
export type Result<C extends Channel> = z.infer<(typeof channels)[C]['result']>

/**
 * Broadcasts to the renderer: hints that something changed, to be looked up. Only progress, which comes many times a second
 * and stands nowhere in the file, is told at once.
 */
export const events = {
  /** Workspace, recents, engine, hardware or appearance changed. */
  'app.stateChanged': appStateSchema,
  /** An import started, went on or ended; `live` is null once it is over. */
  'images.importChanged': z.object({ importId: count, live: importCountsSchema.nullable() }),
  /** Tags were given or taken, images removed, brought back or relinked. */
  'images.changed': none,
  /** A relink went on: files compared, of so many. */
  'images.relinkProgress': z.object({ done: count, total: count }),
  /** A run was made, went on, changed its state or is gone. */
  'runs.changed': run.extend({
    live: runViewSchema.shape.live,
    /** Nothing but `live` differs from before. */
    isOnlyProgress: z.boolean(),
  }),
  /** A question or a library's description was asked for, went on or ended: all that a page shows of it. */
  'describe.changed': describeViewSchema,
  'runs.checkProgress': runCheckProgressSchema,
  /** Four times a second at most, while something is under way. */
  'activity.changed': z.object({ activities: z.array(activitySchema) }),
  /** An evaluation was made, went on or ended: all that a list shows of it. */
  'evaluations.changed': evaluationViewSchema,
  /** An evaluation is gone. */
  'evaluations.deleted': evaluation,
  /** A command of the application menu that the renderer carries out. */
  'menu.command': z.object({
    command: z.enum([
      'importFolder',
      'showHome',
      'showImages',
      'showRuns',
      'showModels',
      'showSettings',
      'showShortcuts',
      'find',
    ]),
  }),
  /** There are notices to fetch. */
  'app.noticed': none,
} as const satisfies Record<string, z.ZodType>
export type StudioEvent = keyof typeof events
export type EventPayload<E extends StudioEvent> = z.infer<(typeof events)[E]>

/** How an answer travels: errors keep their code and remedy, which Electron's own rejection would lose. */
export type Answer<C extends Channel> =
  | { readonly ok: true; readonly value: Result<C> }
  | { readonly ok: false; readonly error: z.infer<typeof errorRecordSchema> }

/** `window.studio`, the only door between renderer and main. */
export interface StudioBridge {
  request<C extends Channel>(channel: C, params: Params<C>): Promise<Answer<C>>
  /** Calls `listener` for each event until the returned function is called. */
  subscribe<E extends StudioEvent>(event: E, listener: (payload: EventPayload<E>) => void): () => void
  /** The path of a file or folder that was dropped on the window. */
  pathOfDropped(file: File): string
}

/** The addresses of an image in the workspace that is open. */
export const imageUrl = {
  thumbnail: (workspaceKey: string, imageId: number): string => `studio-image://${workspaceKey}/thumbnail/${imageId}`,
  full: (workspaceKey: string, imageId: number): string => `studio-image://${workspaceKey}/full/${imageId}`,
  /** Of an evaluation, whose images may lie outside the workspace. */
  evaluated: (workspaceKey: string, evaluationId: number, item: number): string =>
    `studio-image://${workspaceKey}/evaluated/${evaluationId}/${item}`,
}
