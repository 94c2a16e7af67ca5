// The one contract between renderer and main: every channel with its parameters and result (by area in ...Channels.ts), every
// event with its payload. Preload's `window.studio`, main's handlers and the renderer's client derive from it.
import { z } from 'zod'
import { activitySchema } from './activity.ts'
import { answerChannels } from './answerChannels.ts'
import { appChannels, appStateSchema } from './appChannels.ts'
import { count, none } from './channelTerms.ts'
import { describeViewSchema } from './describe.ts'
import { evaluationIdSchema, runIdSchema } from './domain.ts'
import type { errorRecordSchema } from './errors.ts'
import { evaluationChannels } from './evaluationChannels.ts'
import { evaluationViewSchema } from './evaluations.ts'
import { imageChannels } from './imageChannels.ts'
import { modelChannels } from './modelChannels.ts'
import { runChannels } from './runChannels.ts'
import { runCheckProgressSchema } from './runCheck.ts'
import { runViewSchema } from './runView.ts'
import { sweepChannels } from './sweepChannels.ts'
import { importCountsSchema } from './workerProtocol.ts'

export type { AppState, Notice, OpenWorkspace, RecentEntry } from './appChannels.ts'
export type { ImportView } from './imageChannels.ts'
export type { NewRunRequest } from './runChannels.ts'

/**
 * Requests from the renderer. A result of null means that the person closed the file dialog, or kept a run going that
 * the opening of another workspace would have stopped.
 */
export const channels = {
  ...appChannels,
  ...imageChannels,
  ...modelChannels,
  ...runChannels,
  ...answerChannels,
  ...evaluationChannels,
  ...sweepChannels,
} as const
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
  'runs.changed': z.object({
    runId: runIdSchema,
    live: runViewSchema.shape.live,
    /** Nothing but `live` differs from before. */
    isOnlyProgress: z.boolean(),
  }),
  /** The folder of a sweep was looked at, or is being looked at. */
  'sweeps.changed': none,
  /** A question or a library's description was asked for, went on or ended: all that a page shows of it. */
  'describe.changed': describeViewSchema,
  'runs.checkProgress': runCheckProgressSchema,
  /** Four times a second at most, while something is under way. */
  'activity.changed': z.object({ activities: z.array(activitySchema) }),
  /** An evaluation was made, went on or ended: all that a list shows of it. */
  'evaluations.changed': evaluationViewSchema,
  /** An evaluation is gone. */
  'evaluations.deleted': z.object({ evaluationId: evaluationIdSchema }),
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
