// A sound result of a cell, made into what no cell wrote: cut, changed, of other versions, naming other files, with and without
// the hash that belongs to it. For cluster.test.ts.
import { createHash } from 'node:crypto'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openWorkspace } from '../../db/open.ts'

type Make = (result: HostileResult) => void

const kinds: readonly (readonly [name: string, make: Make])[] = [
  ['cut short', (one) => one.put(one.bytes.subarray(0, one.drawn(one.bytes.length)))],
  ['other bytes', (one) => one.put(one.flipped(1 + one.drawn(4)))],
  ['longer', (one) => one.put(Buffer.concat([one.bytes, Buffer.alloc(1 + one.drawn(9000))]))],
  ['another version of the format', (one) => one.put(one.bytes, { version: 2 + one.drawn(50) })],
  ['another version of the program', (one) => one.put(one.bytes, { appVersion: `9.${one.drawn(99)}.0` })],
  [
    'another sweep',
    (one) => one.put(one.bytes, { sweepId: `00000000-0000-4000-8000-${String(one.drawn(1e9)).padStart(12, '0')}` }),
  ],
  ['another cell', (one) => one.put(one.bytes, { cell: 2 + one.drawn(90) })],
  ['another job', (one) => one.put(one.bytes, { jobSha256: String(one.drawn(10)).repeat(64) })],
  ['a file elsewhere', (one) => one.put(one.bytes, { file: `../${'../'.repeat(one.drawn(5))}etc/passwd` })],
  ['a size that lies', (one) => one.put(one.bytes, { sizeBytes: [-1, 0, 1e18, 1.5][one.drawn(4)] })],
  ['a hash that lies', (one) => one.put(one.bytes, { sha256: String(one.drawn(10)).repeat(64) })],
  ['no JSON', (one) => writeFileSync(one.record, '{'.repeat(1 + one.drawn(5000)))],
  ['a very long file', (one) => truncateSync(one.record, 1e9 + one.drawn(1e9))],
  ['a field too many', (one) => one.put(one.bytes, { [`more${one.drawn(9)}`]: 'x' })],
  [
    'cut short, and its hash told anew',
    (one) => one.disguise(one.bytes.subarray(0, 100 + one.drawn(one.bytes.length - 200))),
  ],
  [
    'pages of zeros, and its hash told anew',
    (one) => one.disguise(Buffer.from(one.bytes).fill(0, 0, 4096 * (1 + one.drawn(5)))),
  ],
  [
    'something else',
    (one) => one.disguise(Buffer.from(`${'SQLite format 3\0'.slice(one.drawn(16))}${'x'.repeat(one.drawn(500))}`)),
  ],
]
export const hostileKinds = kinds.length

export class HostileResult {
  /** Path of `result.json`. */
  readonly record: string
  /** Of the workspace, as the cell wrote it. */
  readonly bytes: Buffer
  readonly #file: string
  readonly #result: Readonly<Record<string, unknown>>
  #state = 20_261

  /** @param cell the folder of a cell that is done */
  constructor(cell: string) {
    this.record = join(cell, 'result.json')
    this.#result = JSON.parse(readFileSync(this.record, 'utf8'))
    this.#file = join(cell, this.#result['file'] as string)
    this.bytes = readFileSync(this.#file)
  }

  /** Makes the one of this number. @returns what it is */
  make(number: number): string {
    this.restore()
    const [name, make] = kinds[number % kinds.length] as (typeof kinds)[number]
    make(this)
    return name
  }

  restore(): void {
    this.put(this.bytes)
  }

  put(bytes: Uint8Array, changes: Readonly<Record<string, unknown>> = {}): void {
    writeFileSync(this.#file, bytes)
    writeFileSync(this.record, JSON.stringify({ ...this.#result, ...changes }))
  }

  /** Names its true length and hash, as somebody would who made it up. */
  disguise(bytes: Uint8Array): void {
    this.put(bytes, { sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
  }

  /** Changes rows by SQL, so that every seal is right. */
  change(sql: string): void {
    this.restore()
    const db = openWorkspace(this.#file)
    db.exec(sql)
    db.close()
    this.disguise(readFileSync(this.#file))
  }

  /** A copy of the bytes with so many flipped bits. */
  flipped(bits: number): Buffer {
    const bytes = Buffer.from(this.bytes)
    for (let bit = 0; bit < bits; bit++) {
      const at = this.drawn(bytes.length)
      bytes[at] = (bytes[at] as number) ^ (1 << this.drawn(8))
    }
    return bytes
  }

  /** A number below `most` (Park & Miller 1988). */
  drawn(most: number): number {
    this.#state = (this.#state * 48_271) % 2_147_483_647
    return this.#state % most
  }
}
