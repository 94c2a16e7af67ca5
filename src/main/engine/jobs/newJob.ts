// Jobs made of what a person names on a command line: folders and files, hashed as the app hashes what a run begins with.
// Before it stands main/headless, after it runJob.ts.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { greedy } from '../../../shared/describe.ts'
import { StudioError } from '../../../shared/errors.ts'
import type { DeviceName } from '../../../shared/hardware.ts'
import {
  type AlignJob,
  alignJobSchema,
  type DescribeJob,
  type EvaluateJob,
  type JobFile,
  type JobModels,
  type JobPolicy,
} from '../../../shared/job.ts'
import { mapSome } from '../../../shared/mapSome.ts'
import { lacksAnnotations, type RunConfig, runConfigSchema } from '../../../shared/runConfig.ts'
import { sha256Of } from '../folder/hashes.ts'
import { parseJson } from '../folder/json.ts'
import { identifyModels, type ModelFolders } from '../folder/modelIdentity.ts'
import { readAdapter } from '../folder/peft.ts'
import { jobAdapterOf, jobFileOf, jobModelsOf, jobVersion } from './jobInputs.ts'

/** What every job is made of. */
export interface JobParts {
  readonly folders: ModelFolders
  readonly config: RunConfig
  readonly seed: number
  /** Path of the lexicon of object words. */
  readonly lexicon: string
  readonly device: DeviceName
  readonly threads: number | null
  /** Hashing the weights of a large model takes a while. */
  readonly signal: AbortSignal
  /** The models as another job of the same folders named them, so that their weights are not hashed once more. */
  readonly models?: JobModels
  /** The lexicon as the job is to name it, where its file will lie elsewhere. */
  readonly lexiconFile?: JobFile
}

type Images = DescribeJob['images']

/** @throws StudioError `run.no-annotations`, and what opening weights throws */
export async function newAlignJob(
  parts: JobParts,
  named: Pick<AlignJob, 'name' | 'preset'> & { readonly images: Images },
): Promise<AlignJob> {
  const { config } = parts
  if (lacksAnnotations(config)) {
    throw new StudioError({
      code: 'run.no-annotations',
      message: 'Calibration with annotations needs a file of them, and none is named.',
      remedy: 'Name a file of COCO instances, or calibrate without annotations.',
      where: 'calibration.annotationFile',
    })
  }
  const { method, annotationFile } = config.calibration
  const annotations = method === 'annotated' && annotationFile !== null ? await jobFileOf(annotationFile) : null
  // By its schema, as a stored one is read: its keys then stand in one order.
  return alignJobSchema.parse({ kind: 'align', ...(await commonOf(parts)), ...named, annotations })
}

export async function newEvaluateJob(
  parts: JobParts,
  {
    after,
    annotations,
    ...asked
  }: Pick<EvaluateJob, 'strength'> & {
    readonly after: JobPolicy
    readonly annotations: string
    readonly imageFolder: string
    readonly most: number | null
  },
): Promise<EvaluateJob> {
  return {
    ...{ kind: 'evaluate', ...(await commonOf(parts)), strength: asked.strength },
    policies: { before: { from: 'model' }, after, placebo: null },
    images: { folder: asked.imageFolder, annotations: await jobFileOf(annotations), most: asked.most },
  }
}

export async function newDescribeJob(
  parts: JobParts,
  asked: Pick<DescribeJob, 'policy' | 'strength' | 'question' | 'images'>,
): Promise<DescribeJob> {
  const common = await commonOf(parts)
  return { kind: 'describe', ...common, decoding: greedy, region: null, judgedBy: null, ...asked }
}

async function commonOf({ folders, config, seed, lexicon, device, threads, signal, ...known }: JobParts) {
  const models = known.models ?? jobModelsOf(folders, await identifyModels(folders, null, signal))
  return {
    ...jobVersion,
    config,
    seed,
    models,
    device,
    threads,
    lexicon: known.lexiconFile ?? (await jobFileOf(lexicon)),
  }
}

/** Files that are open at the same time. */
const filesAtOnce = 8

/** Images as a job names them, numbered in their order; of several with the same bytes the first one. */
export async function jobImagesOf(paths: readonly string[], signal?: AbortSignal): Promise<Images> {
  const hashed = await mapSome(paths, filesAtOnce, async (path) => ({ path, sha256: await sha256Of([path], signal) }))
  const seen = new Set<string>()
  const different = hashed.filter(({ sha256 }) => !seen.has(sha256) && seen.add(sha256))
  return different.map((image, i) => ({ imageId: i + 1, ...image }))
}

/**
 * An exported adapter, or the one in an export, with the config of the run that it came from; where no `run.json` tells that,
 * the defaults with its rank.
 * @throws StudioError `run.input-missing`, and what reading an adapter throws
 */
export async function adapterWithConfig(named: string): Promise<{ policy: JobPolicy; config: RunConfig }> {
  const within = join(named, 'adapter')
  const folder = existsSync(join(within, 'adapter_config.json')) ? within : named
  const policy = await jobAdapterOf(folder)
  const { rank } = await readAdapter(folder)
  const config = (await configBeside(folder)) ?? runConfigSchema.parse({})
  return { policy, config: { ...config, adapter: { ...config.adapter, rank } } }
}

async function configBeside(folder: string): Promise<RunConfig | null> {
  const text = await readFile(join(dirname(folder), 'run.json'), 'utf8').catch(() => null)
  if (text === null) return null
  const { config } = (parseJson(text) ?? {}) as { config?: unknown }
  return runConfigSchema.safeParse(config).data ?? null
}
