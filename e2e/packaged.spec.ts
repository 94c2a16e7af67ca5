// The app as a package has it: an executable of its own name, so that Electron takes it for packaged. It starts with
// the product's switches and refuses those that open it, before a port is open.
import { type ChildProcess, spawn } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { projectRoot } from '../scripts/runProgram.ts'
import { runtimeEnvironment, setUp } from '../scripts/setup.ts'
import { expect, test } from './studio.ts'

/** Puts the runtime, under another name, and the built app together in `folder`. @returns the executable */
async function packageIn(folder: string): Promise<string> {
  const { distPath } = await setUp()
  for (const entry of readdirSync(distPath, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const from = join(entry.parentPath, entry.name)
    const relative = from.slice(distPath.length + 1)
    if (/^resources\/(app|default_app)\b/.test(relative)) continue
    const to = join(folder, relative === 'electron' ? 'fisao-studio' : relative)
    mkdirSync(dirname(to), { recursive: true })
    try {
      linkSync(from, to)
    } catch {
      // Another file system than the cache's.
      copyFileSync(from, to)
    }
  }
  const app = join(folder, 'resources/app')
  mkdirSync(app, { recursive: true })
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'packaged', type: 'module', main: 'main.js' }))
  const main = pathToFileURL(join(projectRoot, 'out/main/index.js')).href
  writeFileSync(join(app, 'main.js'), `import ${JSON.stringify(main)}\n`)
  return join(folder, 'fisao-studio')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

test('the packaged app refuses a switch that opens it, and starts with its own', async ({ folder }) => {
  const executable = await packageIn(join(folder, 'package'))
  const env = runtimeEnvironment(await setUp())
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const start = (
    name: string,
    args: readonly string[],
  ): { child: ChildProcess; userData: string; text: () => string } => {
    const userData = join(folder, name)
    const child = spawn(executable, [...asRoot, `--user-data-dir=${userData}`, ...args], { env })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()))
    return { child, userData, text: () => text }
  }

  const port = await freePort()
  for (const word of [`--remote-debugging-port=${port}`, `-remote-debugging-port=${port}`]) {
    await test.step(`${word} is refused`, async () => {
      const { child, userData, text } = start('refused', [word])
      let wasOpen = false
      const watch = setInterval(() => void isOpen(port).then((open) => (wasOpen ||= open)), 20)
      const giveUp = setTimeout(() => child.kill('SIGKILL'), 20_000)
      const code = await new Promise((resolve) => child.once('exit', resolve))
      clearInterval(watch)
      clearTimeout(giveUp)
      expect({ code, wasOpen }).toEqual({ code: 64, wasOpen: false })
      expect(text()).toContain(`FiSAO Studio did not start: "${word.split('=')[0]}" is not one of its switches`)
      expect(existsSync(join(userData, 'logs'))).toBe(false)
      rmSync(userData, { recursive: true, force: true })
    })
  }

  await test.step('with switches of its own and of a desktop it starts', async () => {
    const { child, userData } = start('started', ['--ozone-platform=x11', '--lang=en-US'])
    const log = join(userData, 'logs/studio.log')
    await expect.poll(() => existsSync(log) && readFileSync(log, 'utf8'), { timeout: 30_000 }).toContain('FiSAO Studio')
    expect(child.exitCode).toBe(null)
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('exit', resolve))
  })
})
