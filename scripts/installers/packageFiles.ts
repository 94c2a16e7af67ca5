// Which files of the checkout an installer holds: the built app, the code of its packages that runs on the target, and
// the resources. Before it: out/, node_modules and the lock file; after it: assemble.ts.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type LockFile, runtimePackages } from './lockFile.ts'

export interface System {
  readonly platform: string
  readonly arch: string
}

export interface PackageFile {
  /** Path from the project's root, and from the app's: with `/`. */
  readonly path: string
  /**
   * Lies beside the archive and not in it: what the system's loader opens, and what the command for runs without a
   * window reads, for plain Node knows no archives.
   */
  readonly isUnpacked: boolean
}

/** What code and its data are called; not texts, types, sources in other languages, source maps. */
const runs = /\.(js|cjs|mjs|json|node|dll|dylib)$|\.so(\.\d+)*$/
/** Folders and files of packages that hold code which nothing of ours calls. */
const unused = [
  /\/tests?\//,
  /\/onnx-proto\/node_modules\/protobufjs\/(cli|dist|scripts)\//,
  /\/onnx-proto\/dist\/.*\.min\.js$/,
  /\/long\/dist\//,
  /\/onnxruntime-node\/script\//,
  /\/node-addon-api\//,
  /\/(package-lock|tsconfig[\w.-]*)\.json$/,
]

/** Packages with native code, and what those load: the only ones that the command for runs without a window loads. */
const nativePackage = /^node_modules\/(better-sqlite3|onnxruntime-node|onnxruntime-common|@napi-rs\/[\w-]+)\//

/** Whether a file of a package is needed at run time on this system. */
export function isNeeded(path: string, { platform, arch }: System): boolean {
  if (!runs.test(path) || unused.some((pattern) => pattern.test(path))) return false
  if (path.includes('/onnxruntime-node/bin/')) return path.includes(`/${platform}/${arch}/`)
  if (path.includes('/better-sqlite3/prebuilds/')) return path.endsWith(`/${platform}-${arch}.node`)
  return true
}

/** All files of the app, by path. */
export function appFiles(root: string, lock: LockFile, system: System): PackageFile[] {
  const built = filesUnder(root, 'out').filter((path) => !/\.map$|\/\.stamp$/.test(path))
  const packages = runtimePackages(lock, system).flatMap(({ path }) =>
    // A package inside another is in the list itself.
    filesUnder(root, path)
      .filter((file) => !file.slice(path.length).includes('/node_modules/'))
      .filter((file) => isNeeded(file, system)),
  )
  return [
    { path: 'package.json', isUnpacked: true },
    ...built.map((path) => ({ path, isUnpacked: path.startsWith('out/headless/') })),
    ...packages.map((path) => ({ path, isUnpacked: nativePackage.test(path) })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** What lies beside the app for both of its programs: samples, demo model, lexicons, licences. */
export function resourceFiles(root: string): string[] {
  return filesUnder(root, 'resources').filter((path) => !path.startsWith('resources/man/'))
}

/** @returns paths from `root`, sorted */
export function filesUnder(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort()
}
