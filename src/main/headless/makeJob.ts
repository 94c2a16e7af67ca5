// Jobs of what a person types after align, evaluate and describe. Before it stands commandLine.ts, after it work.ts, or the
// file of --write-job.
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { StudioError } from '../../shared/errors.ts'
import type { AlignJob, DescribeJob, EvaluateJob, JobModels, JobPolicy } from '../../shared/job.ts'
import { mapSome } from '../../shared/mapSome.ts'
import { type PresetName, presetConfig, presetNames, type RunConfig, runConfigSchema } from '../../shared/runConfig.ts'
import {
  adapterWithConfig,
  type JobParts,
  jobImagesOf,
  newAlignJob,
  newDescribeJob,
  newEvaluateJob,
} from '../engine/jobs/newJob.ts'
import { findImages } from '../library/findImages.ts'
import { ReadIssue, readImage } from '../library/readImage.ts'
import { type Given, usageError } from './commandLine.ts'
import { programName } from './help.ts'
import { readingImages } from './progress.ts'
import { resourcesFolder } from './resources.ts'
import type { Work } from './work.ts'

export const greatestSeed = 2 ** 31 - 1

export async function alignJobOf(given: Given, work: Work): Promise<AlignJob> {
  const preset = given.oneOf('preset', presetNames) ?? 'quick-look'
  const model = modelOf(given)
  const choice = { preset, settings: given.texts('set'), model, seed: seedOf(given), name: alignName(given, model) }
  const config = configOfChoice(given, choice)
  return await chosenJob(given, work, { ...choice, config }, await alignImages(given, work))
}

/** What the jobs of a sweep differ in. */
export interface AlignChoice {
  readonly preset: PresetName
  /** As they were typed. */
  readonly settings: readonly string[]
  /** Folder of the model. */
  readonly model: string
  readonly seed: number
  readonly name: string
}

/**
 * As the app's demo run: the config has the annotations' path only where they are asked for.
 * @throws StudioError `run.bad-config`; call it before images are read
 */
export function configOfChoice(given: Given, { preset, settings }: AlignChoice): RunConfig {
  const annotationFile = given.path('annotations')
  const typed = changesOf(settings, given.subcommand)
  return configOf(preset, {
    ...typed,
    ...(annotationFile !== null && {
      calibration: { method: 'annotated', annotationFile, ...(typed.calibration as object | undefined) },
    }),
  })
}

/** @param known the models of another job of the same folder */
export async function chosenJob(
  given: Given,
  work: Work,
  { preset, config, model, seed, name }: AlignChoice & { readonly config: RunConfig },
  images: AlignJob['images'],
  known?: JobModels,
): Promise<AlignJob> {
  const parts = { ...partsOf(given, config, work, model), seed, ...(known && { models: known }) }
  return await newAlignJob(parts, { name, preset, images })
}

/** The images of an alignment: those that can be read, hashed. */
export async function alignImages(given: Given, work: Work): Promise<AlignJob['images']> {
  return await jobImagesOf(await readable(await imagesOf(given, work), work), work.stopping.signal)
}

/** What an alignment is called. */
export function alignName(given: Given, model: string): string {
  return given.text('name') ?? (given.has('demo') ? 'Demo' : basename(model))
}

export async function evaluateJobOf(given: Given, work: Work): Promise<EvaluateJob> {
  const { policy, config } = await policyOf(given)
  const samples = given.has('demo') ? join(resourcesOf(given), 'samples') : null
  const [imageFolder = samples && join(samples, 'images'), ...more] = given.paths('images')
  if (imageFolder === null || more.length > 0) throw usageError('Name one folder with --images.', 'evaluate')
  const annotations = given.path('annotations') ?? (samples && join(samples, 'annotations.json'))
  return await newEvaluateJob(partsOf(given, config, work), {
    ...{ after: policy, imageFolder, annotations: annotations ?? given.neededPath('annotations') },
    ...{ strength: given.fraction('strength', 0, 1.5) ?? 1, most: given.integer('most', 1, 10_000_000) },
  })
}

export async function describeJobOf(given: Given, work: Work): Promise<DescribeJob> {
  const { policy, config } = await policyOf(given)
  const images = await jobImagesOf(await imagesOf(given, work), work.stopping.signal)
  return await newDescribeJob(partsOf(given, config, work), {
    ...{ policy, images, question: given.text('question') ?? config.rollout.question },
    strength: given.fraction('strength', 0, 1.5) ?? 1,
  })
}

