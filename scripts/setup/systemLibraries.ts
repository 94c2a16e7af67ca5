// The system libraries that Electron and a run without a display need on Debian or Ubuntu.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { withLock } from './cache.ts'
import { runCommand } from './runCommand.ts'

/** Packages by what shows that they are missing; an installer depends on the same. Names as in Debian 12; see `currentName` for later ones. */
export const runtimePackages = [
  'libgtk-3-0',
  'libnss3',
  'libasound2',
  'libgbm1',
  'libatk-bridge2.0-0',
  'libxss1',
  'libxtst6',
  'libdrm2',
  'libcups2',
]
const displayPackages = ['xvfb', 'xauth', 'dbus', 'fonts-dejavu-core']
const compilerPackages = ['gcc', 'g++']
const tracerPackages = ['strace']

/** What a run needs of the machine. */
export interface Need {
  /** Looks up the libraries that the Electron executable asks for and the machine lacks. */
  readonly missing: () => readonly string[]
  /** Whether a display must be made, for lack of a screen. */
  readonly display: boolean
  readonly compiler: boolean
  /** Whether system calls are recorded, as the test of the demo does. */
  readonly tracer?: boolean
}

export interface Plan {
  /** What is missing, in words. */
  readonly missing: readonly string[]
  /** The Debian packages that bring it. */
  readonly packages: readonly string[]
}

/** Whether the shell would find the command. */
export function isOnPath(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => folder && existsSync(join(folder, command)))
}

/** Libraries that the executable asks for and the machine lacks. */
export function missingLibraries(executable: string): string[] {
  return parseLdd(execFileSync('ldd', [executable], { encoding: 'utf8' }))
}

/** @param text what `ldd` printed */
export function parseLdd(text: string): string[] {
  return [...text.matchAll(/^\s*(\S+) => not found$/gm)].map((match) => match[1] ?? '')
}

/** What is missing and the packages that bring it. */
export function plan(need: Need, has = isOnPath): Plan {
  const libraries = need.missing()
  const parts: readonly [lacking: boolean, words: readonly string[], packages: readonly string[]][] = [
    [libraries.length > 0, libraries, runtimePackages],
    [need.display && !has('Xvfb'), ['Xvfb (a display for runs without a screen)'], displayPackages],
    [need.compiler && !(has('g++') && has('cc')), ['a C++ compiler'], compilerPackages],
    [need.tracer === true && !has('strace'), ['strace (a record of system calls, for the tests)'], tracerPackages],
  ]
  const lacking = parts.filter(([isLacking]) => isLacking)
  return { missing: lacking.flatMap(([, words]) => words), packages: lacking.flatMap(([, , packages]) => packages) }
}

/** The sentence for a person who has to install packages by hand. */
export function installMessage({ missing, packages }: Plan, isKnown = isKnownToApt): string {
  const names = packages.map((name) => currentName(name, isKnown))
  return (
    `This machine lacks ${missing.join(', ')}. Run this once, then try again:\n` +
    `  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names.join(' ')}`
  )
}

/**
 * A package's name on this release. Debian 13 and Ubuntu 24.04 renamed some libraries to end in t64, and for
 * one of them (libasound2) the old name has two providers, between which apt refuses to choose.
 */
export function currentName(name: string, isKnown = isKnownToApt): string {
  return isKnown(`${name}t64`) ? `${name}t64` : name
}

function isKnownToApt(name: string): boolean {
  return spawnSync('apt-cache', ['show', name], { stdio: 'ignore' }).status === 0
}

/**
 * Installs what is missing when that is allowed without asking (root on Debian or Ubuntu).
 * @throws Error with the one command to run otherwise
 */
export async function ensureSystemLibraries(need: Need, print: (line: string) => void): Promise<void> {
  const todo = plan(need)
  if (todo.packages.length === 0) return
  if (!(process.getuid?.() === 0 && isDebianLike())) throw new Error(installMessage(todo))
  await withLock('apt', () => install(need, print))
  const left = plan(need)
  if (left.missing.length > 0) throw new Error(installMessage(left))
}

/** Installs what is missing by now: a set-up beside this one may have been first. */
async function install(need: Need, print: (line: string) => void): Promise<void> {
  const { packages } = plan(need)
  if (packages.length > 0) await installPackages(packages, print)
}

/** Installs packages of Debian or Ubuntu, as root; names as in Debian 12. */
export async function installPackages(packages: readonly string[], print: (line: string) => void): Promise<void> {
  print(`installing ${packages.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  // A machine that has just started may hold apt's lock for its own updates.
  const options = ['-qq', '-o', 'DPkg::Lock::Timeout=300']
  await runCommand('apt-get', ['update', ...options], { env })
  const names = packages.map((name) => currentName(name))
  await runCommand('apt-get', ['install', '-y', '--no-install-recommends', ...options, ...names], {
    env,
    timeoutMs: 900_000,
  })
}

function isDebianLike(): boolean {
  return isOnPath('apt-get') && /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync('/etc/os-release', 'utf8'))
}
