// Which model a folder holds, so that a run never goes on with another one than it began with. Weights of 13 GB take half
// a minute to hash, so a file that was not written since is taken to hold what it held. Asked by
// the jobs.
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { StudioError } from '../../../shared/errors.ts'
import { sha256Of, weightFiles } from './hashes.ts'
import { openWeights } from './weights.ts'

const sha256 = z.string().length(64)
const folderIdentitySchema = z.strictObject({
  weightsSha256: sha256,
  /** Over configs, tokenizer, templates and whatever else says how the weights are used. */
  settingsSha256: sha256,
  /** The weight files as they were when they were hashed. No program can set `changedMs` back. */
  files: z.array(
    z.strictObject({ name: z.string(), sizeBytes: z.number(), modifiedMs: z.number(), changedMs: z.number() }),
  ),
})
type FolderIdentity = z.infer<typeof folderIdentitySchema>

/** Where the two models of a run lie. */
export interface ModelFolders {
  readonly model: string
  /** The CLIP or SigLIP model whose image tower the model has. */
  readonly companion: string
}

/** The two models of a run. */
export const modelsIdentitySchema = z.strictObject({ model: folderIdentitySchema, companion: folderIdentitySchema })
export type ModelsIdentity = z.infer<typeof modelsIdentitySchema>

/** Files beside the weights that change what a model says. */
export const isSetting = (name: string) => /\.(json|txt|jinja|model)$/i.test(name)

/**
 * The models in the folders.
 * @param began what the run began with, whose hashes stand for files that were not written since; null for a new run
 * @throws StudioError `run.model-changed` when a folder holds another model than `began`, `run.cancelled`, and what
 *   opening weights throws
 */
export async function identifyModels(
  folders: ModelFolders,
  began: ModelsIdentity | null,
  signal?: AbortSignal,
): Promise<ModelsIdentity> {
  const model = await identify(folders.model, began?.model ?? null, signal)
  const companion = await identify(folders.companion, began?.companion ?? null, signal)
  return { model, companion }
}

async function identify(
  folder: string,
  began: FolderIdentity | null,
  signal: AbortSignal | undefined,
): Promise<FolderIdentity> {
  const paths = weightFiles(await openWeights(folder))
  const files: FolderIdentity['files'] = []
  for (const path of paths) {
    const { size, mtimeMs, ctimeMs } = await stat(path)
    files.push({ name: basename(path), sizeBytes: size, modifiedMs: mtimeMs, changedMs: ctimeMs })
  }
  const isUntouched = began !== null && JSON.stringify(began.files) === JSON.stringify(files)
  const found = {
    weightsSha256: isUntouched ? began.weightsSha256 : await sha256Of(paths, signal),
    settingsSha256: await hashSettings(folder),
    files,
  }
  if (began && found.weightsSha256 !== began.weightsSha256) throw changed(folder, 'weights')
  if (began && found.settingsSha256 !== began.settingsSha256) throw changed(folder, 'configuration or tokenizer')
  return found
}

async function hashSettings(folder: string): Promise<string> {
  const hash = createHash('sha256')
  for (const name of (await readdir(folder)).filter(isSetting).sort()) {
    const path = join(folder, name)
    if (!(await stat(path)).isFile()) continue
    const bytes = await readFile(path)
    hash.update(`${name} ${bytes.length}\n`).update(bytes)
  }
  return hash.digest('hex')
}

/** 32 bytes that stand for an encoder in the cache of embeddings: they depend on its settings as on its weights. */
export function embeddingKeyOf({ companion }: ModelsIdentity): Buffer {
  return createHash('sha256').update(companion.weightsSha256).update(companion.settingsSha256).digest()
}

/**
 * That a model is still the one that was checked when it was added.
 * @throws StudioError `run.model-changed`
 */
export function requireCheckedModel(folder: string, { model }: ModelsIdentity, checkedSha256: string): void {
  if (model.weightsSha256 === checkedSha256) return
  throw new StudioError({
    code: 'run.model-changed',
    message: 'The weights of this model are no longer those that were checked when it was added.',
    remedy: 'Add the model again, so that it is checked anew, or put its old files back; then resume.',
    expected: checkedSha256,
    found: model.weightsSha256,
    where: folder,
  })
}

function changed(folder: string, what: string): StudioError {
  return new StudioError({
    code: 'run.model-changed',
    message: `The ${what} of a model that this run began with have changed on the disk, so its steps would not belong together.`,
    remedy: 'Put the old files back, then resume; or start a new run with the model as it is now.',
    expected: `the ${what} of the run's start`,
    found: 'other ones',
    where: folder,
  })
}
