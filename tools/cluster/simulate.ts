// How a sweep, a description of a library and one sharded run grow from 1 to 1,000 workers and from 10^3 to 10^7 images: the
// tables of docs/cluster.md. `npx tsx tools/cluster/simulate.ts`; no random numbers, so it prints the same everywhere.
import { type Phase, simulate } from './sharedDisk.ts'

const [kB, MB, GB] = [1e3, 1e6, 1e9]

/** Measured, with where; see docs/cluster.md. */
const measured = {
  /** SmolLM2-135M with the demo's eyes, Quick look, two threads (docs/smollm2.md). */
  cellS: 45 * 60,
  steps: 24,
  responsesPerStep: 64,
  stepS: 110,
  /** Of a step; the other half are rollouts. */
  updateS: 55,
  /** SHA-256 of Node, one core. */
  hashRate: 680 * MB,
  /** Collecting a result of 7.5 MB: 0.25 s of one core. */
  collectRate: 30 * MB,
  /** Of an image in a job file: path and hash. */
  jobBytesPerImage: 200,
  /** A job file that is longer is refused. */
  longestJob: 64 * 1024 ** 2,
}

/** Assumed. */
const assumed = {
  /** NFS on 10 Gbit/s for all, 1 Gbit/s for each. */
  disk: { rate: 1.1 * GB, link: 0.11 * GB },
  /** float32, with tower and companion. */
  modelBytes: 0.9 * GB,
  imageBytes: 150 * kB,
  /** Adapter of rank 16 with moments, two or three of them, and responses. */
  resultBytes: 150 * MB,
  copyEveryS: 300,
  adapterBytes: 20 * MB,
  /** Of a response with tokens, log-probabilities and words. */
  responseBytes: 8 * kB,
}

const counts = [1, 10, 100, 1000]
const perResponseS = (measured.stepS - measured.updateS) / measured.responsesPerStep

/** What a cell does: reads the model, reads and hashes its images, works and copies, leaves its result. */
function cellPhases(images: number): Phase[] {
  const imageBytes = images * assumed.imageBytes
  const phases: Phase[] = [{ bytes: assumed.modelBytes + imageBytes + images * measured.jobBytesPerImage }]
  phases.push({ workS: (assumed.modelBytes + imageBytes) / measured.hashRate })
  for (let leftS = measured.cellS; leftS > 0; leftS -= assumed.copyEveryS) {
    phases.push({ workS: Math.min(leftS, assumed.copyEveryS) })
    if (leftS > assumed.copyEveryS) phases.push({ bytes: assumed.resultBytes })
  }
  return [...phases, { bytes: assumed.resultBytes }]
}

function sweeps(cells: number, images: number): string[][] {
  const one = cellPhases(images)
  const alone = simulate([one], 1, assumed.disk).totalS
  const collectS = (cells * assumed.resultBytes) / Math.min(measured.collectRate, assumed.disk.link)
  return counts.map((workers) => {
    const { totalS, fullShare, bytes } = simulate(new Array(cells).fill(one), workers, assumed.disk)
    const ideal = (Math.ceil(cells / workers) * alone) / totalS
    return [workers, hours(totalS), percent(ideal), percent(fullShare), size(bytes), hours(collectS)].map(String)
  })
}

function starts(workers: number): string[][] {
  return [1e3, 1e4, 1e5, 1e6, 1e7].map((images) => {
    const read: Phase = { bytes: assumed.modelBytes + images * assumed.imageBytes }
    const { totalS } = simulate(new Array(workers).fill([read]), workers, assumed.disk)
    const jobBytes = images * measured.jobBytesPerImage
    const hashS = (images * assumed.imageBytes) / measured.hashRate
    return [power(images), size(jobBytes), jobBytes > measured.longestJob ? 'no' : 'yes', hours(totalS), hours(hashS)]
  })
}

function libraries(): string[][] {
  return [1e3, 1e5, 1e7].map((images) => [
    power(images),
    ...counts.map((workers) => {
      const shard = Math.ceil(images / workers)
      const phases: Phase[] = [
        { bytes: assumed.modelBytes },
        { bytes: shard * assumed.imageBytes },
        { workS: shard * perResponseS },
        { bytes: shard * assumed.responseBytes },
      ]
      return hours(simulate(new Array(workers).fill(phases), workers, assumed.disk).totalS)
    }),
  ])
}

/** A step of one run: the policy goes to every worker, the responses come back, the learner updates alone. */
function shards(): string[][] {
  const { responsesPerStep, updateS, stepS } = measured
  return counts.map((workers) => {
    const shard = Math.ceil(responsesPerStep / workers)
    const used = Math.ceil(responsesPerStep / shard)
    const phases: Phase[] = [
      { bytes: assumed.adapterBytes },
      { workS: shard * perResponseS },
      { bytes: shard * assumed.responseBytes },
    ]
    const rolloutS = simulate(new Array(used).fill(phases), used, assumed.disk).totalS
    const speedUp = stepS / (rolloutS + updateS)
    return [workers, used, rolloutS.toFixed(1), updateS, speedUp.toFixed(2)].map(String)
  })
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
const power = (count: number): string => `10^${Math.log10(count)}`
function hours(seconds: number): string {
  if (seconds < 120) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  if (seconds < 7200) return `${(seconds / 60).toFixed(0)} min`
  return seconds < 48 * 3600 ? `${(seconds / 3600).toFixed(1)} h` : `${(seconds / 86_400).toFixed(1)} d`
}
function size(bytes: number): string {
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`
  return bytes < 1e12 ? `${(bytes / 1e9).toFixed(0)} GB` : `${(bytes / 1e12).toFixed(1)} TB`
}

function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [title, '', line(heads), line(heads.map(() => '---')), ...rows.map(line), ''].join('\n')
}

process.stdout.write(
  [
    table(
      'A sweep of 1,000 cells on 1,000 images',
      ['workers', 'time', 'of ideal', 'file system full', 'traffic', 'collecting after it'],
      sweeps(1000, 1000),
    ),
    table('100 cells that start together', ['images', 'job file', 'taken', 'reading', 'hashing'], starts(100)),
    table('Describing a library', ['images', ...counts.map((workers) => `${workers} workers`)], libraries()),
    table('One run with sharded rollouts', ['workers', 'used', 'rollouts, s', 'update, s', 'faster'], shards()),
  ].join('\n'),
)
