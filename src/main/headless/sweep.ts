// `sweep`: a folder with a job for each combination of what is to be varied, and the scripts that carry them out elsewhere.
// Before it stands the command line, after it cell.ts on any machine that sees the folder.
import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { unfinishedSuffix } from '../../shared/fileName.ts'
import type { AlignJob, JobModels } from '../../shared/job.ts'
import { presetNames } from '../../shared/runConfig.ts'
import { mostCells, type Sweep } from '../../shared/sweep.ts'
import { combined, readSeeds, variations, variedName } from '../../shared/sweepPlan.ts'
import {
  mostCopySeconds,
  mostMemoryMb,
  readSlurmTime,
  usualCopySeconds,
  usualTime,
} from '../../shared/sweepResources.ts'
import { type PlannedWork, plannedBytes, plannedWorkOf } from '../engine/jobs/jobWorkers.ts'
import { makeTokens } from '../files/claims.ts'
import { type Given, usageError } from './commandLine.ts'
import {
  type AlignChoice,
  alignImages,
  alignName,
  chosenJob,
  configOfChoice,
  greatestSeed,
  modelOf,
} from './makeJob.ts'
import type { Outcome } from './progress.ts'
import { requireFree } from './results.ts'
import { jobFile, sweepFile } from './sweepFolder.ts'
import { type Resources, submitScript, workersScript } from './sweepScripts.ts'
import { version } from './version.ts'
import type { Work } from './work.ts'

/** Beyond what the memory plan says, which leaves out what an allocator keeps. */
const memoryMargin = 1.25
const leastMemoryMb = 2048

export async function makeSweep(given: Given, work: Work): Promise<Outcome> {
  const folder = given.only('the new folder of the sweep')
  requireFree(folder)
  const choices = choicesOf(given).map((choice) => ({ ...choice, config: configOfChoice(given, choice) }))
  const [hasPlacebo, time] = [given.has('placebo'), timeOf(given)]
  const copyEvery = given.fraction('copy-every', 0, mostCopySeconds) ?? usualCopySeconds
  const memoryTyped = given.integer('memory', 1, mostMemoryMb)
  const images = await alignImages(given, work)
  const known = new Map<string, JobModels>()
  const jobs: AlignJob[] = []
  for (const choice of choices) {
    const job = await chosenJob(given, work, choice, images, known.get(choice.model))
    known.set(choice.model, job.models)
    // Without a number, each machine would take all its cores, and bytes follow from how many there are.
    jobs.push({ ...job, threads: job.threads ?? availableParallelism() })
  }
  const [first] = jobs as [AlignJob]
  const cells = jobs.map((job) => ({ job, placebo: hasPlacebo }))
  const sweep = writeSweep(folder, cells, {
    ...{ threads: first.threads ?? 1, time, needsGpu: first.device !== 'cpu' },
    ...{ memoryMb: memoryTyped ?? (await memoryOf(jobs.map(plannedWorkOf))), copyEvery },
  })
  const said = `${cells.length} cells are in ${folder}; start submit.sh there for Slurm, or workers.sh on any machine`
  return { kind: 'sweep', said, out: folder, result: { folder, sweepId: sweep.sweepId, cells: cells.length } }
}

/** Every combination, seeds last. @throws StudioError `app.usage` */
function choicesOf(given: Given): AlignChoice[] {
  const presets = (listOf(given, 'presets') ?? [given.text('preset') ?? 'quick-look']).map((typed) => {
    const preset = presetNames.find((one) => one === typed)
    if (preset === undefined) throw usageError(`A preset is one of ${presetNames.join(', ')}, not “${typed}”.`, 'sweep')
    return preset
  })
  const named = given.paths('models')
  const models = named.length > 0 ? named : [modelOf(given)]
  const hasName = given.has('name')
  const all = combined(
    variations(models, (model) => basename(model)),
    variations(presets, (preset) => preset),
    alternativesOf(given.texts('set')),
    variations(seedsOf(given), (seed) => `seed ${seed}`),
  )
  if (all.length > mostCells)
    throw usageError(`This makes ${all.length} cells; a sweep has at most ${mostCells}.`, 'sweep')
  return all.map(([model, preset, { texts, varied }, seed]) => {
    const settings = varied.map((text) => text.slice(text.indexOf('.') + 1).replace('=', ' '))
    const words = [hasName ? model.words : null, preset.words, ...settings, seed.words]
    const name = variedName(alignName(given, model.value), words)
    return { preset: preset.value, settings: texts, model: model.value, seed: seed.value, name }
  })
}

