// `fuzzChild.ts <empty folder> <fixtures> <lexicon> <seed> <first case> <cases> <most seconds>`: runs cases of the fuzz and
// writes a line before each call, so that ../fuzz.test.ts can tell where a process that hangs or ends stood. Every line is
// JSON; the last one is the summary.
import { existsSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { stopWatching, watchFiles } from './fileGuard.ts'
import { faultOf, makeCase, prepareSources, removeCase } from './fuzzCases.ts'

/** What a process of the fuzz found. */
export interface FuzzSummary {
  readonly cases: number
  readonly kinds: Readonly<Record<string, { cases: number; refused: number }>>
  readonly codes: Readonly<Record<string, number>>
  readonly slowestMs: number
  readonly slowest: string
  /** Growth of the resident memory after the first cases: at the end of the cases, and at any moment. */
  readonly growthBytes: number
  readonly peakGrowthBytes: number
  readonly peak: string
  readonly seconds: number
  readonly faults: readonly string[]
}

const longestMs = 2000
const warmUpCases = 60
const muchGarbageBytes = 64 * 1024 * 1024

function print(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`)
}

/** The most memory that was resident since the last call; Linux alone can tell, elsewhere what is resident now. */
function peakSinceLast(): number {
  if (!existsSync('/proc/self/clear_refs')) return process.memoryUsage.rss()
  const peakKib = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  writeFileSync('/proc/self/clear_refs', '5')
  return Number(peakKib) * 1024
}

async function runCases(root: string, seed: number, first: number, count: number, mostSeconds: number) {
  const startedMs = performance.now()
  const kinds: Record<string, { cases: number; refused: number }> = {}
  const codes: Record<string, number> = {}
  const faults: string[] = []
  let [slowestMs, slowest, growthBytes, peakGrowthBytes, peak, number] = [0, '', 0, 0, '', first]
  let restBytes: number | null = null
  for (; number < first + count && performance.now() - startedMs < mostSeconds * 1000; number++) {
    const one = makeCase(root, seed, number)
    const label = `case ${number} (${one.kind}: ${one.what})`
    let isRefused = false
    watchFiles(one.allowed)
    for (const [name, run] of one.calls) {
      print({ case: number, call: `${label} ${name}` })
      const [callStartMs, callStartCpu] = [performance.now(), process.cpuUsage()]
      const thrown = await run().then(
        () => null,
        (reason: unknown) => reason ?? new Error('nothing was thrown'),
      )
      const { user, system } = process.cpuUsage(callStartCpu)
      // On a machine that is busy with something else, what a call waits for is not its own.
      const durationMs = Math.min(performance.now() - callStartMs, (user + system) / 1000)
      if (durationMs > slowestMs) [slowestMs, slowest] = [durationMs, `${label} ${name}`]
      if (durationMs > longestMs) faults.push(`${label} ${name} took ${Math.round(durationMs)} ms`)
      if (thrown === null) continue
      isRefused = true
      const fault = faultOf(thrown)
      if (fault !== null) faults.push(`${label} ${name} ${fault}`)
      const code = (thrown as { code?: string }).code ?? 'none'
      codes[code] = (codes[code] ?? 0) + 1
    }
    for (const path of stopWatching()) faults.push(`${label} opened ${path}`)
    if (one.leadsOut && !isRefused) faults.push(`${label} was accepted`)
    removeCase(root, number)
    const kind = kinds[one.kind] ?? { cases: 0, refused: 0 }
    kinds[one.kind] = kind
    kind.cases++
    if (isRefused) kind.refused++
    // What one case leaves behind is collected before it could count for the next one.
    if (number % 20 === 0 || process.memoryUsage.rss() - (restBytes ?? 0) > muchGarbageBytes) global.gc?.()
    await setImmediate()
    const peakBytes = peakSinceLast()
    if (number - first < warmUpCases) continue
    if (number % 20 === 0) {
      restBytes ??= process.memoryUsage.rss()
      growthBytes = process.memoryUsage.rss() - restBytes
    }
    if (restBytes !== null && peakBytes - restBytes > peakGrowthBytes)
      [peakGrowthBytes, peak] = [peakBytes - restBytes, label]
  }
  const seconds = (performance.now() - startedMs) / 1000
  const found = {
    cases: number - first,
    kinds,
    codes,
    slowestMs,
    slowest,
    growthBytes,
    peakGrowthBytes,
    peak,
    seconds,
    faults,
  }
  print({ summary: found satisfies FuzzSummary })
}

const [root = '', fixtures = '', lexicon = '', ...numbers] = process.argv.slice(2)
const [seed = 0, first = 0, count = 0, mostSeconds = 0] = numbers.map(Number)
prepareSources(root, fixtures, lexicon)
await runCases(root, seed, first, count, mostSeconds)
