// What the system sees of the installed program: two packages, each a tree of files as they will lie below /. The app is
// one; the command for runs without a window, whose Node weighs a third of the app, is the other and needs the first.
// Before it: assemble.ts; after it: deb.ts and rpm.ts.
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { projectRoot } from '../runProgram.ts'
import { writeIcons } from './icons.ts'
import { filesUnder } from './packageFiles.ts'

export const home = '/opt/fisao-studio'

export interface LinuxPackage {
  readonly name: 'fisao-studio' | 'fisao-studio-run'
  readonly summary: string
  readonly description: string
  /** Folder that holds the files as they lie below /. */
  readonly root: string
  /** Whether it has scripts that run after its installation and removal. */
  readonly hasScripts: boolean
}

/** Files of the program's folder that belong to the command. */
const ofCommand = /^(node|LICENSE\.node\.txt|fisao-studio-run|resources\/app\.asar\.unpacked\/out\/headless\/.*)$/

/** Lays both trees out below `work`. Files are linked and not copied: `program` lies beside `work`. */
export async function layOut(program: string, work: string, timeS: number): Promise<LinuxPackage[]> {
  const app = join(work, 'fisao-studio')
  const command = join(work, 'fisao-studio-run')
  for (const root of [app, command]) rmSync(root, { recursive: true, force: true })
  for (const path of filesUnder(program, '.')) {
    const to = join(ofCommand.test(path) ? command : app, home, path)
    mkdirSync(dirname(to), { recursive: true })
    linkSync(join(program, path), to)
  }
  for (const [root, name] of [
    [app, 'fisao-studio'],
    [command, 'fisao-studio-run'],
  ] as const) {
    mkdirSync(join(root, 'usr/bin'), { recursive: true })
    symlinkSync(`../..${home}/${name}`, join(root, 'usr/bin', name))
    write(join(root, 'usr/share/doc', name, 'copyright'), readFileSync(join(projectRoot, 'resources/NOTICE')))
  }
  const share = join(app, 'usr/share')
  write(join(share, 'applications/fisao-studio.desktop'), ofLinux('fisao-studio.desktop'))
  write(join(share, 'mime/packages/fisao-studio.xml'), ofLinux('fisao-studio.xml'))
  await writeIcons((size) => join(share, `icons/hicolor/${size}x${size}/apps/fisao-studio.png`))
  write(
    join(share, 'icons/hicolor/scalable/apps/fisao-studio.svg'),
    readFileSync(join(projectRoot, 'build/icons/fisao-studio.svg')),
  )
  const page = join(projectRoot, 'resources/man/fisao-studio-run.1')
  if (existsSync(page)) {
    write(join(command, 'usr/share/man/man1/fisao-studio-run.1.gz'), gzipSync(readFileSync(page), { level: 9 }))
  }
  for (const root of [app, command]) settle(root, timeS)
  return [
    {
      ...{ name: 'fisao-studio', root: app, hasScripts: true },
      summary: 'Make your own vision-language model hallucinate less, offline',
      description:
        'Aligns a vision-language model with its own visual encoder, word by word, on this computer: without labels, without a network, on any GPU or none.',
    },
    {
      ...{ name: 'fisao-studio-run', root: command, hasScripts: false },
      summary: 'Runs jobs of FiSAO Studio without a window',
      description:
        'The command fisao-studio-run: alignments, evaluations, descriptions and exports from job files, on plain Node and without a display.',
    },
  ]
}

function ofLinux(name: string): Buffer {
  return readFileSync(join(projectRoot, 'build/linux', name))
}

function write(file: string, content: Buffer): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
}

/** The same modes and times whatever mask and clock the build had: everybody reads, only root will write. */
export function settle(folder: string, timeS: number): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    const status = lstatSync(path)
    if (status.isSymbolicLink()) continue
    if (status.isDirectory()) settle(path, timeS)
    else {
      chmodSync(path, (status.mode & 0o100) === 0 ? 0o644 : 0o755)
      utimesSync(path, timeS, timeS)
    }
  }
  chmodSync(folder, 0o755)
  utimesSync(folder, timeS, timeS)
}

/** Bytes of all files below a folder, and the 4 KiB steps that a file system takes for them. */
export function installedSize(folder: string): { readonly bytes: number; readonly blocksKiB: number } {
  let bytes = 0
  let blocksKiB = 0
  for (const path of filesUnder(folder, '.')) {
    const { size } = lstatSync(join(folder, path))
    bytes += size
    blocksKiB += Math.ceil(size / 4096) * 4
  }
  return { bytes, blocksKiB }
}
