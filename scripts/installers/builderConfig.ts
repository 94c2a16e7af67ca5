// `tsx scripts/installers/builderConfig.ts`: writes dist/electron-builder.json, with which electron-builder puts the
// program together on Windows and macOS (docs/install.md). Files, fuses and Node are the same as assemble.ts has on Linux.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FuseV1Options } from '@electron/fuses'
import { packagedFuses } from '../../build/fuses.ts'
import { projectRoot, runEntry } from '../runProgram.ts'
import { printSetUp } from '../setup.ts'
import { drawIcon } from './icons.ts'
import { readLockFile } from './lockFile.ts'
import { nodeFolder, nodeVersion } from './nodeBinary.ts'
import { appFiles, resourceFiles, type System } from './packageFiles.ts'

/** electron-builder's names of the fuses are Electron's with a small first letter. */
export function builderFuses(): Record<string, boolean> {
  const named = Object.entries(packagedFuses).filter(([fuse]) => /^\d+$/.test(fuse))
  return Object.fromEntries(
    named.map(([fuse, on]) => {
      const name = FuseV1Options[Number(fuse)] ?? ''
      return [`${name.charAt(0).toLowerCase()}${name.slice(1)}`, on === true]
    }),
  )
}

/** @param node path of plain Node; @param icon path of a PNG of 1024 pixels */
export function builderConfig(root: string, system: System, node: string, icon: string) {
  const files = appFiles(root, readLockFile(root), system)
  const lock = readLockFile(root)
  const besideOnWindows = [
    { from: node, to: 'node.exe' },
    { from: 'build/windows/fisao-studio-run.cmd', to: 'fisao-studio-run.cmd' },
  ]
  const inMacResources = [
    { from: node, to: 'node' },
    { from: 'build/mac/fisao-studio-run', to: 'fisao-studio-run' },
  ]
  const strip = (path: string): string => path.slice('resources/'.length)
  return {
    appId: 'org.fisao.studio',
    productName: 'FiSAO Studio',
    electronVersion: lock['node_modules/electron']?.version,
    npmRebuild: false,
    publish: null,
    directories: { output: 'dist', buildResources: 'build' },
    files: files.map(({ path }) => path),
    asarUnpack: files.filter(({ isUnpacked }) => isUnpacked).map(({ path }) => path),
    extraResources: [
      { from: 'resources', to: 'resources', filter: resourceFiles(root).map(strip) },
      ...(system.platform === 'darwin' ? inMacResources : []),
    ],
    extraFiles: system.platform === 'win32' ? besideOnWindows : [],
    electronFuses: { ...builderFuses(), resetAdHocDarwinSignature: system.platform === 'darwin' },
    electronLanguages: ['en-US', 'en'],
    fileAssociations: [{ ext: 'fisao', name: 'FiSAO Studio workspace', role: 'Editor' }],
    icon,
    win: { target: 'dir' },
    mac: { target: ['dmg', 'zip'], category: 'public.app-category.graphics-design', minimumSystemVersion: '12.0' },
    linux: { target: 'dir' },
  }
}

/** The recorded Node; on macOS, for which the registry has none, the one that runs this. */
async function plainNode(system: System): Promise<string> {
  if (system.platform !== 'darwin') {
    const folder = await nodeFolder(system, printSetUp)
    return join(folder, system.platform === 'win32' ? 'node.exe' : 'node')
  }
  if (process.version === `v${nodeVersion}`) return process.execPath
  throw new Error(`Run this with Node ${nodeVersion}, which is put into the app; this is ${process.version}.`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runEntry(async () => {
    const system = { platform: process.platform, arch: process.arch }
    const dist = join(projectRoot, 'dist')
    mkdirSync(dist, { recursive: true })
    const icon = join(dist, 'icon.png')
    writeFileSync(icon, await drawIcon(1024))
    const node = join(dist, system.platform === 'win32' ? 'node.exe' : 'node')
    copyFileSync(await plainNode(system), node)
    const file = join(dist, 'electron-builder.json')
    writeFileSync(file, JSON.stringify(builderConfig(projectRoot, system, node, icon), null, 1))
    process.stdout.write(`wrote ${file}\n`)
    return 0
  })
}
