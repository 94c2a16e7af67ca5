// Compiles build/installer.nsi over the folder of the program: `tsx scripts/installers/windowsSetup.ts FOLDER SETUP.EXE`.
// On Windows over what electron-builder put together; elsewhere, in its test, over a stand-in.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { projectRoot, runEntry } from '../runProgram.ts'
import { runCommand } from '../setup/runCommand.ts'
import { windowsIcon } from './icons.ts'
import { filesUnder } from './packageFiles.ts'

/** The lines of NSIS that delete these files and then the folders that are empty. @param files with `/` */
export function uninstallList(files: readonly string[]): string {
  const folders = new Set<string>()
  for (const file of files) {
    for (let at = file.indexOf('/'); at >= 0; at = file.indexOf('/', at + 1)) folders.add(file.slice(0, at))
  }
  // What lies deeper goes first. A $ would be a variable's.
  const deepestFirst = [...folders].sort((a, b) => b.split('/').length - a.split('/').length || (a < b ? -1 : 1))
  const quoted = (path: string): string => `"$INSTDIR\\${path.replaceAll('/', '\\').replaceAll('$', '$$$$')}"`
  return [
    ...files.map((file) => `Delete ${quoted(file)}`),
    ...deepestFirst.map((folder) => `RMDir ${quoted(folder)}`),
    '',
  ].join('\n')
}

/**
 * @param folder with the program as it will lie
 * @param icon of the installer; null for that of NSIS
 * @param target of NSIS, for a system that runs no 32-bit programs
 */
export async function makeSetup(
  folder: string,
  out: string,
  icon: Buffer | null,
  target: string | null = null,
): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'fisao-nsis-'))
  try {
    const [iconFile, list] = [join(work, 'icon.ico'), join(work, 'uninstall.nsh')]
    if (icon !== null) writeFileSync(iconFile, icon)
    writeFileSync(list, uninstallList(filesUnder(folder, '.')))
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
    const all = Object.entries({
      ...{ VERSION: version, SOURCE: folder, OUT: out, UNINSTALL_LIST: list },
      ...(icon !== null && { ICON: iconFile }),
      ...(target !== null && { TARGET: target }),
    })
    const script = join(projectRoot, 'build/installer.nsi')
    await runCommand('makensis', ['-V2', '-WX', ...all.map(([name, value]) => `-D${name}=${value}`), script], {
      timeoutMs: 900_000,
    })
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder = '', out = ''] = process.argv.slice(2)
  await runEntry(async () => {
    await makeSetup(resolve(folder), resolve(out), await windowsIcon())
    return 0
  })
}
