// The one contract between renderer and main: every channel with its parameters and result, every event
// with its payload. Preload's `window.studio`, main's handlers and the renderer's client derive from it.
import { z } from 'zod'
import { imageQuerySchema, imageRowSchema, importIssueSchema, importRecordSchema } from './domain.ts'
import { errorRecordSchema } from './errors.ts'
import { hardwareReportSchema } from './hardware.ts'
import { appearanceSchema, recentWorkspaceSchema } from './settings.ts'
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
})
export type OpenWorkspace = z.infer<typeof openWorkspaceSchema>

/** A recent workspace and whether its file is still where it was. */
export const recentEntrySchema = recentWorkspaceSchema.extend({ missing: z.boolean() })
export type RecentEntry = z.infer<typeof recentEntrySchema>

export const backupEntrySchema = z.object({ path: z.string(), takenAtMs: z.number(), sizeBytes: count })
export type BackupEntry = z.infer<typeof backupEntrySchema>

export const appStateSchema = z.object({
  version: z.string(),
  platform: z.string(),
  appearance: appearanceSchema,
  workspace: openWorkspaceSchema.nullable(),
  recentWorkspaces: z.array(recentEntrySchema),
  engine: workerStatusSchema,
  /** Null until the probe of the devices has ended. */
  hardware: hardwareReportSchema.nullable(),
  /** Why the last probe ended without a report; null while it runs and after it succeeded. */
  hardwareError: errorRecordSchema.nullable(),
})
export type AppState = z.infer<typeof appStateSchema>

/** An import as the renderer sees it; `live` has the counts of one that is running now. */
export const importViewSchema = importRecordSchema.extend({ live: importCountsSchema.nullable() })
export type ImportView = z.infer<typeof importViewSchema>

/** Requests from the renderer. A result of null means that the person closed the file dialog. */
export const channels = {
  'app.state': { params: none, result: appStateSchema },
  'app.setAppearance': { params: z.object({ appearance: appearanceSchema }), result: none },
  'app.showLogs': { params: none, result: none },

  'workspace.create': { params: none, result: openWorkspaceSchema.nullable() },
  'workspace.open': { params: none, result: openWorkspaceSchema.nullable() },
  'workspace.openRecent': { params: z.object({ path: z.string() }), result: openWorkspaceSchema },
  'workspace.forgetRecent': { params: z.object({ path: z.string() }), result: none },
  'workspace.openDemo': { params: none, result: openWorkspaceSchema },
  'workspace.close': { params: none, result: none },
  /** Backups of a workspace that could not be opened, newest first. */
  'workspace.backups': { params: z.object({ path: z.string() }), result: z.array(backupEntrySchema) },
  'workspace.restore': {
    params: z.object({ path: z.string(), backup: z.string() }),
    result: z.object({ workspace: openWorkspaceSchema, keptAs: z.string() }),
  },

  'images.pickFolder': { params: none, result: z.object({ importId: count }).nullable() },
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

  'engine.restart': { params: none, result: none },
  'hardware.probe': { params: none, result: none },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>
export type Channel = keyof typeof channels
export type Params<C extends Channel> = z.infer<(typeof channels)[C]['params']>
export type Result<C extends Channel> = z.infer<(typeof channels)[C]['result']>

/** Broadcasts to the renderer: hints that something changed, to be looked up, and never the data itself. */
export const events = {
  /** Workspace, recents, engine, hardware or appearance changed. */
  'app.stateChanged': appStateSchema,
  /** An import started, went on or ended. */
  'images.importChanged': z.object({ importId: count }),
  /** A command of the application menu that the renderer carries out. */
  'menu.command': z.object({ command: z.enum(['importFolder', 'showHome', 'showImages', 'find']) }),
  /** Something a menu command could not do. */
  'app.error': errorRecordSchema,
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
}
