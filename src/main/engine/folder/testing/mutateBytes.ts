// Seeded damage to bytes, as a bad disk or a broken copy makes it, and the choices that all damage is made of.
// mutateTree.ts, mutateWeights.ts and mutateText.ts damage by meaning; fuzzCases.ts puts the results into folders.
import type { Rng } from '../../rng.ts'

/** One of the items, each equally likely. */
export function pick<T>(rng: Rng, items: readonly T[]): T {
  return items[rng.below(items.length)] as T
}

/** True in one of `n` cases. */
export function oneIn(rng: Rng, n: number): boolean {
  return rng.below(n) === 0
}

/** Bit flips, other bytes, a cut, an insertion, a span doubled, taken out or overwritten: one to four of them. */
export function mutateBytes(rng: Rng, original: Uint8Array): Buffer {
  let bytes = Buffer.from(original)
  for (let count = 1 + rng.below(4); count > 0; count--) {
    const at = rng.below(bytes.length + 1)
    const to = Math.min(at + 1 + rng.below(oneIn(rng, 4) ? 4096 : 16), bytes.length)
    const [head, span, tail] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)]
    const noise = Buffer.from(Array.from({ length: 1 + rng.below(12) }, () => rng.below(256)))
    switch (rng.below(7)) {
      case 0:
      case 1:
        if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << rng.below(8))
        break
      case 2:
        if (at < bytes.length) bytes[at] = pick(rng, [0, 9, 34, 44, 58, 91, 92, 123, 125, 0xc3, 0xed, 0xff])
        break
      case 3:
        if (oneIn(rng, 3)) bytes = Buffer.from(head)
        break
      case 4:
        bytes = Buffer.concat([head, noise, span, tail])
        break
      case 5:
        bytes = Buffer.concat([head, span, span, tail])
        break
      default:
        bytes = Buffer.concat([head, tail])
    }
  }
  return bytes
}
