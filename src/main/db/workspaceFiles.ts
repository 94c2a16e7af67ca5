// The files of a workspace on the disk: the main file with the log that belongs to it, moved together; files on their way
// to a name, and what is left of them when the process that made them was killed.
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, extname, join } from 'node:path'
import { sha256 } from './rowHash.ts'

const suffixes = ['', '-wal', '-shm']
const allSuffixes = [...suffixes, '-journal']
/** Of a file name on the file systems of Linux, macOS and Windows. */
const longestNameBytes = 255
/** SQLite adds `-journal` to a file's name. */
export const longestWorkspaceNameBytes = longestNameBytes - '-journal'.length
/** Of the part of a workspace's name that goes into other names, so that these stay possible. */
const longestStemBytes = 160

/** The name of the workspace at `path` without its ending, shortened where other names are made of it. */
export function stemOf(path: string): string {
  const stem = basename(path, extname(path))
  if (Buffer.byteLength(stem) <= longestStemBytes) return stem
  let short = stem
  while (Buffer.byteLength(short) > longestStemBytes - 9) short = [...short].slice(0, -1).join('')
  return `${short} ${sha256(Buffer.from(stem)).toString('hex').slice(0, 8)}`
}

/**
 * Renames what there is of a workspace, the log with the file: SQLite would play a log that is left behind into
 * whatever file comes to stand in its place.
 * @returns the new path of the main file; its log has the same name with the usual ending
 */
export function moveAside(path: string, why: 'damaged' | 'left over', nowMs: number): string {
  const name = `${stemOf(path)} ${why} ${stamp(nowMs)}`
  // A clock that stands still must not let one kept file take the place of another.
  let aside = join(dirname(path), `${name}.fisao`)
  for (let number = 2; suffixes.some((suffix) => existsSync(aside + suffix)); number++) {
    aside = join(dirname(path), `${name} (${number}).fisao`)
  }
  for (const suffix of suffixes) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix)
  }
  return aside
}

/** `2026-11-24 13-05-09.123` in UTC: readable and allowed on every file system. Never to be sorted by: clocks are wrong. */
export function stamp(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('T', ' ').replaceAll(':', '-').replace('Z', '')
}

/** Makes a rename durable; Windows has no such call and needs none. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

const host = hostname()
  .replaceAll(/[^\w.]/g, '_')
  .slice(0, 40)
const inUse = new Set<string>()
let made = 0

/** A file on its way to its name; `remove` takes away what was not renamed. */
export interface TemporaryFile {
  readonly path: string
  remove(): void
}

/** Makes an empty file in the folder, for the owner alone; its name is short and says whose it is. */
export function makeTemporaryFile(folder: string): TemporaryFile {
  const path = join(folder, `.fisao-${host}-${process.pid}-${++made}.tmp`)
  inUse.add(path)
  closeSync(openSync(path, 'wx', 0o600))
  return {
    path,
    remove() {
      for (const suffix of allSuffixes) rmSync(path + suffix, { force: true })
      inUse.delete(path)
    },
  }
}

const temporaryName = /^\.fisao-([\w.]*)-(\d+)-\d+\.tmp(-wal|-shm|-journal)?$/
/** Of versions before 0.2: `NAME.fisao.PID.creating`, `NAME.fisao.PID.restoring`, `TIME.fisao.partial`. */
const earlierName = /\.fisao(?:\.(\d+)\.(?:creating|restoring)|\.partial)(?:-wal|-shm|-journal)?$/

/** Removes what killed processes of this computer left in the folder on its way to a name. */
export function removeLeftovers(folder: string): void {
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    const own = temporaryName.exec(name)
    const earlier = earlierName.exec(name)
    const owner = own?.[1] === host ? Number(own[2]) : earlier ? Number(earlier[1] ?? 0) : null
    const isInUse = own !== null && inUse.has(path.replace(/-(wal|shm|journal)$/, ''))
    if (owner !== null && !isInUse && !isAlive(owner)) rmSync(path, { force: true })
  }
}

/** Whether another process has this id; 0 is nobody's. This process knows what it uses itself. */
function isAlive(pid: number): boolean {
  if (pid === 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Takes from everyone but the owner the right to read a workspace, its log and its backups, where there are such rights. */
export function keepPrivate(path: string, backups: string): void {
  if (process.platform === 'win32') return
  for (const suffix of allSuffixes) tighten(path + suffix, 0o600)
  tighten(backups, 0o700)
  if (existsSync(backups)) for (const name of readdirSync(backups)) tighten(join(backups, name), 0o600)
}

function tighten(path: string, mode: number): void {
  if (!existsSync(path) || (statSync(path).mode & 0o077) === 0) return
  try {
    chmodSync(path, mode)
  } catch (thrown) {
    // Another person's file, or a file system without such rights: they are not ours to change, and it can be used as it is.
    if (!['EPERM', 'EROFS', 'ENOTSUP', 'ENOENT'].includes((thrown as NodeJS.ErrnoException).code ?? '')) throw thrown
  }
}
