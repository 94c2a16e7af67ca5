// Programs that end, that hang and that are told to end; a display that must not outlive its owner.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { projectRoot, runProgram } from './runProgram.ts'

const { env } = process
const node = (program: string, timeoutMs = 60_000) => runProgram(process.execPath, ['-e', program], { env, timeoutMs })

test('gives the exit code, also of a signal and of a time-out', async () => {
  expect(await node('process.exit(0)')).toBe(0)
  expect(await node('process.exit(7)')).toBe(7)
  expect(await node('process.kill(process.pid, "SIGKILL")')).toBe(137)
  expect(await node('setInterval(() => {}, 1000)', 500)).toBe(124)
})

test('passes a signal on, and ends only after the program', async () => {
  const program =
    'process.on("SIGTERM", () => { console.log("closing"); process.exit(0) }); console.log("ready"); setInterval(() => {}, 1e3)'
  const url = join(projectRoot, 'scripts/runProgram.ts')
  const body = `import { runEntry, runProgram } from ${JSON.stringify(url)}
await runEntry(() => runProgram(process.execPath, ['-e', ${JSON.stringify(program)}], { env: process.env }))`
  // Once: a second one, after the program has ended, would end whoever waits for it as any signal does.
  const { output, code } = await run(body, (child, text) => text.trim() === 'ready' && child.kill('SIGTERM'))
  expect(output).toContain('closing')
  expect(code).toBe(143)
})

test.runIf(process.platform === 'linux' && existsSync('/usr/bin/Xvfb'))(
  'a display ends with its owner, however that ends',
  async () => {
    const url = join(projectRoot, 'scripts/display.ts')
    const body = `import { openDisplay } from ${JSON.stringify(url)}
const { name } = await openDisplay()
console.log('display ' + name)
setInterval(() => {}, 1000)`
    let socket = ''
    await run(body, (child, text) => {
      const number = /display :(\d+)\n/.exec(text)?.[1]
      if (!number || socket) return
      socket = `/tmp/.X11-unix/X${number}`
      expect(existsSync(socket)).toBe(true)
      child.kill('SIGKILL')
    })
    for (let i = 0; i < 50 && existsSync(socket); i++) await delay(100)
    expect(socket).not.toBe('')
    expect(existsSync(socket)).toBe(false)
  },
)

test.runIf(process.platform === 'linux' && existsSync('/usr/bin/Xvfb'))(
  'an open display keeps no process alive',
  async () => {
    const url = join(projectRoot, 'scripts/display.ts')
    const body = `import { openDisplay } from ${JSON.stringify(url)}
await openDisplay()`
    expect((await run(body, () => undefined)).code).toBe(0)
  },
)

/** Runs a module in a process of its own, as an entry command is run. */
async function run(
  body: string,
  onText: (child: ReturnType<typeof spawn>, text: string) => void,
): Promise<{ output: string; code: number | null }> {
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', body]
  const child = spawn(process.execPath, args, { env, cwd: projectRoot, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (text: Buffer) => {
    output += text
    onText(child, output)
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { output, code }
}
