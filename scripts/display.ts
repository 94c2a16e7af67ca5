// A display for machines without a screen: starts Xvfb on a free number and stops it with this process.
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'

/** Calls `use` with an environment in which a window can open. */
export async function withDisplay<T>(env: NodeJS.ProcessEnv, use: (env: NodeJS.ProcessEnv) => Promise<T>): Promise<T> {
  if (process.platform !== 'linux' || env.DISPLAY || env.WAYLAND_DISPLAY) return await use(env)
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1600x1000x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const stop = () => server.kill()
  process.once('exit', stop)
  try {
    const number = await displayNumber(server)
    return await use({ ...env, DISPLAY: `:${number}` })
  } finally {
    process.off('exit', stop)
    stop()
  }
}

function displayNumber(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('exit', (code) => reject(new Error(`Xvfb ended with code ${code} before it had a display`)))
    const stream = server.stdio[3] as Readable
    let text = ''
    stream.on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) resolve(text.trim())
    })
  })
}
