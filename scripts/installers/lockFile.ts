// Which packages of the lock file go into an installer. Before it: package-lock.json; after it: the file list, the
// licence texts and the bill of materials, which must all name the same packages.
import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'

/** One installed package, as package-lock.json (version 3) describes it. */
export interface LockedPackage {
  /** `node_modules/a/node_modules/b` for a copy of b that only a uses. */
  readonly path: string
  readonly name: string
  readonly version: string
  readonly licence: string
  /** Subresource integrity of the registry's archive: `sha512-…`. */
  readonly integrity: string | undefined
  /** Made for some systems or processors only, as native binaries are. */
  readonly os: readonly string[] | undefined
  readonly cpu: readonly string[] | undefined
  readonly libc: readonly string[] | undefined
}

interface LockEntry {
  readonly version?: string
  readonly license?: string
  readonly integrity?: string
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

export type LockFile = Readonly<Record<string, LockEntry>>

export function readLockFile(root: string): LockFile {
  return JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
}

/** What a package needs to be installed but not to run, and types, which are no code. */
const installOnly: Readonly<Record<string, readonly string[]>> = { 'onnxruntime-node': ['adm-zip', 'global-agent'] }
const isOfTypes = (name: string): boolean => name.startsWith('@types/') || name === 'type-fest' || name === 'csstype'

/** A system that an installer is for; null leaves out the binaries that a package has for each system. */
export type Target = { readonly platform: string; readonly arch: string } | null

/** Packages that lie beside the app at run time: the dependencies of package.json and all that those need. */
export function runtimePackages(lock: LockFile, target: Target): LockedPackage[] {
  return closure(lock, Object.keys(lock['']?.dependencies ?? {}), target)
}

/**
 * Packages whose code is in the app, also those that the build puts into its own files.
 * @param imported packages that the sources name, as `importedPackages` finds them
 */
export function bundledPackages(lock: LockFile, imported: readonly string[], target: Target): LockedPackage[] {
  // Electron comes with licence files of its own, which lie beside the app.
  const built = imported.filter((name) => name !== 'electron' && name in (lock['']?.devDependencies ?? {}))
  return closure(lock, [...Object.keys(lock['']?.dependencies ?? {}), ...built], target)
}

/** The packages named, and all that those need, by path. */
function closure(lock: LockFile, names: readonly string[], target: Target): LockedPackage[] {
  const found = new Map<string, LockedPackage>()
  const visit = (name: string, from: string): void => {
    const path = resolveIn(lock, name, from)
    const entry = path === null ? undefined : lock[path]
    // An optional package that the registry does not have stands in no lock file.
    if (path === null || entry === undefined || found.has(path)) return
    const { version = '', license: licence = '', integrity, os, cpu, libc } = entry
    const one = { path, name, version, licence, integrity, os, cpu, libc }
    if (isOfTypes(name) || !isFor(one, target)) return
    found.set(path, one)
    const optional = target === null ? {} : entry.optionalDependencies
    for (const next of Object.keys({ ...entry.dependencies, ...optional, ...peersOf(entry) })) {
      if (!installOnly[name]?.includes(next)) visit(next, path)
    }
  }
  for (const name of names) visit(name, '')
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

function peersOf({ peerDependencies = {}, peerDependenciesMeta: meta }: LockEntry): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(peerDependencies).filter(([name]) => !meta?.[name]?.optional))
}

/** Where Node finds a package that the one at `from` asks for: its own copy, or that of a folder above. */
function resolveIn(lock: LockFile, name: string, from: string): string | null {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
    if (path in lock) return path
    if (folder === '') return null
  }
}

/** Names that files under the folders import, those of tests left out; some of them are packages. */
export function importedPackages(folders: readonly string[]): string[] {
  const names = new Set<string>()
  for (const folder of folders) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(tsx?|css|html)$/.test(entry.name) || /\.test\.tsx?$/.test(entry.name)) continue
      if (entry.parentPath.split(sep).includes('testing')) continue
      const text = readFileSync(join(entry.parentPath, entry.name), 'utf8')
      for (const [, specifier = ''] of text.matchAll(/(?:from|import|@import)\s*\(?\s*['"]([^'"]+)['"]/g)) {
        const name = /^(@[\w.-]+\/[\w.-]+|\w[\w.-]*)(?=\/|$)/.exec(specifier)?.[1]
        if (name !== undefined) names.add(name)
      }
    }
  }
  return [...names].sort()
}

/** Whether a package is made for this system; most are for all. */
function isFor({ os, cpu, libc }: LockedPackage, target: Target): boolean {
  return (
    target === null ||
    ((os === undefined || os.includes(target.platform)) &&
      (cpu === undefined || cpu.includes(target.arch)) &&
      (libc === undefined || libc.includes('glibc')))
  )
}
