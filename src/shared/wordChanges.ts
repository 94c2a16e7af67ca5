// Which object words two responses to one image share: kept, gone or new. By the object and not by its place, so that a
// sentence that was turned round is no change. Screens and reports mark words by it.

export type WordChange = 'kept' | 'gone' | 'new'

export interface WordChanges {
  /** `kept` or `gone`, for each word of the first response. */
  readonly before: readonly ('kept' | 'gone')[]
  /** `kept` or `new`, for each word of the second. */
  readonly after: readonly ('kept' | 'new')[]
}

/** Above this many pairs the mentions of an object are matched in order, without looking at their neighbours. */
const mostPairs = 4_000_000

/**
 * An object that both name n and m times has min(n, m) kept mentions. Which ones, where n and m differ, says the longest
 * common subsequence of both lists; what that leaves unmatched is matched in reading order. Changing the two responses
 * round turns `gone` into `new` and nothing else.
 * @param before the objects of the first response in reading order
 */
export function wordChanges(before: readonly string[], after: readonly string[]): WordChanges {
  // Of several longest subsequences the same one has to be taken from either side.
  const isTurned = JSON.stringify(before) > JSON.stringify(after)
  const [first, second] = isTurned ? keptIn(after, before).toReversed() : keptIn(before, after)
  return {
    before: (first as boolean[]).map((isKept) => (isKept ? 'kept' : 'gone')),
    after: (second as boolean[]).map((isKept) => (isKept ? 'kept' : 'new')),
  }
}

function keptIn(a: readonly string[], b: readonly string[]): [boolean[], boolean[]] {
  const keptA = a.map(() => false)
  const keptB = b.map(() => false)
  for (const [i, j] of longestCommon(a, b)) {
    keptA[i] = true
    keptB[j] = true
  }
  // What moved: the mentions of an object that are left on both sides.
  const left = new Map<string, number[]>()
  b.forEach((name, j) => {
    if (keptB[j]) return
    const places = left.get(name)
    if (places) places.push(j)
    else left.set(name, [j])
  })
  a.forEach((name, i) => {
    const j = keptA[i] ? undefined : left.get(name)?.shift()
    if (j === undefined) return
    keptA[i] = true
    keptB[j] = true
  })
  return [keptA, keptB]
}

/** Pairs of positions of a longest common subsequence, rising. */
function longestCommon(a: readonly string[], b: readonly string[]): [number, number][] {
  if (a.length * b.length > mostPairs) return []
  const width = b.length + 1
  // lengths[i, j]: of the longest common subsequence of a from i and b from j.
  const lengths = new Uint16Array((a.length + 1) * width)
  const at = (i: number, j: number): number => lengths[i * width + j] as number
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const pairs: [number, number][] = []
  let [i, j] = [0, 0]
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) pairs.push([i++, j++])
    else if (at(i + 1, j) >= at(i, j + 1)) i++
    else j++
  }
  return pairs
}
