// Watches which files this process opens while a case of the fuzz runs. Imported before anything that reads files, so
// that the named imports of the engine see the watched functions; fuzzChild.ts asks it after each case.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { sep } from 'node:path'

let roots: readonly string[] | null = null
let outside: string[] = []
const { realpathSync } = fs

function note(path: unknown): void {
  if (roots === null || typeof path === 'number') return
  let real = String(path)
  try {
    real = realpathSync(real)
  } catch {
    // What does not exist is judged by its name.
  }
  if (!roots.some((root) => real === root || real.startsWith(root + sep))) outside.push(real)
}

const opening = [
  'open',
  'openSync',
  'openAsBlob',
  'readFile',
  'readFileSync',
  'createReadStream',
  'readdir',
  'readdirSync',
]
for (const owner of [fs, fs.promises] as unknown as Record<string, unknown>[]) {
  for (const name of opening) {
    const original = owner[name]
    if (typeof original !== 'function') continue
    owner[name] = function watched(this: unknown, ...args: unknown[]): unknown {
      note(args[0])
      return Reflect.apply(original, this, args)
    }
  }
}
syncBuiltinESMExports()

/** From now on, every file that is opened must lie in one of these folders, links followed. */
export function watchFiles(folders: readonly string[]): void {
  roots = folders.map((folder) => realpathSync(folder))
  outside = []
}

/** Ends the watch. @returns real paths that were opened outside of the folders */
export function stopWatching(): string[] {
  roots = null
  return outside
}
