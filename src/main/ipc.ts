// Main's end of the contract: one handler a channel, each call's sender, parameters and result checked.
import { type IpcMainInvokeEvent, ipcMain, type WebContents } from 'electron'
import { z } from 'zod'
import {
  type Answer,
  type Channel,
  channels,
  type EventPayload,
  type Params,
  type Result,
  type StudioEvent,
} from '../shared/contract.ts'
import { StudioError, toErrorRecord } from '../shared/errors.ts'
import { logger } from './log.ts'
import { oddityOf } from './plainMessage.ts'
import { isOwnPage } from './security.ts'

export type ChannelHandlers = { readonly [C in Channel]: (params: Params<C>) => Result<C> | Promise<Result<C>> }

/** The answer to a request that asks for nothing back, once its work is done. */
export async function done(work: void | Promise<void>): Promise<Record<string, never>> {
  await work
  return {}
}

/**
 * Registers `handlers` for the whole life of the app.
 * @param explain the words for what a handler threw
 */
export function handleChannels(handlers: ChannelHandlers, explain: (thrown: unknown) => Promise<unknown>): void {
  function register<C extends Channel>(channel: C): void {
    ipcMain.handle(channel, async (event, params: unknown) => {
      try {
        return await answer<C>(channel, handlers[channel], event, params)
      } catch (thrown) {
        return refusal(channel, await explain(thrown))
      }
    })
  }
  for (const channel of Object.keys(channels) as Channel[]) register(channel)
}

async function answer<C extends Channel>(
  channel: C,
  handler: (params: Params<C>) => Result<C> | Promise<Result<C>>,
  event: IpcMainInvokeEvent,
  rawParams: unknown,
): Promise<Answer<C>> {
  checkSender(event)
  const oddity = oddityOf(rawParams)
  if (oddity !== null) throw malformed(channel, 'parameters', oddity)
  const params = onlyItsOwn(channels[channel].params).safeParse(rawParams)
  if (!params.success) throw malformed(channel, 'parameters', params.error.issues[0]?.message)
  const value = channels[channel].result.safeParse(await handler(params.data as Params<C>))
  if (!value.success) throw malformed(channel, 'result', value.error.issues[0]?.message)
  return { ok: true, value: value.data as Result<C> }
}

function refusal<C extends Channel>(channel: C, thrown: unknown): Answer<C> {
  const error = toErrorRecord(thrown)
  const found = error.found === undefined ? '' : ` Found: ${error.found}`
  logger.warn(`${channel}: ${error.code}: ${error.message}${found}`)
  if (!(thrown instanceof StudioError)) logger.error(channel, thrown)
  return { ok: false, error }
}

/** What is not of the agreed form is refused, and not passed over: a field too many is a misunderstanding or an attack. */
function onlyItsOwn(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodObject ? schema.strict() : schema
}

/** Only the main frame of the app's own page may ask. */
function checkSender({ senderFrame }: IpcMainInvokeEvent): void {
  if (senderFrame && senderFrame.parent === null && isOwnPage(senderFrame.url)) return
  throw new StudioError({
    code: 'ipc.foreign-sender',
    message: 'A page that is not part of the app asked for something.',
    remedy: 'Restart the app; if it happens again, report it with the log (Help > Show logs).',
    found: senderFrame?.url ?? 'a frame that is gone',
  })
}

function malformed(channel: string, what: string, problem = 'unknown'): StudioError {
  return new StudioError({
    code: 'ipc.malformed',
    message: `The ${what} of "${channel}" are not in the agreed form: ${problem}.`,
    remedy: 'Restart the app; if it happens again, report it with the log (Help > Show logs).',
    where: channel,
  })
}

/** Sends an event to the page; a window that is closing is left alone. */
export function broadcast<E extends StudioEvent>(
  contents: WebContents | undefined,
  event: E,
  payload: EventPayload<E>,
): void {
  if (contents && !contents.isDestroyed()) contents.send(event, payload)
}
