// Runs a program of an entry command in the foreground: its output is ours, our signals are its own.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export const projectRoot = join(import.meta.dirname, '..')

export interface ProgramOptions {
  readonly env: NodeJS.ProcessEnv
  /** How long it may run before it is stopped. */
  readonly timeoutMs?: number
  /** Which lines of its error output a person should see; all of them when left out. */
  readonly keepsErrorLine?: (line: string) => boolean
}

/** This command was asked to end; `exitCode` is what the shell expects then. */
export class Interrupted extends Error {
  readonly exitCode: number

  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`)
    this.exitCode = 128 + constants.signals[signal]
  }
}

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const exitCodeOnTimeout = 124
const graceMs = 10_000

/**
 * @returns the program's exit code, 128 + its signal's number, or 124 when it ran out of time
 * @throws Interrupted when this process was asked to end; the program has ended by then
 */
export async function runProgram(
  command: string,
  args: readonly string[],
  { env, timeoutMs, keepsErrorLine }: ProgramOptions,
): Promise<number> {
  const child = spawn(command, args, {
    cwd: projectRoot,
    env,
    stdio: ['inherit', 'inherit', keepsErrorLine ? 'pipe' : 'inherit'],
  })
  if (keepsErrorLine && child.stderr) {
    createInterface(child.stderr).on('line', (line) => keepsErrorLine(line) && process.stderr.write(`${line}\n`))
  }
  let interruptedBy: NodeJS.Signals | null = null
  const pass = (signal: NodeJS.Signals): void => {
    interruptedBy ??= signal
    // The keyboard's interrupt has reached the program too, and many take a second one as an order to die.
    if (!(signal === 'SIGINT' && process.stdin.isTTY)) child.kill(signal)
  }
  for (const signal of forwarded) process.on(signal, pass)
  let ranOutOfTime = false
  const timer = timeoutMs && setTimeout(stop, timeoutMs)
  let killer: NodeJS.Timeout | undefined
  function stop(): void {
    ranOutOfTime = true
    child.kill('SIGTERM')
    killer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  }
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (exitCode, signal) => resolve(signal ? 128 + constants.signals[signal] : (exitCode ?? 1)))
    })
    if (interruptedBy) throw new Interrupted(interruptedBy)
    if (!ranOutOfTime) return code
    process.stderr.write(`${command} did not end within ${(timeoutMs ?? 0) / 1000} s and was stopped\n`)
    return exitCodeOnTimeout
  } finally {
    clearTimeout(timer)
    clearTimeout(killer)
    for (const signal of forwarded) process.off(signal, pass)
  }
}

/** Runs the body of an entry command and ends the process with its exit code, or with what went wrong in one line. */
export async function runEntry(body: () => Promise<number>): Promise<void> {
  process.exitCode = await body().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    return error instanceof Interrupted ? error.exitCode : 1
  })
}
