// The Windows installer takes away what it brought and nothing else: its list by hand, and, where makensis and wine can be
// had, a real silent installation and removal of a stand-in for the program.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand } from '../setup/runCommand.ts'
import { isOnPath } from '../setup/systemLibraries.ts'
import { makeSetup, uninstallList } from './windowsSetup.ts'

const canCompile = isOnPath('makensis')
/** Debian's wine64 package has its command beside the path. */
const wine = [isOnPath('wine') ? 'wine' : '', '/usr/lib/wine/wine64'].find(
  (one) => one && (existsSync(one) || isOnPath(one)),
)
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fisao-setup-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the list deletes every file, and folders from the deepest', () => {
  expect(uninstallList(['a.exe', 'r/b.txt', 'r/deep/$c.txt'])).toBe(
    [
      'Delete "$INSTDIR\\a.exe"',
      'Delete "$INSTDIR\\r\\b.txt"',
      'Delete "$INSTDIR\\r\\deep\\$$c.txt"',
      'RMDir "$INSTDIR\\r\\deep"',
      'RMDir "$INSTDIR\\r"',
      '',
    ].join('\n'),
  )
})

test.skipIf(!canCompile || wine === undefined)(
  'it installs and removes silently, and leaves what a person put there',
  { timeout: 240_000 },
  async () => {
    const program = join(folder, 'program')
    mkdirSync(join(program, 'resources/deep'), { recursive: true })
    writeFileSync(join(program, 'FiSAO Studio.exe'), 'program')
    writeFileSync(join(program, 'resources/deep/$1.txt'), 'resource')
    const setup = join(folder, 'fisao-studio-setup.exe')
    // Debian's wine64 runs no 32-bit programs.
    await makeSetup(program, setup, null, 'amd64-unicode')
    const env = { ...process.env, WINEPREFIX: join(folder, 'wine'), WINEDEBUG: '-all', DISPLAY: '' }
    const run = (...args: readonly string[]) => runCommand(wine as string, args, { env, timeoutMs: 120_000 })
    await run(setup, '/S', '/D=C:\\Lab\\FiSAO')
    const installed = join(folder, 'wine/drive_c/Lab/FiSAO')
    expect(readFileSync(join(installed, 'resources/deep/$1.txt'), 'utf8')).toBe('resource')
    const key = 'HKCU\\Software\\Classes\\FiSAOStudio.Workspace\\shell\\open\\command'
    expect(await run('reg', 'query', key, '/ve')).toContain('"C:\\Lab\\FiSAO\\FiSAO Studio.exe" "%1"')

    writeFileSync(join(installed, 'mine.fisao'), 'workspace')
    // _?= has it run where it lies and not from a copy, so that its end can be waited for.
    await run(join(installed, 'Uninstall.exe'), '/S', '_?=C:\\Lab\\FiSAO')
    expect(readdirSync(installed).filter((name) => name !== 'Uninstall.exe')).toEqual(['mine.fisao'])
    await expect(run('reg', 'query', key, '/ve')).rejects.toThrow()
  },
)

test.skipIf(!canCompile || wine !== undefined)('it compiles', { timeout: 60_000 }, async () => {
  mkdirSync(join(folder, 'stand-in'))
  writeFileSync(join(folder, 'stand-in/FiSAO Studio.exe'), 'program')
  await makeSetup(join(folder, 'stand-in'), join(folder, 'fisao-studio-setup.exe'), null)
  expect(readFileSync(join(folder, 'fisao-studio-setup.exe')).subarray(0, 2).toString()).toBe('MZ')
})
