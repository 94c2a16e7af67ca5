// Random messages to every channel from the page: main lives, refuses in sentences and accepts nothing but what the
// contract says. FISAO_IPC_MESSAGES sets how many a channel gets, FISAO_IPC_SEED which.

import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { type Channel, channels } from '../src/shared/contract.ts'
import type { Outcome } from './ipcMessages.ts'
import { createWorkspace, expect, test } from './studio.ts'

const messagesEach = Number(process.env.FISAO_IPC_MESSAGES ?? 60)
const seed = Number(process.env.FISAO_IPC_SEED ?? 20261127)

type SendTo = (channel: Channel, count: number, seed: number) => Promise<Outcome>

test('main survives random messages on every channel and accepts none that is not agreed', async ({
  studio,
  folder,
}) => {
  test.setTimeout(120_000 + messagesEach * 2000)
  const { app, page } = studio
  const path = join(folder, 'work.fisao')
  await createWorkspace(studio, path)
  // A person who closes every dialog; and no file manager for each message.
  await app.evaluate(({ dialog, shell }) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: true, filePath: '' })
    dialog.showOpenDialog = () => Promise.resolve({ canceled: true, filePaths: [] })
    shell.openPath = () => Promise.resolve('')
  })
  const { outputFiles } = buildSync({
    entryPoints: [join(import.meta.dirname, 'ipcMessages.ts')],
    ...{ bundle: true, write: false, format: 'iife', target: 'chrome130', logLevel: 'error' },
  })
  await page.evaluate(outputFiles?.[0]?.text ?? '')
  const pid = await app.evaluate(() => process.pid)

  const faults: string[] = []
  let sent = 0
  let accepted = 0
  for (const channel of Object.keys(channels) as Channel[]) {
    // Whatever the channel before has closed or opened.
    await page.evaluate((workspace) => window.studio.request('workspace.openRecent', { path: workspace }), path)
    const outcome = await page.evaluate(
      ([to, count, from]) => (globalThis as unknown as { sendTo: SendTo }).sendTo(to, count, from),
      [channel, messagesEach, seed] as const,
    )
    sent += outcome.sent
    accepted += outcome.accepted
    faults.push(...outcome.faults.map((fault) => `${channel}: ${fault}`))
    expect(outcome.sent, channel).toBe(messagesEach)
    if (messagesEach >= 1000) process.stdout.write(`${channel}: ${JSON.stringify(outcome.refused)}\n`)
  }
  process.stdout.write(
    `${sent} messages to ${Object.keys(channels).length} channels (seed ${seed}), ${accepted} accepted\n`,
  )
  expect(faults).toEqual([])
  expect(await app.evaluate(() => process.pid)).toBe(pid)
  const state = await page.evaluate(() => window.studio.request('app.state', {}))
  expect(state).toMatchObject({ ok: true })
})

test('a message that ends the page, as a list of a thousand million gaps does, does not end main', async ({
  studio,
}) => {
  const { app, page } = studio
  const pid = await app.evaluate(() => process.pid)
  // Electron copies it into the bridge element by element, and the page's process runs out of memory.
  const crashed = page.waitForEvent('crash')
  const sent = page.evaluate(() => {
    const gaps: number[] = []
    gaps[2 ** 30] = 1
    const { request } = window.studio as unknown as { request: (channel: string, params: unknown) => Promise<unknown> }
    return Promise.all([1, 2, 3, 4].map(() => request('app.state', { a: gaps, b: gaps, c: gaps, d: gaps })))
  })
  await expect(sent).rejects.toThrow('Target crashed')
  await crashed
  expect(await app.evaluate(({ app: main }) => [process.pid, main.isReady()])).toEqual([pid, true])
})