/** A setting that is given again with another value is varied. */
function alternativesOf(texts: readonly string[]): { texts: string[]; varied: string[] }[] {
  const byName = new Map<string, string[]>()
  for (const text of texts) {
    const [name = ''] = text.split('=', 1)
    byName.set(name, [...(byName.get(name) ?? []), text])
  }
  let all: { texts: string[]; varied: string[] }[] = [{ texts: [], varied: [] }]
  for (const values of byName.values()) {
    const isVaried = values.length > 1
    all = all.flatMap((one) =>
      values.map((text) => ({ texts: [...one.texts, text], varied: isVaried ? [...one.varied, text] : one.varied })),
    )
  }
  return all
}

function listOf(given: Given, name: 'presets'): string[] | null {
  const text = given.text(name)
  if (text === null) return null
  const values = text.split(',').map((one) => one.trim())
  if (values.includes('') || new Set(values).size < values.length)
    throw usageError(`--${name} takes different values with commas between them, not “${text}”.`, 'sweep')
  return values
}

function seedsOf(given: Given): number[] {
  const text = given.text('seeds')
  if (text === null) return [given.integer('seed', 0, greatestSeed) ?? 1]
  const read = readSeeds(text)
  if (read.ok) return read.value
  throw usageError(`--seeds cannot be “${text}”. ${read.problem}`, given.subcommand)
}

function timeOf(given: Given): string {
  const time = given.text('time') ?? usualTime
  const read = readSlurmTime(time)
  if (read.ok) return read.value
  throw usageError(`--time takes hours, minutes and seconds such as 24:00:00, not “${time}”.`, given.subcommand)
}

/** What the largest cell needs, with a margin, in the megabytes of Slurm. */
export async function memoryOf(cells: readonly PlannedWork[]): Promise<number> {
  const seen = new Set<string>()
  let most = 0
  for (const cell of cells) {
    const key = JSON.stringify([cell.folders, cell.config])
    if (seen.has(key)) continue
    seen.add(key)
    most = Math.max(most, await plannedBytes(cell))
  }
  return Math.max(leastMemoryMb, Math.ceil((most * memoryMargin) / 1024 ** 2))
}

/**
 * Writes the folder; it appears under its name when it is whole.
 * @param others files that jobs name, by their names in the folder
 */
export function writeSweep(
  folder: string,
  runs: readonly { readonly job: AlignJob; readonly placebo: boolean }[],
  resources: Omit<Resources, 'cells' | 'label'>,
  others: Readonly<Record<string, Uint8Array>> = {},
): Sweep {
  const unfinished = `${folder}${unfinishedSuffix}`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  try {
    for (const name of ['jobs', 'cells', 'logs']) mkdirSync(join(unfinished, name))
    for (const [name, bytes] of Object.entries(others)) writeFileSync(join(unfinished, name), bytes)
    const cells = runs.map(({ job, placebo }, i) => {
      const text = `${JSON.stringify(job, null, 1)}\n`
      writeFileSync(jobFile(unfinished, i + 1), text)
      return { cell: i + 1, name: job.name, jobSha256: createHash('sha256').update(text).digest('hex'), placebo }
    })
    const sweep: Sweep = { format: 'fisao-sweep', version: 1, sweepId: randomUUID(), appVersion: version, cells }
    writeFileSync(sweepFile(unfinished), `${JSON.stringify(sweep, null, 1)}\n`)
    makeTokens(unfinished, cells.length)
    const label = sweep.sweepId.slice(0, 8)
    const scripts = {
      'submit.sh': submitScript({ cells: cells.length, label, ...resources }),
      'workers.sh': workersScript(resources),
    }
    for (const [name, text] of Object.entries(scripts)) writeFileSync(join(unfinished, name), text, { mode: 0o755 })
    renameSync(unfinished, folder)
    return sweep
  } catch (thrown) {
    rmSync(unfinished, { recursive: true, force: true })
    throw thrown
  }
}
