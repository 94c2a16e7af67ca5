// better-sqlite3 ships a binary for Node-API 10. On a runtime below that (the registry's Electron) its
// own sources are compiled once with the header beside this file, and cached.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { cached } from './cache.ts'
import { runCommand } from './runCommand.ts'

const require = createRequire(import.meta.url)
const folderOf = (name: string): string => dirname(require.resolve(`${name}/package.json`))
const packageFolder = folderOf('better-sqlite3')
const headerFolders = [join(folderOf('node-api-headers'), 'include'), folderOf('node-addon-api')]
const header = join(import.meta.dirname, 'napi9-references.h')
const bindingFile = 'better_sqlite3.node'

/** The Node-API version that the shipped binary asks for. */
export const shippedNapiVersion = 10

/** Name of the cache entry: another source, header, flag or version of what is compiled is another entry. */
function entryName(): string {
  const hash = createHash('sha256')
  const packages = ['better-sqlite3', 'node-api-headers', 'node-addon-api']
  const manifests = packages.map((name) => require.resolve(`${name}/package.json`))
  for (const file of [header, import.meta.filename, ...manifests]) hash.update(readFileSync(file))
  return `better-sqlite3-napi9-${process.platform}-${process.arch}-${hash.digest('hex').slice(0, 12)}`
}

/**
 * The binding that a runtime needs, or null when the shipped one serves.
 * @throws Error with the compiler's output, or the reason why the compiled binding does not load
 */
export async function sqliteBinding(
  { electronPath, napiVersion }: { readonly electronPath: string; readonly napiVersion: number },
  print: (line: string) => void,
): Promise<string | null> {
  if (napiVersion >= shippedNapiVersion) return null
  const folder = await cached(entryName(), bindingFile, async (target) => {
    print(`compiling better-sqlite3 for Node-API ${napiVersion} (once, about a minute)`)
    await compile(target)
    await tryOut(electronPath, join(target, bindingFile))
  })
  return join(folder, bindingFile)
}

/** A binding that does not load must not enter the cache. */
async function tryOut(electronPath: string, nativeBinding: string): Promise<void> {
  const program = `new (require('better-sqlite3'))(':memory:', ${JSON.stringify({ nativeBinding })}).exec('SELECT 1')`
  await runCommand(electronPath, ['-e', program], { env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' } })
}

async function compile(folder: string): Promise<void> {
  const sqlite = join(packageFolder, 'deps', 'sqlite3')
  const objects = join(folder, 'objects')
  mkdirSync(objects)
  const cObject = join(objects, 'sqlite3.o')
  const cppObject = join(objects, 'better_sqlite3.o')
  await Promise.all([
    runCommand('cc', [
      '-c',
      '-O2',
      '-fPIC',
      '-w',
      '-std=c99',
      '-D_GNU_SOURCE',
      ...sqliteDefines(),
      '-o',
      cObject,
      join(sqlite, 'sqlite3.c'),
    ]),
    runCommand('g++', [
      ...[
        '-c',
        '-O2',
        '-fPIC',
        '-w',
        '-std=c++20',
        '-fvisibility=hidden',
        '-DNAPI_VERSION=9',
        '-DNAPI_DISABLE_CPP_EXCEPTIONS',
      ],
      ...['-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS', '-DBUILDING_NODE_EXTENSION', '-I', sqlite],
      ...[...headerFolders.flatMap((folder) => ['-I', folder]), '-include', header],
      ...['-o', cppObject, join(packageFolder, 'src', 'better_sqlite3.cpp')],
    ]),
  ])
  await runCommand('g++', [
    ...['-shared', '-Wl,-Bsymbolic', '-Wl,--exclude-libs,ALL', '-o', join(folder, bindingFile), cppObject, cObject],
    ...['-ldl', '-lpthread', '-lm'],
  ])
  rmSync(objects, { recursive: true })
}

/** The compile-time options that better-sqlite3 builds SQLite with, read from its own list. */
function sqliteDefines(): string[] {
  const text = readFileSync(join(packageFolder, 'deps', 'defines.gypi'), 'utf8')
  return [...text.matchAll(/^\s+'(\w+(?:=[^']*)?)',$/gm)].map((match) => `-D${match[1]}`)
}
