// What may arrive from the page at all: plain data of modest size. Before it stands Electron's structured clone, which
// brings anything; after it the contract's schemas, which would spend seconds on a message made to be large.

/** Far above what any screen sends. */
const most = { values: 10_000, characters: 1_000_000, depth: 64 } as const

/** Why a message is not looked at any further, or null when it is plain data of modest size; costs as little as it can. */
export function oddityOf(message: unknown): string | null {
  const left = { values: most.values, characters: most.characters }
  const waiting: { value: unknown; depth: number }[] = [{ value: message, depth: 0 }]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, depth } = next
    if (--left.values < 0) return `more than ${most.values} values`
    if (depth > most.depth) return `values more than ${most.depth} deep`
    if (typeof value === 'string') left.characters -= value.length
    else if (Array.isArray(value)) {
      if (value.length > left.values) return `more than ${most.values} values`
      for (const element of value) waiting.push({ value: element, depth: depth + 1 })
    } else if (typeof value === 'object' && value !== null) {
      const prototype: unknown = Object.getPrototypeOf(value)
      if (prototype !== Object.prototype && prototype !== null) return 'something else than plain values'
      for (const key in value) {
        left.characters -= key.length
        if (waiting.length > left.values) return `more than ${most.values} values`
        waiting.push({ value: (value as Record<string, unknown>)[key], depth: depth + 1 })
      }
    } else if (typeof value === 'bigint') return 'something else than plain values'
    if (left.characters < 0) return `more than ${most.characters} characters`
  }
  return null
}
