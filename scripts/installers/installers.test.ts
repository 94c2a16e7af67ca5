// The small parts of the installers: what they say of themselves, the order and modes of their files, their sums.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { projectRoot } from '../runProgram.ts'
import { builderConfig, builderFuses } from './builderConfig.ts'
import { controlOf } from './deb.ts'
import { writeSums } from './dist.ts'
import { installedSize, type LinuxPackage, settle } from './linuxPackage.ts'
import { specOf } from './rpm.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fisao-installers-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const release = { version: '1.2.0', arch: 'x64', timeS: 1_700_000_000, fast: true }

function packageOf(name: LinuxPackage['name']): LinuxPackage {
  return { name, summary: 'Says so', description: 'At length.', root: folder, hasScripts: name === 'fisao-studio' }
}

test('the control file names the system, the size in KiB and what is needed', () => {
  writeFileSync(join(folder, 'a'), Buffer.alloc(4097))
  const control = controlOf(packageOf('fisao-studio'), release)
  expect(control).toContain('\nArchitecture: amd64\n')
  // 4097 bytes take two blocks of 4 KiB.
  expect(control).toContain('\nInstalled-Size: 8\n')
  expect(control).toMatch(/\nDepends: libc6 \(>= 2\.34\), .*libgtk-3-0 \| libgtk-3-0t64, libnss3, /)
  expect(control.endsWith('\n')).toBe(true)
  expect(controlOf(packageOf('fisao-studio-run'), release)).toContain(
    '\nDepends: libc6 (>= 2.34), fisao-studio (= 1.2.0)\n',
  )
})

test('the spec file carries the same scripts, with no macro of rpm in them', () => {
  const spec = specOf(packageOf('fisao-studio'), release)
  expect(spec).toContain('\nRequires: libgtk-3.so.0()(64bit)\n')
  expect(spec).toContain('\n%post\n')
  expect(spec).toContain('chmod 4755 "$folder/chrome-sandbox"')
  expect(specOf(packageOf('fisao-studio-run'), release)).not.toContain('%post')
})

test('files get the same modes and times whatever they had', () => {
  mkdirSync(join(folder, 'b'), { mode: 0o700 })
  writeFileSync(join(folder, 'b/program'), '')
  chmodSync(join(folder, 'b/program'), 0o700)
  writeFileSync(join(folder, 'b/data'), '')
  chmodSync(join(folder, 'b/data'), 0o666)
  settle(folder, release.timeS)
  const modes = ['b', 'b/program', 'b/data'].map((path) => statSync(join(folder, path)).mode & 0o777)
  expect(modes).toEqual([0o755, 0o755, 0o644])
  expect(statSync(join(folder, 'b/data')).mtimeMs).toBe(1_700_000_000_000)
  expect(installedSize(folder)).toEqual({ bytes: 0, blocksKiB: 0 })
})

test('the sums are those of sha256sum, sorted by name', async () => {
  writeFileSync(join(folder, 'b'), 'abc')
  writeFileSync(join(folder, 'a'), '')
  await writeSums(folder, ['b', 'a'])
  // FIPS 180-2, appendix B.1, and the hash of nothing.
  expect(await readFile(join(folder, 'SHA256SUMS'), 'utf8')).toBe(
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n' +
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b\n',
  )
})

test('electron-builder gets the same fuses and files', () => {
  expect(builderFuses()).toEqual({
    runAsNode: false,
    enableCookieEncryption: true,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: false,
    enableEmbeddedAsarIntegrityValidation: true,
    onlyLoadAppFromAsar: true,
    loadBrowserProcessSpecificV8Snapshot: false,
    grantFileProtocolExtraPrivileges: false,
  })
  const config = builderConfig(projectRoot, { platform: 'win32', arch: 'x64' }, 'node.exe', 'icon.png')
  expect(config.files).toContain('node_modules/onnxruntime-node/bin/napi-v6/win32/x64/onnxruntime.dll')
  expect(config.files.filter((path) => /linux|darwin/.test(path) && /\.(so|node|dylib)/.test(path))).toEqual([])
  expect(config.electronVersion).toMatch(/^45\./)
})
