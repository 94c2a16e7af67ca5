// A lab's workspace: 50 runs, images with a response each, 2,000 of them here. FISAO_SCALE_IMAGES=100000 and
// FISAO_SCALE_TOKENS=10000000 make it that of the design; FISAO_SCALE_REPORT=1 prints what was measured, over
// FISAO_SCALE_CALLS calls of each question and one before them, which finds nothing kept from any question.
import { statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { allImages, type ImageQuery, imageSorts } from '../../shared/domain.ts'
import { countImages, imageWindow, thumbnailOf } from './images.ts'
import { answeredCheckpoints, objectWords } from './namedObjects.ts'
import { prepareWorkspace } from './open.ts'
import { removeImages } from './removals.ts'
import { shownResponse } from './rollouts.ts'
import { writeSetting } from './settings.ts'
import { listTags, tagImages } from './tags.ts'
import { seedResponses } from './testing/responses.ts'
import { addCheckpoint, addRun, temporaryWorkspace } from './testing/temporaryWorkspace.ts'

const tokens = Number(process.env.FISAO_SCALE_TOKENS ?? 200_000)
const images = Number(process.env.FISAO_SCALE_IMAGES ?? Math.max(2000, Math.min(100_000, tokens / 100)))
const runs = 50
const calls = Number(process.env.FISAO_SCALE_CALLS ?? 5)
/** For a busy machine; what was measured stands in docs/performance.md. */
const generousMs = 500

interface Times {
  readonly median: number
  readonly p95: number
  readonly most: number
}

function timesOf(values: readonly number[]): Times {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
  return { median: at(0.5), p95: at(0.95), most: at(1) }
}

interface Call {
  readonly processorMs: number
  readonly wallMs: number
}

/** Processor and wall time of a call; they differ by what else the machine does. */
function timed(work: () => unknown): Call {
  const startMs = performance.now()
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return { processorMs: (user + system) / 1000, wallMs: performance.now() - startMs }
}

const filters: [string, Partial<ImageQuery>][] = [
  ['all', {}],
  ['with a hallucination', { responses: 'with-hallucination' }],
  ['with a grounded word', { responses: 'with-grounded' }],
  ['without a response', { responses: 'none' }],
  ['with a response', { responses: 'some' }],
  ['score from -0.9 to -0.5', { scoreRange: { low: -0.9, high: -0.5 } }],
  ['names a zebra', { word: { text: 'zebra', label: 'any' } }],
  ['hallucinates a zebra', { word: { text: 'zebra', label: 'hallucinated' } }],
  ['tag', { tag: 'every third' }],
  ['search in responses', { search: 'zebra boat' }],
  ['search that finds every response', { search: 'with' }],
  ['search in names', { search: '0123' }],
  ['search of two characters', { search: '12' }],
  ['search of one character', { search: 'w' }],
  ['search of one character in every name', { search: 'p' }],
  ['all filters', { search: 'photo', tag: 'every third', word: { text: 'zebra', label: 'any' }, responses: 'some' }],
]

test('every question of the grid and the Inspector is answered at once', { timeout: 1_800_000 }, async () => {
  const report: string[] = []
  const note = (what: string, value: number, unit: string): void => {
    report.push(`${what.padEnd(58)}${value.toFixed(1).padStart(10)} ${unit}`)
  }
  const all: Record<'first' | 'later', Call[]> = { first: [], later: [] }
  const slowest: { what: string; first: number; median: number }[] = []
  const noteTimes = (what: string, work: () => unknown): void => {
    // As after a commit of a run: nothing that a question before has found is true any longer.
    writeSetting(db, 'commit', what)
    const first = timed(work)
    const later = Array.from({ length: calls }, () => timed(work))
    all.first.push(first)
    all.later.push(...later)
    const { median, most } = timesOf(later.map(({ processorMs }) => processorMs))
    const times = [first.processorMs, median, most].map((ms) => ms.toFixed(1))
    report.push(`${what.padEnd(96)}first ${times[0]?.padStart(6)} ms, then ${times[1]?.padStart(6)}, most ${times[2]}`)
    slowest.push({ what, first: first.processorMs, median })
    expect(median, what).toBeLessThan(generousMs)
  }
  const { path, db, runId, modelId } = temporaryWorkspace(images)
  const checkpointId = addCheckpoint(db, runId, 0)
  // The other runs have looked at a hundredth of the images each.
  for (let run = 2; run <= runs; run++) {
    const other = addRun(db, modelId, `run ${run}`)
    seedResponses(db, other, addCheckpoint(db, other, 0), { images: Math.floor(images / 100), length: 24 })
  }
  const length = Math.round(tokens / images)
  const startMs = performance.now()
  // Nine images of ten have a response, so that "not yet run" has something to find.
  seedResponses(db, runId, checkpointId, { images: Math.floor(images * 0.9), length: Math.round(length / 0.9) })
  note('tokens stored with responses and spans', tokens / (performance.now() - startMs), 'thousand/s')

  tagImages(db, 'every third', { imageIds: Array.from({ length: Math.floor(images / 3) }, (_, i) => 3 * i + 1) })
  askEverything()
  // With removed images each question has one condition more.
  removeImages(db, { imageIds: Array.from({ length: images / 100 }, (_, i) => 100 * i + 7) }, 1)
  askEverything(', some removed')

  function askEverything(when = ''): void {
    for (const sort of imageSorts) {
      for (const [name, filter] of filters) {
        const query = { ...allImages, ...filter, sort, checkpointId }
        const total = countImages(db, query)
        const far = Math.max(0, total - 1000)
        noteTimes(`${name}, ${sort}${when}: count of ${total}`, () => countImages(db, query))
        noteTimes(`${name}, ${sort}${when}: 200 rows from row ${far}`, () => imageWindow(db, query, far, 200))
      }
    }
    noteTimes(`object words${when}`, () => objectWords(db, checkpointId))
    noteTimes(`checkpoints with responses${when}`, () => answeredCheckpoints(db))
    noteTimes(`tags${when}`, () => listTags(db))
  }
  const middle = Math.floor(images / 2)
  noteTimes('one response with its tokens and spans', () => shownResponse(db, checkpointId, middle))
  noteTimes('one thumbnail', () => thumbnailOf(db, middle))
  db.pragma('wal_checkpoint(TRUNCATE)')
  note('file', statSync(path).size / 1e6, 'MB')
  const bytes = db.prepare<[], { name: string; bytes: number }>(
    'SELECT name, sum(pgsize) AS bytes FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 6',
  )
  for (const table of bytes.all()) note(`  of it ${table.name}`, table.bytes / 1e6, 'MB')
  const checkMs = performance.now()
  await prepareWorkspace(path)
  note('check of the whole file at open', (performance.now() - checkMs) / 1000, 's')
  for (const { what, first, median } of slowest.sort((a, b) => b.first - a.first).slice(0, 12)) {
    report.push(`slowest: ${what}: first ${first.toFixed(1)} ms, then ${median.toFixed(1)} ms`)
  }
  for (const [which, measured] of Object.entries(all)) {
    for (const clock of ['processorMs', 'wallMs'] as const) {
      const { median, p95, most } = timesOf(measured.map((one) => one[clock]))
      const words = [median, p95, most].map((value) => value.toFixed(1))
      report.push(
        `${clock} of ${measured.length} ${which} calls: median ${words[0]}, p95 ${words[1]}, most ${words[2]}`,
      )
    }
  }
  if (process.env.FISAO_SCALE_REPORT) process.stdout.write(`\n${report.join('\n')}\n`)
})