/** The model as it came, or an adapter with the settings of its run; --set changes them. */
async function policyOf(given: Given): Promise<{ policy: JobPolicy; config: RunConfig }> {
  const named = given.path('adapter')
  const { policy, config } =
    named === null
      ? { policy: { from: 'model' } as const, config: runConfigSchema.parse({}) }
      : await adapterWithConfig(named)
  const changes = changesOf(given.texts('set'), given.subcommand)
  const sections = Object.entries(config).map(([section, values]) => [section, { ...values, ...changes[section] }])
  return { policy, config: checkedConfig(() => runConfigSchema.parse({ ...changes, ...Object.fromEntries(sections) })) }
}

function partsOf(given: Given, config: RunConfig, { stopping }: Work, model = modelOf(given)): JobParts {
  const { threads } = given
  return {
    folders: { model, companion: given.path('encoder') ?? join(model, 'encoder') },
    ...{ config, seed: seedOf(given), lexicon: lexiconOf(given) },
    ...{ device: given.device ?? 'cpu', threads, signal: stopping.signal },
  }
}

export function modelOf(given: Given): string {
  const demo = given.has('demo') ? join(resourcesOf(given), 'demo-model') : null
  return given.path('model') ?? demo ?? given.neededPath('model')
}

function seedOf(given: Given): number {
  return given.integer('seed', 0, greatestSeed) ?? 1
}

function resourcesOf(given: Given): string {
  return resourcesFolder(given.path('resources'))
}

/** Path of the lexicon: one that comes with the program, by its name, or a file. @throws StudioError `app.no-resources` */
export function lexiconOf(given: Given): string {
  const named = given.text('lexicon') ?? (given.has('demo') ? 'scene' : 'coco')
  const path = given.fullPath(named)
  if ((named !== 'scene' && named !== 'coco') || existsSync(path)) return path
  return join(resourcesOf(given), 'lexicons', `${named}-objects.json`)
}

/** @throws StudioError `image.folder-missing`, `run.no-images` */
async function imagesOf(given: Given, { reporter, stopping }: Work): Promise<readonly string[]> {
  const named = given.paths('images')
  const chosen = named.length === 0 && given.has('demo') ? [join(resourcesOf(given), 'samples/images')] : named
  const [first, ...more] = chosen
  if (first === undefined) throw usageError('Name a folder of images with --images.', given.subcommand)
  const { paths, leftOut } = await findImages(first, more.length === 0 ? [] : chosen, stopping.signal, () => undefined)
  const others = leftOut.reduce((sum, { files }) => sum + files, 0)
  if (others > 0) reporter.note(`${others} other files were left out, e.g. ${leftOut[0]?.example}`)
  if (paths.length > 0) return paths
  throw new StudioError({
    code: 'run.no-images',
    message: 'There is no image that can be read in this place.',
    remedy: 'Name a folder with JPEG, PNG, WebP, AVIF or TIFF pictures.',
    where: first,
  })
}

/** Files that are decoded at the same time. */
const readersAtOnce = 4

/** Those that an import of the app would take; the others are named. */
async function readable(paths: readonly string[], { reporter, stopping }: Work): Promise<readonly string[]> {
  const tell = readingImages(reporter, paths.length)
  const read = await mapSome(paths, readersAtOnce, async (path) => {
    if (stopping.signal.aborted) return null
    tell()
    try {
      await readImage(path)
      return path
    } catch (thrown) {
      if (!(thrown instanceof ReadIssue)) throw thrown
      reporter.note(`${path} is left out. ${thrown.message}`)
      return null
    }
  })
  return read.filter((path) => path !== null)
}

type Changes = { [section: string]: { [name: string]: unknown } }

/** Settings as they were typed; whether they fit, their schema says. */
function changesOf(texts: readonly string[], subcommand: Given['subcommand']): Changes {
  const changes: Changes = {}
  for (const text of texts) {
    const [, section, name, value] = /^([a-zA-Z]+)\.([a-zA-Z]+)=(.*)$/s.exec(text) ?? []
    if (section === undefined || name === undefined || value === undefined) {
      const message = `“--set ${text}” is no setting: write it as --set optimiser.stepsPerRound=32.`
      throw usageError(message, subcommand)
    }
    changes[section] = { ...changes[section], [name]: typedValue(value) }
  }
  return changes
}

/** Numbers, true, false and null as JSON has them; everything else is a text. */
function typedValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function configOf(preset: PresetName, changes: Changes): RunConfig {
  return checkedConfig(() => presetConfig(preset, changes))
}

/** @throws StudioError `run.bad-config` naming the setting */
function checkedConfig(make: () => RunConfig): RunConfig {
  try {
    return make()
  } catch (thrown) {
    if (!(thrown instanceof z.ZodError)) throw thrown
    const [issue] = thrown.issues
    throw new StudioError(
      {
        code: 'run.bad-config',
        message: `A setting cannot be used: ${issue?.message ?? 'unknown'}.`,
        remedy: `“${programName} align --settings” tells every setting with its range.`,
        where: issue?.path.join('.') ?? '',
      },
      { cause: thrown },
    )
  }
}
