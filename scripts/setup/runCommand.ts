// Runs a command of the set-up to its end; its output is shown only when it fails.
import { spawn } from 'node:child_process'

/**
 * @returns what it printed on stdout
 * @throws Error with the command line and the end of its output
 */
export function runCommand(
  command: string,
  args: readonly string[],
  { env = process.env, timeoutMs = 300_000 }: { env?: NodeJS.ProcessEnv; timeoutMs?: number } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    // The project's folder, so that npm reads the project's .npmrc wherever the command was called from.
    const cwd = `${import.meta.dirname}/../..`
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs })
    let stdout = ''
    let all = ''
    child.stdout.on('data', (text: Buffer) => {
      stdout += text
      all += text
    })
    child.stderr.on('data', (text: Buffer) => {
      all += text
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(stdout)
      else
        reject(
          new Error(`${command} ${args.join(' ')} failed (${signal ?? `exit code ${code}`}):\n${all.slice(-4000)}`),
        )
    })
  })
}
