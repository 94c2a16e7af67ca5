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
  /** SmolLM2-135M: an adapter of rank 16 has 4.9 M parameters, an image 36 rows of 576 features, in float32. */
  adapterBytes: 19.6 * MB,
  featureBytes: 83 * kB,
  /** Of an answer, a token; nothing of the vocabulary cut. */
  answerBytesPerToken: 67,
  /** The learner draws one token of each answer again: so much of a response's time (docs/cluster.md). */
  checkShare: 0.1,
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
  /** Of a response with tokens, log-probabilities and words. */
  responseBytes: 8 * kB,
  tokensPerResponse: 100,
  /** LLaVA-1.5-7B: 576 rows of 4,096. */
  largeFeatureBytes: 9.4 * MB,
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

/**
 * A step of one run on so many machines, the learner one of them: policy and features go out through the learner's link, the others
 * read and answer, the learner answers too, draws a token of each answer again and updates alone. A batch is a machine's part.
 */
function rolloutSeconds(machines: number, featureBytes: number): { used: number; seconds: number } {
  const { responsesPerStep, adapterBytes, answerBytesPerToken, checkShare } = measured
  const part = Math.ceil(responsesPerStep / machines)
  const others = Math.ceil(responsesPerStep / part) - 1
  if (others === 0) return { used: 1, seconds: responsesPerStep * perResponseS }
  const written = simulate([[{ bytes: adapterBytes + responsesPerStep * featureBytes }]], 1, assumed.disk).totalS
  const phases: Phase[] = [
    { bytes: adapterBytes + part * featureBytes },
    { workS: part * perResponseS },
    { bytes: part * assumed.tokensPerResponse * answerBytesPerToken },
  ]
  const answered = simulate(new Array(others).fill(phases), others, assumed.disk).totalS
  return { used: others + 1, seconds: written + answered + others * checkShare * perResponseS }
}

function shards(): string[][] {
  const { updateS, stepS, featureBytes } = measured
  return counts.map((machines) => {
    const { used, seconds } = rolloutSeconds(machines, featureBytes)
    const large = rolloutSeconds(machines, assumed.largeFeatureBytes).seconds
    const speedUp = stepS / (seconds + updateS)
    const ideal = stepS / ((stepS - updateS) / machines + updateS)
    const figures = [seconds.toFixed(1), updateS, speedUp.toFixed(2), ideal.toFixed(2), large.toFixed(1)]
    return [machines, used, ...figures].map(String)
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
    table(
      'One run with shared rollouts',
      ['machines', 'used', 'rollouts, s', 'update, s', 'faster', 'at best', 'rollouts with 9.4 MB an image, s'],
      shards(),
    ),
  ].join('\n'),
)
