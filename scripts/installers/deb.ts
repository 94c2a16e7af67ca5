// Makes a .deb of a laid-out package with Debian's own dpkg-deb. Equal trees give equal bytes.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../runProgram.ts'
import { runCommand } from '../setup/runCommand.ts'
import { runtimePackages as debianLibraries } from '../setup/systemLibraries.ts'
import { installedSize, type LinuxPackage, settle } from './linuxPackage.ts'

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }
/** Of these, later releases have another name for the same library. */
const renamed = new Set(['libgtk-3-0', 'libasound2', 'libatk-bridge2.0-0', 'libcups2'])

export interface Release {
  readonly version: string
  readonly arch: string
  /** Time of the commit; seconds since 1970. */
  readonly timeS: number
  /** For trials: a weak but quick compression. */
  readonly fast: boolean
}

/** The control file (deb-control(5)). */
export function controlOf({ name, summary, description, root }: LinuxPackage, { version, arch }: Release): string {
  const libraries = debianLibraries.map((one) => (renamed.has(one) ? `${one} | ${one}t64` : one))
  // The floor of better-sqlite3's binary.
  const libc = 'libc6 (>= 2.34)'
  const needs = name === 'fisao-studio' ? [libc, 'libstdc++6', ...libraries] : [libc, `fisao-studio (= ${version})`]
  return [
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${architectures[arch] ?? arch}`,
    'Section: science',
    'Priority: optional',
    'Maintainer: The FiSAO Studio authors <fisao-studio@localhost>',
    `Installed-Size: ${installedSize(root).blocksKiB}`,
    `Depends: ${needs.join(', ')}`,
    ...(name === 'fisao-studio' ? ['Recommends: xdg-utils, shared-mime-info', 'Suggests: fisao-studio-run'] : []),
    `Description: ${summary}`,
    ` ${description}`,
    '',
  ].join('\n')
}

/** @returns the file's name in `out` */
export async function makeDeb(one: LinuxPackage, release: Release, out: string): Promise<string> {
  const control = join(one.root, 'DEBIAN')
  mkdirSync(control, { recursive: true })
  writeFileSync(join(control, 'control'), controlOf(one, release))
  if (one.hasScripts) {
    for (const script of ['postinst', 'postrm']) {
      cpSync(join(projectRoot, 'build/linux', script), join(control, script))
    }
  }
  settle(control, release.timeS)
  settle(one.root, release.timeS)
  const file = `${one.name}_${release.version}_${architectures[release.arch] ?? release.arch}.deb`
  const compression = release.fast ? ['-Zzstd', '-z1'] : ['-Zxz', '-z6']
  // One thread: the parts of a parallel xz differ with the number of cores.
  const options = ['--root-owner-group', ...compression, '--threads-max=1']
  await runCommand('dpkg-deb', [...options, '--build', one.root, join(out, file)], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(release.timeS) },
    timeoutMs: 900_000,
  })
  return file
}
