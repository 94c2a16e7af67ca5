// `npm run dist [-- --fast] [--only deb,rpm,tar,appimage] [--out DIR]`: the installers of Linux for the machine that it
// runs on. What tests install is made by the same lines as what is released.
import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from '../build.ts'
import { projectRoot, runEntry } from '../runProgram.ts'
import { runCommand } from '../setup/runCommand.ts'
import { printSetUp, runtimeEnvironment, setUp } from '../setup.ts'
import { assemble } from './assemble.ts'
import { makeDeb, type Release } from './deb.ts'
import { drawIcon } from './icons.ts'
import { installedSize, layOut, settle } from './linuxPackage.ts'
import { makeRpm } from './rpm.ts'

export const forms = ['deb', 'rpm', 'tar', 'appimage'] as const
export type Form = (typeof forms)[number]

/** What each form is made with; a form whose tool is not there is left out when none was asked for by name. */
const tools: Readonly<Record<Form, string>> = { deb: 'dpkg-deb', rpm: 'rpmbuild', tar: 'tar', appimage: 'appimagetool' }

export interface DistOptions {
  readonly out: string
  readonly fast: boolean
  readonly only: readonly Form[] | null
}

/** @returns names of the files in `out` */
export async function dist({ out, fast, only }: DistOptions, print: (line: string) => void): Promise<string[]> {
  if (process.platform !== 'linux') {
    throw new Error('On Windows and macOS electron-builder makes the installers; docs/install.md has the commands.')
  }
  const runtime = await setUp()
  await build(runtimeEnvironment(runtime))
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
  const release = { version, arch: process.arch, timeS: await commitTime(), fast }
  mkdirSync(out, { recursive: true })
  const program = join(out, `fisao-studio-${version}-linux-${process.arch}`)
  const system = { platform: process.platform, arch: process.arch }
  await assemble(program, runtime, system, release.timeS, print)
  settle(program, release.timeS)
  print(`put together: ${megabytes(installedSize(program).bytes)} in ${program}`)

  const work = join(out, 'trees')
  const packages = await layOut(program, work, release.timeS)
  const files: string[] = []
  for (const form of only ?? (await availableForms(print))) {
    if (form === 'deb') for (const one of packages) files.push(await makeDeb(one, release, out))
    if (form === 'rpm') for (const one of packages) files.push(await makeRpm(one, release, out))
    if (form === 'tar') files.push(await makeTar(program, release, out))
    if (form === 'appimage') files.push(await makeAppImage(program, release, out))
  }
  rmSync(work, { recursive: true })
  await writeSums(out, files)
  for (const file of files) print(`wrote ${join(out, file)}`)
  return files
}

/** Time that files carry, so that the same commit gives the same bytes: of the commit, or SOURCE_DATE_EPOCH. */
async function commitTime(): Promise<number> {
  const told = process.env.SOURCE_DATE_EPOCH
  if (told) return Number(told)
  return Number(await runCommand('git', ['-C', projectRoot, 'log', '-1', '--format=%ct']))
}

async function availableForms(print: (line: string) => void): Promise<Form[]> {
  const found: Form[] = []
  for (const form of forms) {
    const isThere = await runCommand('which', [tools[form]]).then(
      () => true,
      () => false,
    )
    if (isThere) found.push(form)
    else print(`no ${form}: ${tools[form]} is not installed`)
  }
  return found
}

async function makeTar(program: string, { timeS, fast }: Release, out: string): Promise<string> {
  const name = program.slice(out.length + 1)
  const file = `${name}.tar.gz`
  const options = ['--sort=name', `--mtime=@${timeS}`, '--owner=0', '--group=0', '--numeric-owner', '--format=gnu']
  const gzip = `gzip -n -${fast ? 1 : 9}`
  await runCommand('tar', [...options, '-I', gzip, '-cf', join(out, file), '-C', out, name], { timeoutMs: 600_000 })
  return file
}

/** The program's folder as one file that runs by itself; appimagetool comes from https://github.com/AppImage. */
async function makeAppImage(program: string, { version, arch, timeS }: Release, out: string): Promise<string> {
  const folder = join(out, 'AppDir')
  const file = `fisao-studio-${version}-${arch === 'x64' ? 'x86_64' : 'aarch64'}.AppImage`
  rmSync(folder, { recursive: true, force: true })
  await runCommand('cp', ['-al', program, folder])
  await runCommand('cp', [join(projectRoot, 'build/linux/fisao-studio.desktop'), folder])
  writeFileSync(join(folder, 'fisao-studio.png'), await drawIcon(256))
  symlinkSync('fisao-studio', join(folder, 'AppRun'))
  await runCommand('appimagetool', ['--no-appstream', folder, join(out, file)], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(timeS) },
    timeoutMs: 600_000,
  })
  rmSync(folder, { recursive: true })
  return file
}

/** Writes SHA256SUMS, as `sha256sum -c` reads it. */
export async function writeSums(out: string, files: readonly string[]): Promise<void> {
  const lines: string[] = []
  for (const file of [...files].sort()) {
    const hash = createHash('sha256')
    await pipeline(createReadStream(join(out, file)), hash)
    lines.push(`${hash.digest('hex')}  ${file}\n`)
  }
  writeFileSync(join(out, 'SHA256SUMS'), lines.join(''))
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

function optionsOf(args: readonly string[]): DistOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { fast: { type: 'boolean', default: false }, only: { type: 'string' }, out: { type: 'string' } },
  })
  const named = values.only?.split(',') ?? null
  const unknown = named?.find((one) => !forms.some((form) => form === one))
  if (unknown !== undefined) throw new Error(`--only takes ${forms.join(', ')}, not ${unknown}`)
  const folder = resolve(process.env.INIT_CWD ?? process.cwd(), values.out ?? join(projectRoot, 'dist'))
  return { out: folder, fast: values.fast, only: named as Form[] | null }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runEntry(async () => {
    await dist(optionsOf(process.argv.slice(2)), printSetUp)
    return 0
  })
}
