// One number for a row's values, and SHA-256 of bytes: what seals.ts, the triggers of migration 0004 and the readers of
// this folder compare, so that a flipped bit is told and never read as data. Registered on each connection.
import { createHash } from 'node:crypto'
import type Database from 'better-sqlite3'

export type SqlValue = number | string | Uint8Array | null

const loneSurrogate = /\p{Surrogate}/u
const real = new Float64Array(1)
const halves = new Uint32Array(real.buffer)

/**
 * A 32-bit hash of values with their types (MurmurHash3's mixing, Appleby 2011). Each step is a bijection of the hash and
 * of the word that it takes in, so two rows that differ in one word never have the same hash.
 */
export function rowHash(...values: readonly SqlValue[]): number {
  let hash = values.length
  for (const value of values) {
    if (value === null) hash = mixed(hash, 1)
    else if (typeof value === 'number') {
      // SQLite keeps minus zero as zero.
      real[0] = value + 0
      hash = mixed(mixed(mixed(hash, 2), halves[0] as number), halves[1] as number)
    } else if (typeof value === 'string') {
      // Half a surrogate pair has no UTF-8, and SQLite keeps the replacement character for it.
      const text = loneSurrogate.test(value) ? Buffer.from(value).toString() : value
      hash = mixed(mixed(hash, 3), text.length)
      for (let i = 0; i < text.length; i++) hash = mixed(hash, text.charCodeAt(i))
    } else {
      hash = mixed(mixed(hash, 4), value.length)
      for (let i = 0; i < value.length; i++) hash = mixed(hash, value[i] as number)
    }
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function mixed(hash: number, word: number): number {
  const k = Math.imul(word, 0xcc9e2d51)
  const h = hash ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593)
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
}

/** 32 bytes. */
export function sha256(...bytes: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const part of bytes) hash.update(part)
  return hash.digest()
}

/**
 * Makes `row_hash(...)`, `sha256(bytes)` and the aggregate `sha256_concat(bytes ORDER BY ...)` known to SQL. A number from
 * JavaScript arrives as a real: cast what `row_hash` gives to an integer before adding it up.
 */
export function registerHashes(db: Database.Database): void {
  db.function('row_hash', { deterministic: true, varargs: true }, rowHash)
  db.function('sha256', { deterministic: true }, (bytes: Uint8Array) => sha256(bytes))
  db.aggregate('sha256_concat', {
    start: () => createHash('sha256'),
    step: (hash, bytes) => hash.update(bytes as unknown as Uint8Array),
    result: (hash) => hash.digest(),
  })
}
