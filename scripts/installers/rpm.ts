// Makes an .rpm of a laid-out package with rpmbuild. Equal trees give equal bytes.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../runProgram.ts'
import { runCommand } from '../setup/runCommand.ts'
import type { Release } from './deb.ts'
import type { LinuxPackage } from './linuxPackage.ts'

const architectures: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' }
/** What Electron loads, by the names that Fedora, RHEL and openSUSE all provide. */
const libraries = [
  ...['libgtk-3.so.0', 'libnss3.so', 'libasound.so.2', 'libgbm.so.1', 'libatk-bridge-2.0.so.0', 'libXss.so.1'],
  ...['libXtst.so.6', 'libdrm.so.2', 'libcups.so.2'],
]

/** The spec file, with the tree that is there as its source. */
export function specOf({ name, summary, description, root, hasScripts }: LinuxPackage, { version }: Release): string {
  const needs = name === 'fisao-studio' ? libraries.map((one) => `${one}()(64bit)`) : [`fisao-studio = ${version}`]
  const script = (file: string): string =>
    readFileSync(join(projectRoot, 'build/linux', file), 'utf8')
      .replace(/^#!.*\n/, '')
      // A percent sign would be a macro's.
      .replaceAll('%', '%%')
  return `Name: ${name}
Version: ${version.replaceAll('-', '~')}
Release: 1
Summary: ${summary}
License: Apache-2.0
AutoReqProv: no
${needs.map((one) => `Requires: ${one}`).join('\n')}

%description
${description}

%install
cp -a ${root}/. %{buildroot}/
rm -rf %{buildroot}/DEBIAN

%files
%defattr(-,root,root)
${filesOf(name, root).join('\n')}
${hasScripts ? `\n%post\n${script('postinst')}\n%postun\n${script('postrm')}` : ''}`
}

function filesOf(name: LinuxPackage['name'], root: string): string[] {
  if (name === 'fisao-studio') return ['/opt/fisao-studio', '/usr/bin/fisao-studio', '/usr/share/*/*']
  const manual = existsSync(join(root, 'usr/share/man')) ? ['/usr/share/man/*/*'] : []
  return ['/opt/fisao-studio/*', '/usr/bin/fisao-studio-run', '/usr/share/doc/fisao-studio-run', ...manual]
}

/** @returns the file's name in `out` */
export async function makeRpm(one: LinuxPackage, release: Release, out: string): Promise<string> {
  const work = join(out, 'rpmbuild')
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  const spec = join(work, `${one.name}.spec`)
  writeFileSync(spec, specOf(one, release))
  const arch = architectures[release.arch] ?? release.arch
  const macros = {
    _topdir: work,
    _rpmdir: join(work, 'done'),
    // Nothing of ours is stripped or looked into again.
    __os_install_post: '%{nil}',
    _build_id_links: 'none',
    debug_package: '%{nil}',
    _buildhost: 'localhost',
    use_source_date_epoch_as_buildtime: '1',
    clamp_mtime_to_source_date_epoch: '1',
    _binary_payload: release.fast ? 'w1T1.zstdio' : 'w6T1.xzdio',
  }
  const defines = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`])
  await runCommand('rpmbuild', ['-bb', '--target', arch, ...defines, spec], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(release.timeS) },
    timeoutMs: 900_000,
  })
  const [file = ''] = readdirSync(join(work, 'done', arch))
  renameSync(join(work, 'done', arch, file), join(out, file))
  rmSync(work, { recursive: true })
  return file
}
