// Puts the folder of the installed program together: Electron under the product's name, the app's archive, what lies
// beside it, and plain Node for fisao-studio-run. Linux; Windows and macOS are electron-builder's (builderConfig.ts).
// Before it: the built app; after it: linuxPackage.ts, which makes installers of the folder.
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { flipFuses } from '@electron/fuses'
import { packagedFuses } from '../../build/fuses.ts'
import { projectRoot } from '../runProgram.ts'
import type { Runtime } from '../setup.ts'
import { writeAsar } from './asar.ts'
import { readLockFile } from './lockFile.ts'
import { nodeFolder, nodeVersion } from './nodeBinary.ts'
import { appFiles, resourceFiles, type System } from './packageFiles.ts'
import { billOfMaterials } from './sbom.ts'

/** The program's executable; any name but Electron's own tells it that it is packaged. */
export const executable = 'studio'

/** Files of Electron's that the app does without. */
const leftOut = [
  // The package has an app of its own.
  /^resources\//,
  /^locales\/(?!en-US\.pak$)/,
  // Sends crash reports, which the app never makes.
  /^chrome_crashpad_handler$/,
  /^(version|\.complete)$/,
]

/** @param timeS of the commit; seconds since 1970 */
export async function assemble(
  folder: string,
  runtime: Runtime,
  system: System,
  timeS: number,
  print: (line: string) => void,
): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'resources'), { recursive: true })
  copyElectron(runtime.distPath, folder)
  const archive = join(folder, 'resources/app.asar')
  await writeAsar(projectRoot, appFiles(projectRoot, readLockFile(projectRoot), system), archive)
  placeSqlite(runtime, `${archive}.unpacked`, system)
  for (const path of resourceFiles(projectRoot)) copyTo(join(projectRoot, path), join(folder, 'resources', path))

  const node = await nodeFolder(system, print)
  copyTo(join(node, 'node'), join(folder, 'node'))
  copyTo(join(node, 'LICENSE'), join(folder, 'LICENSE.node.txt'))
  for (const name of ['fisao-studio', 'fisao-studio-run', 'apparmor']) {
    copyTo(join(projectRoot, 'build/linux', name), join(folder, name))
  }
  copyTo(join(projectRoot, 'LICENSE'), join(folder, 'LICENSE.txt'))
  const runtimes = [
    { name: 'electron', version: runtime.electronVersion },
    { name: 'node', version: nodeVersion },
  ]
  const bill = billOfMaterials(projectRoot, system, runtimes, timeS)
  writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify(bill, null, 1)}\n`)
  await flipFuses(join(folder, executable), packagedFuses)
}

function copyElectron(from: string, to: string): void {
  const names: Readonly<Record<string, string>> = { electron: executable, LICENSE: 'LICENSE.electron.txt' }
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(from.length + 1)
    if (!entry.isFile() || leftOut.some((pattern) => pattern.test(path))) continue
    if (path === 'LICENSES.chromium.html') {
      writeFileSync(join(to, `${path}.gz`), gzipSync(readFileSync(join(from, path)), { level: 9 }))
    } else {
      copyTo(join(from, path), join(to, names[path] ?? path))
    }
  }
}

/** A runtime below Node-API 10 takes a binding compiled for it, which newer ones load as well. */
function placeSqlite({ sqliteBinding }: Runtime, unpacked: string, { platform, arch }: System): void {
  if (sqliteBinding === null) return
  copyFileSync(sqliteBinding, join(unpacked, `node_modules/better-sqlite3/prebuilds/${platform}-${arch}.node`))
}

function copyTo(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  cpSync(from, to)
}
