// The built command as a package lays it out: out/headless, the three packages with native code and the resources, and nothing
// else, started by the plain Node that the machine has.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { nativePackages } from '../../../../headless.vite.config.ts'
import type { Line } from '../progress.ts'

const project = join(import.meta.dirname, '../../../..')

export interface Ended {
  readonly code: number | null
  /** Lines of stdout, and of stderr. */
  readonly out: readonly string[]
  readonly err: string
}

export interface Start {
  /** In place of the package's. */
  readonly entry?: string
  /** Called with each line of stdout, and what sends a signal. */
  readonly onLine?: (line: string, kill: (signal: NodeJS.Signals) => void) => void
}

export interface PackagedCommand {
  readonly entry: string
  run(args: readonly string[], start?: Start): Promise<Ended>
}

/** @param home an empty folder: the package is made in it, and the command started there */
export function packagedCommand(home: string): PackagedCommand {
  const app = join(home, 'package/resources/app')
  const out = join(app, 'out/headless')
  mkdirSync(join(app, 'node_modules/@napi-rs'), { recursive: true })
  const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env
  const vite = join(project, 'node_modules/vite/bin/vite.js')
  const args = [vite, 'build', '-c', 'headless.vite.config.ts', '--outDir', out, '--emptyOutDir', '--logLevel', 'warn']
  execFileSync('node', args, { cwd: project, env, stdio: 'inherit' })
  for (const name of nativePackages) symlinkSync(join(project, 'node_modules', name), join(app, 'node_modules', name))
  symlinkSync(join(project, 'resources'), join(home, 'package/resources/resources'))
  const entry = join(out, 'run.js')
  return {
    entry,
    run: async (args, { entry: started = entry, onLine } = {}) => {
      const child = spawn('node', [started, ...args], { cwd: home, env })
      const [lines, errors]: [string[], string[]] = [[], []]
      createInterface(child.stdout).on('line', (line) => {
        lines.push(line)
        onLine?.(line, (signal) => child.kill(signal))
      })
      createInterface(child.stderr).on('line', (line) => errors.push(line))
      const [code] = (await once(child, 'close')) as [number | null]
      return { code, out: lines, err: errors.join('\n') }
    },
  }
}

/** The lines of `--progress json`. */
export function linesOf({ out }: Pick<Ended, 'out'>): Line[] {
  return out.map((line) => JSON.parse(line) as Line)
}
