// What the renderer may ask of the app itself: its state, notices, activities, settings, workspaces and devices.
import { z } from 'zod'
import { activitySchema } from './activity.ts'
import { appLoadSchema } from './appLoad.ts'
import { count, none } from './channelTerms.ts'
import { errorRecordSchema } from './errors.ts'
import { hardwareReportSchema } from './hardware.ts'
import { backupEntrySchema, salvageReportSchema } from './salvage.ts'
import {
  appearanceSchema,
  chosenSettingsSchema,
  recentWorkspaceSchema,
  settingsViewSchema,
  unfinishedRunSchema,
} from './settings.ts'
import { workerStatusSchema } from './workerStatus.ts'

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

export const appChannels = {
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

  'engine.restart': { params: none, result: none },

  'hardware.probe': { params: none, result: none },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>
