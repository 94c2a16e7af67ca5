// The inputs of a job: written down with their hashes when a job is made, and held to them when it is carried out.
// Before it stand files and folders of a person's, after it alignJob.ts, evaluateJob.ts and exportJob.ts.
import { join } from 'node:path'
import { StudioError } from '../../../shared/errors.ts'
import type { Job, JobFile, JobModels, JobPolicy } from '../../../shared/job.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import { newPolicy, type Policy } from '../align/policy.ts'
import { sha256Of } from '../folder/hashes.ts'
import { identifyModels, type ModelFolders, type ModelsIdentity } from '../folder/modelIdentity.ts'
import { readAdapter } from '../folder/peft.ts'
import { byDecoderPath, loraSlots } from '../models/shared/lora.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import { Rng } from '../rng.ts'
import type { JobStore } from './jobStore.ts'
import { readLexicon } from './readLexicon.ts'

/** What each job calls itself. */
export const jobVersion = { format: 'fisao-job', version: 1 } as const

/** A file as a job names it. @throws the system's error */
export async function jobFileOf(path: string): Promise<JobFile> {
  return { path, sha256: await sha256Of([path]) }
}

/** Models as a job names them. */
export function jobModelsOf(folders: ModelFolders, { model, companion }: ModelsIdentity): JobModels {
  const named = (folder: string, { weightsSha256, settingsSha256 }: ModelsIdentity['model']) => ({
    ...{ folder, weightsSha256, settingsSha256 },
  })
  return { model: named(folders.model, model), companion: named(folders.companion, companion) }
}

export function foldersOf({ models }: Pick<Job, 'models'>): ModelFolders {
  return { model: models.model.folder, companion: models.companion.folder }
}

/**
 * The models of a job, held to its hashes.
 * @throws StudioError `run.model-changed`, `run.cancelled`, and what opening weights throws
 */
export async function requireModels(
  job: Pick<Job, 'models'>,
  { began }: Pick<JobStore, 'began'>,
  signal?: AbortSignal,
): Promise<ModelsIdentity> {
  const found = await identifyModels(foldersOf(job), began, signal)
  for (const which of ['model', 'companion'] as const) {
    const { folder, weightsSha256, settingsSha256 } = job.models[which]
    if (weightsSha256 !== found[which].weightsSha256) throw modelChanged(folder, 'weights')
    if (settingsSha256 !== found[which].settingsSha256) throw modelChanged(folder, 'configuration or tokenizer')
  }
  return found
}

/** @throws StudioError `run.lexicon`, `run.input-changed` */
export async function requireLexicon(file: JobFile, signal?: AbortSignal): Promise<Lexicon> {
  const lexicon = await readLexicon(file.path)
  await requireFile(file, 'lexicon of object words', signal)
  return lexicon
}

/**
 * That a file is still the one that the job was made with.
 * @param what it is called in an error
 * @throws StudioError `run.input-missing`, `run.input-changed`
 */
export async function requireFile({ path, sha256 }: JobFile, what: string, signal?: AbortSignal): Promise<void> {
  const found = await hashed([path], what, signal)
  if (found !== sha256) throw inputChanged(path, what, sha256, found)
}

const adapterFiles = ['adapter_config.json', 'adapter_model.safetensors'] as const

/** An exported adapter as a job names it. @throws StudioError `run.input-missing` */
export async function jobAdapterOf(folder: string): Promise<JobPolicy> {
  return { from: 'adapter', folder, sha256: await hashAdapter(folder) }
}

/**
 * The policy that a job names.
 * @throws StudioError `run.input-missing`, `run.input-changed`, `run.other-adapter`, and what the store and reading an
 *   adapter throw
 */
export async function openPolicy(
  policy: JobPolicy,
  config: RunConfig,
  source: VlmSource,
  store: Pick<JobStore, 'policyAt'>,
): Promise<Policy> {
  if (policy.from === 'adapter') return await exportedPolicy(policy, config, source)
  // The model as it came: a new adapter changes nothing, whatever its random numbers are.
  if (policy.from === 'model' || policy.step === 0) return newPolicy(source, config, new Rng({ seed: 0 }))
  return store.policyAt(policy, config, source)
}

async function exportedPolicy(
  { folder, sha256 }: Extract<JobPolicy, { from: 'adapter' }>,
  config: RunConfig,
  source: VlmSource,
): Promise<Policy> {
  const found = await hashAdapter(folder)
  if (found !== sha256) throw inputChanged(folder, 'adapter', sha256, found)
  const adapter = byDecoderPath(source.architecture, await readAdapter(folder))
  const misfit = loraSlots(source.config.decoder).find(({ path, inFeatures, outFeatures }) => {
    const factors = adapter.layers.get(path)
    return factors?.inFeatures !== inFeatures || factors.outFeatures !== outFeatures
  })
  if (misfit || adapter.rank !== config.adapter.rank) {
    throw new StudioError({
      code: 'run.other-adapter',
      message: 'The adapter that this job names does not fit its model and config.',
      remedy: 'Name an adapter that was exported from a run of this model with this config.',
      expected: misfit ? `${misfit.outFeatures} x ${misfit.inFeatures}` : `rank ${config.adapter.rank}`,
      found: misfit ? 'no such layer' : `rank ${adapter.rank}`,
      where: misfit ? `${folder}, ${misfit.path}` : folder,
    })
  }
  return { ...newPolicy(source, config, new Rng({ seed: 0 })), adapter }
}

function hashAdapter(folder: string): Promise<string> {
  return hashed(
    adapterFiles.map((name) => join(folder, name)),
    'adapter',
  )
}

async function hashed(paths: readonly string[], what: string, signal?: AbortSignal): Promise<string> {
  try {
    return await sha256Of(paths, signal)
  } catch (cause) {
    if (cause instanceof StudioError) throw cause
    throw new StudioError(
      {
        code: 'run.input-missing',
        message: `The ${what} that this job names cannot be read.`,
        remedy: 'Put it where the job says, or change the job to say where it is.',
        found: (cause as NodeJS.ErrnoException).code ?? 'unknown',
        where: (cause as NodeJS.ErrnoException).path ?? (paths[0] as string),
      },
      { cause },
    )
  }
}

function inputChanged(where: string, what: string, expected: string, found: string): StudioError {
  return new StudioError({
    code: 'run.input-changed',
    message: `The ${what} is no longer the one that this job was made with, so its results would not be those of the job.`,
    remedy: 'Put the old one back, or make a new run with it as it is now.',
    ...{ expected, found, where },
  })
}

function modelChanged(folder: string, what: string): StudioError {
  return new StudioError({
    code: 'run.model-changed',
    message: `The ${what} of a model are not those that this job was made with, so its results would not be those of the job.`,
    remedy: 'Put the old files back; or start a new run with the model as it is now.',
    expected: `the ${what} of the job`,
    found: 'other ones',
    where: folder,
  })
}
