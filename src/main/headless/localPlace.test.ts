// Where a cell may work: local disks, not file systems that several machines share; a folder of this person's alone.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, expect, inject, test } from 'vitest'
import { canMakeDisks } from '../db/testing/smallDisk.ts'
import { localPlace, requireLocal, sharedFileSystem, sharedTypes } from './localPlace.ts'

const home = mkdtempSync(join(tmpdir(), 'fisao-place-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const uid = process.getuid?.() ?? 0

// As `stat -f -c %t` of coreutils prints them on such mounts, and statfs(2) lists them.
test.each([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xff534d42 | 0, 'CIFS'],
  [0xfe534d42, 'SMB 2 or 3'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS (Spectrum Scale)'],
  [0x19830326, 'BeeGFS'],
  [0x00c36400, 'Ceph'],
  [0x65735546, 'FUSE'],
  [0xef53, null],
  [0x58465342, null],
  [0x9123683e, null],
  [0x01021994, null],
  [0x794c7630, null],
  [0x2fc12fc1, null],
])('%i is %s', (type, name) => {
  expect(sharedFileSystem(type)).toBe(name)
})

test('no type of a local disk is among the shared ones', () => {
  // ext4, xfs, btrfs, tmpfs, overlay, zfs, f2fs, exfat, vfat, ntfs, squashfs
  const local = [
    0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010, 0x2011bab0, 0x4d44, 0x5346544e,
    0x73717368,
  ]
  expect(local.filter((type) => sharedTypes.has(type))).toEqual([])
})

test('the disk of this machine is a local one, and a folder on it is for its owner alone', async () => {
  await requireLocal(home)
  const place = await localPlace(join(home, 'new'))
  expect([place, statSync(place).mode & 0o777]).toEqual([join(home, `new/fisao-${uid}`), 0o700])
  expect(await localPlace(join(home, 'new'))).toBe(place)
})

test('the environment says where, Slurm before the system', async () => {
  const [slurm, system] = [join(home, 'slurm'), join(home, 'system')]
  expect(await localPlace(null, { SLURM_TMPDIR: slurm, TMPDIR: system })).toBe(join(slurm, `fisao-${uid}`))
  expect(await localPlace(null, { SLURM_TMPDIR: '', TMPDIR: system })).toBe(join(system, `fisao-${uid}`))
})

test('a folder that others can open, or a link that somebody laid there, is refused', async () => {
  const base = join(home, 'others')
  mkdirSync(join(base, `fisao-${uid}`), { recursive: true })
  chmodSync(join(base, `fisao-${uid}`), 0o755)
  await expect(localPlace(base)).rejects.toMatchObject({ code: 'workspace.foreign-folder' })
  const linked = join(home, 'linked')
  mkdirSync(linked)
  symlinkSync(home, join(linked, `fisao-${uid}`))
  await expect(localPlace(linked)).rejects.toMatchObject({ code: 'workspace.foreign-folder' })
})

test('a folder of a real FUSE mount is told from the disk that it is mounted on, and refused by name', {
  timeout: 20_000,
}, async ({ skip }) => {
  if (!canMakeDisks || !existsSync('/dev/fuse')) return skip('a FUSE mount takes root and /dev/fuse')
  const folder = join(home, 'mount')
  mkdirSync(folder)
  await requireLocal(folder)
  const server = spawn(process.execPath, [inject('scripts').fuseServer, folder], { stdio: 'inherit' })
  const isMounted = () => readFileSync('/proc/self/mounts', 'utf8').includes(` ${folder} fuse `)
  while (server.exitCode === null && !isMounted()) await delay(20)
  if (!isMounted()) return skip('root may mount no FUSE here')
  try {
    const refused = { code: 'workspace.shared-disk', found: 'FUSE', where: folder }
    await expect(requireLocal(folder)).rejects.toMatchObject(refused)
    await expect(localPlace(folder)).rejects.toMatchObject(refused)
    server.kill('SIGKILL')
    await once(server, 'close')
    const silent = { code: 'workspace.shared-disk', found: 'a drive that does not answer' }
    await expect(requireLocal(folder)).rejects.toMatchObject(silent)
    await expect(localPlace(folder)).rejects.toMatchObject(silent)
    await expect(localPlace(join(folder, 'new'))).rejects.toMatchObject(silent)
  } finally {
    execFileSync('umount', ['--lazy', folder])
    if (server.exitCode === null && server.signalCode === null) await once(server, 'close')
  }
  await requireLocal(folder)
})
