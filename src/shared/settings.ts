// The app's own settings (not a workspace's): appearance, device and threads of runs, recent workspaces, window state.
import { z } from 'zod'
import { deviceNameSchema } from './hardware.ts'

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

/** Threads of the processor that a run uses; more than there are cores only costs time. */
export const threadsSchema = z.int().min(1).max(1024)

/** Every field falls back on its own, so that one bad value never costs a person the others. */
export const settingsSchema = z.object({
  appearance: appearanceSchema.catch('system'),
  /** Null for the fastest device that is right. */
  device: deviceNameSchema.nullable().catch(null),
  /** Null for as many as there are cores. */
  threads: threadsSchema.nullable().catch(null),
  recentWorkspaces: z.array(recentWorkspaceSchema).catch([]),
  unfinishedRuns: z.array(unfinishedRunSchema).catch([]),
  window: windowStateSchema.catch({ width: 1280, height: 820, maximized: false }),
})
export type Settings = z.infer<typeof settingsSchema>

/** What a person chooses on the settings page. */
export const chosenSettingsSchema = z.object({
  appearance: appearanceSchema,
  device: deviceNameSchema.nullable(),
  threads: threadsSchema.nullable(),
})
export type ChosenSettings = z.infer<typeof chosenSettingsSchema>

/** The settings page. */
export const settingsViewSchema = z.object({
  chosen: chosenSettingsSchema,
  /** Devices that can be chosen: those that the probe found right. Empty until it has ended. */
  devices: z.array(deviceNameSchema),
  /** What the next run uses; null until the probe has ended. */
  deviceInUse: deviceNameSchema.nullable(),
  /** Why that is not the chosen one, as a sentence; null when it is. */
  deviceNote: z.string().nullable(),
  cores: z.int().positive(),
  cacheFolder: z.string(),
  /** What leaves this machine, as a sentence. */
  privacy: z.string(),
})
export type SettingsView = z.infer<typeof settingsViewSchema>

/** Shown on the settings page; tests of the built app hold it to it (e2e/offline.spec.ts). */
export const privacySentence =
  'Nothing is sent: FiSAO Studio opens no connection to any network. Images, models, responses and runs stay on this machine.'
