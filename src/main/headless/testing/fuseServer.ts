// A file system of one empty folder in a process of its own, over the kernel's FUSE protocol (linux/fuse.h, 7.31): what machines
// would share, as the kernel sees it, without a package. Argument: the folder to mount it on. It ends when it is unmounted.
import { spawn } from 'node:child_process'
import { openSync, readSync, writeSync } from 'node:fs'

const [folder = ''] = process.argv.slice(2)
const device = openSync('/dev/fuse', 'r+')
const options = 'fd=3,rootmode=40000,user_id=0,group_id=0'
spawn('mount', ['-i', '-t', 'fuse', '-o', options, 'fisao-test', folder], {
  stdio: ['ignore', 'inherit', 'inherit', device],
})

const [lookup, forget, getattr, statfs, init, interrupt, destroy, batchForget] = [1, 2, 3, 17, 26, 36, 38, 42]
const [noEntry, noCall] = [-2, -38]

/** What a request is answered with: bytes, or an error; null for those that nobody waits for. */
function answerTo(opcode: number): Buffer | number | null {
  switch (opcode) {
    case init: {
      const out = Buffer.alloc(64)
      out.writeUInt32LE(7, 0)
      out.writeUInt32LE(31, 4)
      // Bytes of one write; the kernel asks for a page at least.
      out.writeUInt32LE(4096, 20)
      return out
    }
    case getattr: {
      const out = Buffer.alloc(104)
      // Number, mode and links of the one folder.
      out.writeBigUInt64LE(1n, 16)
      out.writeUInt32LE(0o40700, 76)
      out.writeUInt32LE(2, 80)
      return out
    }
    case statfs: {
      const out = Buffer.alloc(80)
      // Size of a block, longest name, size of a fragment.
      for (const [value, at] of [
        [4096, 40],
        [255, 44],
        [4096, 48],
      ] as const)
        out.writeUInt32LE(value, at)
      return out
    }
    case destroy:
      return Buffer.alloc(0)
    case lookup:
      return noEntry
    case forget:
    case batchForget:
    case interrupt:
      return null
    default:
      return noCall
  }
}

const request = Buffer.alloc(1024 * 1024)
const clock = new Int32Array(new SharedArrayBuffer(4))

/** Whether there is something to answer; false once the folder is unmounted. Nothing can be read before it is mounted. */
function hasRequest(): boolean {
  for (let tries = 0; ; tries++) {
    try {
      readSync(device, request)
      return true
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException
      if (code === 'ENODEV') return false
      if (code !== 'EPERM' || tries === 1000) throw thrown
      Atomics.wait(clock, 0, 0, 10)
    }
  }
}

while (hasRequest()) {
  const answer = answerTo(request.readUInt32LE(4))
  if (answer === null) continue
  const body = typeof answer === 'number' ? Buffer.alloc(0) : answer
  const head = Buffer.alloc(16)
  head.writeUInt32LE(16 + body.length, 0)
  head.writeInt32LE(typeof answer === 'number' ? answer : 0, 4)
  request.copy(head, 8, 8, 16)
  writeSync(device, Buffer.concat([head, body]))
}
