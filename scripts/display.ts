// A display for machines without a screen: starts Xvfb on a free number and stops it with this process.
import { spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

/** A display of our own, open until it is closed or this process ends. */
export interface Display {
  /** As in the variable DISPLAY: `:99`. */
  readonly name: string
  readonly close: () => void
}

// The shell holds the pipe's other end and stops Xvfb when it closes: also when this process was killed.
// It ignores an interrupt from the keyboard, which reaches the whole group while windows still close.
const keeper = `trap '' INT; Xvfb "$@" & server=$!; exec 3>&-; cat >/dev/null; kill $server`

/** Whether a window can only open on a display that we make. */
export function needsOwnDisplay(env: NodeJS.ProcessEnv = process.env): boolean {
  return process.platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY
}

/** Calls `use` with an environment in which a window can open. */
export async function withDisplay<T>(env: NodeJS.ProcessEnv, use: (env: NodeJS.ProcessEnv) => Promise<T>): Promise<T> {
  if (!needsOwnDisplay(env)) return await use(env)
  const display = await openDisplay()
  try {
    return await use({ ...env, DISPLAY: display.name })
  } finally {
    display.close()
  }
}

/** @throws Error when Xvfb does not start */
export async function openDisplay(): Promise<Display> {
  // Else it starts anew whenever the last window has closed, and refuses whoever comes in that moment.
  const options = ['-displayfd', '3', '-screen', '0', '1600x1000x24', '-nolisten', 'tcp', '-noreset']
  const shell = spawn('sh', ['-c', keeper, 'sh', ...options], { stdio: ['pipe', 'ignore', 'ignore', 'pipe'] })
  const pipe = shell.stdin as Writable
  let number = ''
  for await (const chunk of shell.stdio[3] as Readable) {
    number += chunk
    if (number.endsWith('\n')) break
  }
  // The display must not keep this process alive: it ends with it.
  shell.unref()
  if (!/^\d+\n$/.test(number)) {
    pipe.end()
    throw new Error('Xvfb ended before it had a display. Is it installed, and can it write to /tmp/.X11-unix?')
  }
  return { name: `:${number.trim()}`, close: () => pipe.end() }
}
