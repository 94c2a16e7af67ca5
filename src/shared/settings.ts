// The app's own settings (not a workspace's): appearance, recent workspaces, window state.
import { z } from 'zod'

export const appearanceSchema = z.enum(['system', 'light', 'dark'])
export type Appearance = z.infer<typeof appearanceSchema>

export const recentWorkspaceSchema = z.object({
  path: z.string(),
  name: z.string(),
  openedAtMs: z.number(),
  imageCount: z.number().int(),
})
export type RecentWorkspace = z.infer<typeof recentWorkspaceSchema>

/** A run that was under way when its workspace was last closed, or the app ended. */
export const unfinishedRunSchema = z.object({
  path: z.string(),
  isDemo: z.boolean(),
  runName: z.string(),
  sinceMs: z.number(),
})
export type UnfinishedRun = z.infer<typeof unfinishedRunSchema>

export const windowStateSchema = z.object({
  x: z.number().int().optional(),
  y: z.number().int().optional(),
  width: z.number().int(),
  height: z.number().int(),
  maximized: z.boolean(),
})
export type WindowState = z.infer<typeof windowStateSchema>

/** Every field falls back on its own, so that one bad value never costs a person the others. */
export const settingsSchema = z.object({
  appearance: appearanceSchema.catch('system'),
  recentWorkspaces: z.array(recentWorkspaceSchema).catch([]),
  unfinishedRuns: z.array(unfinishedRunSchema).catch([]),
  window: windowStateSchema.catch({ width: 1280, height: 820, maximized: false }),
})
export type Settings = z.infer<typeof settingsSchema>
