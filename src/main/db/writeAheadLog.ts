// Whether the log beside a workspace file (https://sqlite.org/fileformat2.html#the_write_ahead_log) still holds all that was
// committed to it. SQLite reads it up to the first frame that is not sound and silently forgets what stands behind; that
// is right for a tail that a power cut tore, and wrong for a flipped bit in front of later commits.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

const headerBytes = 32
const frameHeaderBytes = 24
const usualPageBytes = 4096
const magic = 0x377f0682

/** Where a log is damaged, in a few words, or null for one that is whole, torn at its end, or not there. */
export function damageOfLog(path: string): string | null {
  for (;;) {
    const log = readLog(path)
    if (!log || log.length < headerBytes) return null
    const damage = findDamage(log)
    // A program that starts the log anew while it is read leaves frames of two ages behind: look again.
    if (!damage || sameHeader(path, log)) return damage
  }
}

function readLog(path: string): Buffer | null {
  try {
    return readFileSync(path)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw thrown
  }
}

function sameHeader(path: string, log: Buffer): boolean {
  const now = Buffer.alloc(headerBytes)
  const file = openSync(path, 'r')
  try {
    return readSync(file, now, 0, headerBytes, 0) === headerBytes && now.equals(log.subarray(0, headerBytes))
  } finally {
    closeSync(file)
  }
}

type Checksum = readonly [number, number]

function findDamage(log: Buffer): string | null {
  const isBigEndian = (log.readUInt32BE(0) & 1) === 1
  const add = (from: Checksum, start: number, end: number) => checksum(log, isBigEndian, from, start, end)
  const ofHeader = add([0, 0], 0, 24)
  const isSound = (log.readUInt32BE(0) & ~1) === magic && equal(ofHeader, storedAt(log, 24))
  const pageBytes = isSound ? log.readUInt32BE(8) : usualPageBytes
  const frameBytes = frameHeaderBytes + pageBytes
  const frames = Math.floor((log.length - headerBytes) / frameBytes)
  const startOf = (frame: number): number => headerBytes + frame * frameBytes
  const ownChecksum = (frame: number): Checksum => storedAt(log, startOf(frame) + 16)
  const isCommit = (frame: number): boolean => log.readUInt32BE(startOf(frame) + 4) !== 0
  const follows = (from: Checksum, frame: number): boolean => {
    const start = startOf(frame)
    const before = add(from, start, start + 8)
    return equal(add(before, start + frameHeaderBytes, start + frameBytes), ownChecksum(frame))
  }
  /** By the checksum that the frame before it says it has. */
  const isWritten = (frame: number): boolean =>
    frame === 0 ? follows(storedAt(log, 24), 0) || follows(ofHeader, 0) : follows(ownChecksum(frame - 1), frame)
  if (!isSound) {
    for (let frame = 0; frame < frames; frame++) {
      if (isCommit(frame) && isWritten(frame)) return 'the header of the log'
    }
    return null
  }
  const wrongSaltBits = (frame: number): number => {
    const start = startOf(frame) + 8
    return bitsApart(log, 16, start) + bitsApart(log, 20, start + 4)
  }
  let at: Checksum = ofHeader
  let bad = 0
  while (bad < frames && wrongSaltBits(bad) === 0 && follows(at, bad)) at = ownChecksum(bad++)
  // A commit is on the disk before the next frame is written: a frame behind a commit means that the commit was made.
  let isBehindCommit = false
  for (let frame = bad; frame < frames; frame++) {
    const wrongBits = wrongSaltBits(frame)
    if (isBehindCommit && wrongBits === 0 && isWritten(frame)) return `frame ${bad} of the log`
    if (wrongBits <= 1 && isCommit(frame)) isBehindCommit = true
  }
  return null
}

function checksum(log: Buffer, isBigEndian: boolean, [from0, from1]: Checksum, start: number, end: number): Checksum {
  let [s0, s1] = [from0, from1]
  for (let i = start; i < end; i += 8) {
    s0 = (s0 + (isBigEndian ? log.readUInt32BE(i) : log.readUInt32LE(i)) + s1) >>> 0
    s1 = (s1 + (isBigEndian ? log.readUInt32BE(i + 4) : log.readUInt32LE(i + 4)) + s0) >>> 0
  }
  return [s0, s1]
}

function storedAt(log: Buffer, offset: number): Checksum {
  return [log.readUInt32BE(offset), log.readUInt32BE(offset + 4)]
}

function equal(a: Checksum, b: Checksum): boolean {
  return a[0] === b[0] && a[1] === b[1]
}

function bitsApart(log: Buffer, a: number, b: number): number {
  let different = log.readUInt32BE(a) ^ log.readUInt32BE(b)
  let bits = 0
  for (; different !== 0; different &= different - 1) bits++
  return bits
}
