// Where a cell works: a folder of this person's alone on a disk of this machine. A database with a write-ahead log keeps an
// index in memory that processes of one machine share, so it must not lie on a file system of several machines
// (https://sqlite.org/wal.html). Before it stand cell.ts, collect.ts and the app's sweepWatch.ts.
import { lstatSync, mkdirSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StudioError } from '../../shared/errors.ts'

/**
 * File systems that several machines may share, by the number that Linux has for their type (statfs(2); linux/magic.h and
 * the sources of those that are not in the kernel). FUSE may be anything, from sshfs to a local disk, and counts as shared.
 */
export const sharedTypes: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB 2 or 3'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS (Spectrum Scale)'],
  [0x19830326, 'BeeGFS'],
  [0x00c36400, 'Ceph'],
  [0x65735546, 'FUSE'],
  [0x01021997, '9P'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  [0xaad7aaea, 'PanFS'],
  [0x20030528, 'OrangeFS'],
  [0xbacbacbc, 'a folder of the host of a virtual machine (VMware)'],
  [0x786f4256, 'a folder of the host of a virtual machine (VirtualBox)'],
])

/** The name of a file system that machines share, by its type; null for a local one, or one that is not known. */
export function sharedFileSystem(type: number): string | null {
  // Some systems report the number with its sign.
  return sharedTypes.get(type >>> 0) ?? null
}

/** Whether what other machines write in a folder is written by this one; false where that cannot be told. */
export async function isLocalPlace(folder: string): Promise<boolean> {
  // Elsewhere the numbers mean other things; a drive of another machine has a name of its own on Windows.
  if (process.platform !== 'linux') return process.platform === 'win32' && !folder.startsWith('\\\\')
  const found = await statfs(folder).catch(() => null)
  return found !== null && sharedFileSystem(found.type) === null
}

/** What the kernel says of a folder whose server has gone. */
const unanswered = ['ENOTCONN', 'ESTALE', 'EIO', 'EHOSTDOWN', 'EHOSTUNREACH', 'ETIMEDOUT']
const noAnswer = 'a drive that does not answer'

/** What was found; a name for a drive whose server has gone, which is no place to work in either. */
async function answered<T>(ask: () => T | Promise<T>): Promise<T | string> {
  try {
    return await ask()
  } catch (thrown) {
    if (unanswered.includes((thrown as NodeJS.ErrnoException).code ?? '')) return noAnswer
    throw thrown
  }
}

/** @throws StudioError `workspace.shared-disk` where machines share the file system of a folder */
export async function requireLocal(folder: string): Promise<void> {
  // Elsewhere the numbers mean other things, and clusters are not.
  if (process.platform !== 'linux') return
  const found = await answered(async () => sharedFileSystem((await statfs(folder)).type))
  if (found === null) return
  throw new StudioError({
    code: 'workspace.shared-disk',
    message:
      'A workspace must not be worked on where several machines share a file system: its log would be read amiss.',
    remedy:
      'Name a folder on a disk of this machine, with --scratch or TMPDIR for a cell, or with --into for a collection.',
    ...{ expected: 'a local file system', found, where: folder },
  })
}

/**
 * A folder for this person's work on this machine, which nobody else can have made.
 * @param named by the person, before what the environment says
 * @throws StudioError `workspace.shared-disk`, `workspace.foreign-folder`
 */
export async function localPlace(named: string | null, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const base = named ?? (env['SLURM_TMPDIR'] || env['TMPDIR'] || tmpdir())
  const uid = process.getuid?.() ?? 0
  const place = join(base, `fisao-${uid}`)
  await answered(() => mkdirSync(base, { recursive: true }))
  await requireLocal(base)
  try {
    mkdirSync(place, { mode: 0o700 })
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
  }
  const found = lstatSync(place)
  const isOwn =
    found.isDirectory() && (process.platform === 'win32' || (found.uid === uid && (found.mode & 0o077) === 0))
  if (isOwn) return place
  throw new StudioError({
    code: 'workspace.foreign-folder',
    message: 'The folder to work in is not this person’s alone.',
    remedy: 'Take it away, or name another one with --scratch.',
    ...{ expected: `a folder of user ${uid} that others cannot open`, where: place },
  })
}
