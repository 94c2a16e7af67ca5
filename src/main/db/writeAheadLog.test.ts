// What is read from a log's bytes: whole and torn logs are none of our business, a damaged one is told, wherever the
// damage is. Real logs, written by SQLite.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { connect } from './connection.ts'
import { damageOfLog } from './writeAheadLog.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-log-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const frameBytes = 4120
const commits = 6

/** A log of six commits; when it was started anew before, frames of the first age stand behind. */
function log({ restarted = false } = {}): Buffer {
  const path = join(folder, `log ${restarted}.sqlite`)
  const db = connect(path, { create: true })
  db.pragma('journal_mode = WAL')
  db.pragma('wal_autocheckpoint = 0')
  db.exec('CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)')
  const insert = db.prepare('INSERT INTO t (b) VALUES (randomblob(6000))')
  if (restarted) {
    for (let i = 0; i < 30; i++) insert.run()
    db.pragma('wal_checkpoint(RESTART)')
  }
  for (let i = 0; i < commits; i++) insert.run()
  copyFileSync(`${path}-wal`, join(folder, 'copy'))
  db.close()
  return readFileSync(join(folder, 'copy'))
}

function damageOf(bytes: Buffer): string | null {
  const path = join(folder, 'damaged-wal')
  writeFileSync(path, bytes)
  return damageOfLog(path)
}

function flipped(bytes: Buffer, offset: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[offset]! ^= 8
  return copy
}

/** Frames of the current age, and those of them that end a commit. */
function framesOf(bytes: Buffer): { frames: number; commitFrames: number[] } {
  const commitFrames: number[] = []
  let frame = 0
  for (; 32 + (frame + 1) * frameBytes <= bytes.length; frame++) {
    const start = 32 + frame * frameBytes
    if (!bytes.subarray(start + 8, start + 16).equals(bytes.subarray(16, 24))) break
    if (bytes.readUInt32BE(start + 4) !== 0) commitFrames.push(frame)
  }
  return { frames: frame, commitFrames }
}

describe.each([{ restarted: false }, { restarted: true }])('a log, started anew: $restarted', (kind) => {
  const whole = log(kind)
  const { frames, commitFrames } = framesOf(whole)
  const lastCommitBegins = (commitFrames.at(-2) ?? 0) + 1

  test('that is whole, cut anywhere, or not there is no damage', () => {
    expect(commitFrames.length).toBeGreaterThanOrEqual(commits)
    expect(whole.length > 32 + frames * frameBytes).toBe(kind.restarted)
    expect(damageOf(whole)).toBeNull()
    expect(damageOfLog(join(folder, 'nowhere'))).toBeNull()
    for (let length = 0; length < whole.length; length += 613) expect(damageOf(whole.subarray(0, length))).toBeNull()
  })

  test.each([0, 4, 8, 15, 16, 20, 24, 40, 2000, frameBytes - 1])(
    'with a bit flipped at byte %i of a frame is damaged, but for the last commit, which may be torn',
    (within) => {
      for (let frame = 0; frame < frames; frame++) {
        const damage = damageOf(flipped(whole, 32 + frame * frameBytes + within))
        const told = `frame ${frame} of the log`
        if (frame < lastCommitBegins) expect([frame, damage]).toEqual([frame, told])
        // A frame that now looks like the end of a commit cannot be torn: what stands behind it was written later.
        else expect([frame, damage]).toEqual([frame, within === 4 ? expect.toBeOneOf([null, told]) : null])
      }
    },
  )

  test.each([1, 4, 9, 12, 17, 22, 25, 30])('with a bit flipped at byte %i of its header is damaged', (offset) => {
    expect(damageOf(flipped(whole, offset))).toBe('the header of the log')
  })
})
