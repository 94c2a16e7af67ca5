// Every way out of a page that Chromium knows, tried from inside the app's own page with a listener waiting on this
// machine; the kernel's record says whether anything tried to leave.
import { createSocket } from 'node:dgram'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { _electron, type ElectronApplication, type Page } from '@playwright/test'
import { electronLaunchOptions } from '../scripts/launch.ts'
import { expect, test } from './studio.ts'
import { networkCalls, systemCalls, tracingCommand } from './systemCalls.ts'
import { callFromFrame, waysOut } from './waysOut.ts'

/** Listens for anything that reaches this machine's own address: what goes there would go anywhere. */
async function listen(): Promise<{ port: number; arrivals: string[]; close: () => void }> {
  const arrivals: string[] = []
  const server = createServer((socket) => {
    arrivals.push('a TCP connection')
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const udp = createSocket('udp4', () => arrivals.push('a UDP packet'))
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve))
  return { port, arrivals, close: () => void [server.close(), udp.close()] }
}

/** Starts the app under strace, lets `use` loose in its page and gives the calls that reached for the network. */
async function networkCallsOf(
  folder: string,
  use: (page: Page, app: ElectronApplication) => Promise<void>,
): Promise<string[]> {
  const options = await electronLaunchOptions({ userDataDir: join(folder, 'user data') })
  const trace = join(folder, 'trace')
  mkdirSync(trace)
  const wrapper = join(folder, 'traced')
  const command = [...tracingCommand(trace), options.executablePath].map((word) => `'${word}'`).join(' ')
  writeFileSync(wrapper, `#!/bin/sh\nexec ${command} "$@"\n`)
  chmodSync(wrapper, 0o755)
  const app = await _electron.launch({ ...options, executablePath: wrapper })
  try {
    const page = await app.firstWindow()
    await page.getByRole('heading', { level: 1 }).waitFor()
    await use(page, app)
    // What starts late, as a second try of an address, comes within this time.
    await page.waitForTimeout(3000)
  } finally {
    await app.close()
  }
  return networkCalls(systemCalls(trace)).filter((line) => !isOfDebugger(line))
}

test('no way out of the page leads out of the app', async ({ folder }) => {
  const { port, arrivals, close } = await listen()
  const calls = await networkCallsOf(folder, async (page, app) => {
    const outcomes = await page.evaluate(waysOut, { tcp: `127.0.0.1:${port}`, name: 'leak.example.org' })
    expect(Object.keys(outcomes).length).toBeGreaterThan(100)
    expect(outcomes).toMatchObject({ 'call, STUN and TURN: address': 'ReferenceError' })
    expect(page.url()).toMatch(/^app:\/\/studio\/index.html#?$/)
    expect(app.windows()).toHaveLength(1)
  }).finally(close)
  expect(arrivals).toEqual([])
  expect(calls).toEqual([])
})

test('a call from an empty frame, which the preload script does not reach, sends nothing', async ({ folder }) => {
  const { port, arrivals, close } = await listen()
  const calls = await networkCallsOf(folder, async (page) => {
    expect(await page.evaluate(callFromFrame, { tcp: `127.0.0.1:${port}` })).toBe(0)
  }).finally(close)
  expect(arrivals).toEqual([])
  // The kernel is asked which card would lead to 8.8.8.8, by naming it to a datagram socket; none carries a packet.
  const telling = calls.filter(
    (line) => /^send|5353/.test(line) || /^connect\((?!.*htons\((53|443)\), .*(8\.8\.8\.8|4860::8888))/.test(line),
  )
  expect(telling).toEqual([])
})

/** Playwright drives the app through two debuggers, which listen on this machine and call nobody. */
function isOfDebugger(line: string): boolean {
  return /^socket\(AF_INET6?, SOCK_STREAM/.test(line) || /^bind\(.*sin_addr=inet_addr\("127\.0\.0\.1"\)/.test(line)
}
