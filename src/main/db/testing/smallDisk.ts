// A disk of a few megabytes in memory, to be filled to its last byte; it takes the rights of root to make one.
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export interface SmallDisk {
  readonly folder: string
  /** Fills the disk until only so many bytes are left, with a file of nobody's. */
  fill(bytesLeft?: number): void
  /** Takes the filler away. */
  free(): void
  unmount(): void
}

/** CI is root; elsewhere the tests that need one are left out. */
export const canMakeDisks = process.platform === 'linux' && process.getuid?.() === 0

/** @param options of tmpfs: `size=64m`, or `size=64m,nr_inodes=4` for one that is full of names first */
export function makeSmallDisk(folder: string, options: string): SmallDisk {
  mkdirSync(folder)
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder])
  const filler = join(folder, 'filler')
  let fillers = 0
  return {
    folder,
    fill: (bytesLeft = 0) => {
      const file = openSync(`${filler} ${fillers++}`, 'w')
      try {
        const block = Buffer.alloc(4096)
        const { bavail, bsize } = statfsSync(folder)
        for (let left = bavail * bsize - bytesLeft; left > 0; left -= block.length) writeSync(file, block)
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code !== 'ENOSPC') throw thrown
      } finally {
        closeSync(file)
      }
    },
    free: () => {
      while (fillers > 0) rmSync(`${filler} ${--fillers}`, { force: true })
    },
    unmount: () => {
      execFileSync('umount', ['--lazy', folder])
    },
  }
}
