// Ends a running app as a power cut would, for the tests that do so.
import { spawn } from 'node:child_process'
import { electronArguments } from '../scripts/launch.ts'
import { runtimeEnvironment, setUp } from '../scripts/setup.ts'

/** Starts the app as a process group of its own and ends all of it at once. */
export async function runAndKill(args: readonly string[], moment: () => Promise<void>): Promise<void> {
  const runtime = await setUp()
  const env = runtimeEnvironment(runtime)
  const child = spawn(runtime.electronPath, electronArguments(args), { env, detached: true, stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await moment()
  process.kill(-(child.pid ?? 0), 'SIGKILL')
  await ended
}

/** Uniform numbers in [0, 1): Lehmer's generator with the constants of Park and Miller (1988). */
export function randomNumbers(start: number): () => number {
  let state = start
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
