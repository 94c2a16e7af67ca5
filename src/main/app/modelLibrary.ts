// The models of the open workspace: Hugging Face folders that the engine has inspected. The wizard chooses from them.
import { existsSync } from 'node:fs'
import { totalmem } from 'node:os'
import { basename, join } from 'node:path'
import type { Result } from '../../shared/contract.ts'
import type { ModelId, ModelRecord } from '../../shared/domain.ts'
import { type ErrorRecord, StudioError, toErrorRecord } from '../../shared/errors.ts'
import type { ModelDescription } from '../../shared/modelDetails.ts'
import type { ModelReport } from '../../shared/modelReport.ts'
import type { ModelView } from '../../shared/runView.ts'
import { shownPath, shownText } from '../../shared/shownText.ts'
import type { engineMethods } from '../../shared/workerProtocol.ts'
import type { ReadableDb, WritableDb } from '../db/connection.ts'
import { listModels, modelById, moveModel, removeModel, saveModel } from '../db/models.ts'
import { runsOfModel } from '../db/runs.ts'
import type { WorkerClient } from '../worker/workerClient.ts'
import type { Activities } from './activities.ts'
import type { Workspaces } from './workspaces.ts'

export interface ModelFolders {
  readonly model: string
  readonly companion: string
}

/**
 * The folders of the model that comes with the app.
 * @param resources the folder with `demo-model`
 * @throws StudioError `model.no-demo`
 */
export function demoModelFolders(resources: string): ModelFolders {
  const model = join(resources, 'demo-model')
  const companion = join(model, 'encoder')
  if ([model, companion].every((folder) => existsSync(join(folder, 'model.safetensors')))) return { model, companion }
  throw new StudioError({
    code: 'model.no-demo',
    message: 'The demo model is not part of this build.',
    remedy: 'Add a model folder of your own, or install the app anew: the demo model comes with it.',
    where: model,
  })
}

export interface ModelLibraryOptions {
  readonly engine: WorkerClient<typeof engineMethods>
  readonly workspaces: Pick<Workspaces, 'require' | 'requireShown'>
  readonly resources: string
  readonly activities: Pick<Activities, 'during'>
}

export class ModelLibrary {
  readonly #options: ModelLibraryOptions

  constructor(options: ModelLibraryOptions) {
    this.#options = options
  }

  list(): ModelView[] {
    return listModels(this.#options.workspaces.requireShown().db).map(viewOf)
  }

  /**
   * Inspects a model and its companion as a run would open them, and stores it; one that is known gets the new findings.
   * @throws StudioError of whatever cannot be used, naming file and field
   */
  async add(folder: string, companionFolder: string | null): Promise<Result<'models.add'>> {
    const { report, db } = await this.#inspect(folder, companionFolder)
    const modelId = saveModel(
      db,
      {
        ...{ folder, companionFolder, name: report.name, config: report.config },
        weightsSha256: Buffer.from(report.weightsSha256, 'hex'),
        encoderVerified: report.encoder && report.encoder.outcome !== 'different',
      },
      Date.now(),
    )
    const model = viewOf(modelById(db, modelId) as ModelRecord)
    return { model, difference: report.encoder?.difference ?? null }
  }

  /** The folders as they are, and the workspace, which must still be the one that was asked in. */
  async #inspect(folder: string, companionFolder: string | null): Promise<{ report: ModelReport; db: WritableDb }> {
    const { engine, workspaces, activities } = this.#options
    const { key } = workspaces.require()
    const abort = new AbortController()
    const work = { kind: 'model' as const, title: `Check of ${basename(folder)}`, cancel: () => abort.abort() }
    const report = await activities.during(work, () =>
      engine.request('inspectModel', { folder, companionFolder }, { signal: abort.signal }),
    )
    const { db, key: keyNow } = workspaces.require()
    if (key !== keyNow) throw workspaceChanged()
    return { report, db }
  }

  /** A model with what its folders hold now and the runs that were made with it. @throws StudioError `model.missing` */
  async details(modelId: ModelId): Promise<Result<'models.details'>> {
    const { db } = this.#options.workspaces.requireShown()
    const record = requireModel(db, modelId)
    const { description, problem } = await this.#describe(record)
    const runs = runsOfModel(db, modelId).map((run) => ({ ...run, name: shownText(run.name) }))
    const { weightsSha256 } = record
    return { model: viewOf(record), weightsSha256, description, problem, machineBytes: totalmem(), runs }
  }

  async #describe({ folder, companionFolder }: ModelRecord): Promise<{
    description: ModelDescription | null
    problem: ErrorRecord | null
  }> {
    try {
      const description = await this.#options.engine.request('describeModel', { folder, companionFolder })
      return { description, problem: null }
    } catch (thrown) {
      // What is wrong with the folder is what the page is asked for; that the engine is gone is not.
      const record = toErrorRecord(thrown)
      if (record.code.startsWith('engine.')) throw thrown
      return { description: null, problem: record }
    }
  }

  /**
   * Says where the folders of a model are now.
   * @param companionFolder null keeps the encoder's place
   * @throws StudioError `model.missing`, `model.other-weights`, `model.other-encoder`, `model.known-folder`, and of
   *   whatever cannot be used
   */
  async relink(modelId: ModelId, folder: string, companionFolder: string | null): Promise<ModelView> {
    const known = requireModel(this.#options.workspaces.require().db, modelId)
    const companion = companionFolder ?? known.companionFolder
    const { report, db } = await this.#inspect(folder, companion)
    const { weightsSha256 } = report
    if (weightsSha256 !== known.weightsSha256) throw otherWeights(folder, known.weightsSha256, weightsSha256)
    const isVerified = report.encoder === null ? null : report.encoder.outcome !== 'different'
    if (known.encoderVerified === true && isVerified !== true) throw otherEncoder(companion, report)
    const other = listModels(db).find((one) => one.folder === folder && one.modelId !== modelId)
    if (other) throw knownFolder(folder, other.name)
    moveModel(db, modelId, { folder, companionFolder: companion, name: report.name, encoderVerified: isVerified })
    return viewOf(requireModel(db, modelId))
  }

  /** Adds the model that comes with the app. @throws StudioError `model.no-demo` */
  async addDemo(): Promise<ModelView> {
    const { model, companion } = demoModelFolders(this.#options.resources)
    return (await this.add(model, companion)).model
  }

  /** Takes a model out of the workspace; its folder is not touched. @throws StudioError `model.in-use` */
  remove(modelId: ModelId): void {
    removeModel(this.#options.workspaces.require().db, modelId)
  }
}

function requireModel(db: ReadableDb, modelId: ModelId): ModelRecord {
  const model = modelById(db, modelId)
  if (model) return model
  throw new StudioError({
    code: 'model.missing',
    message: 'This model is not in the workspace; it was removed.',
    remedy: 'Choose another model, or add it again.',
    where: `model ${modelId}`,
  })
}

function otherWeights(folder: string, expected: string, found: string): StudioError {
  return new StudioError({
    code: 'model.other-weights',
    message: 'The model in this folder is another one: its weights are not those that were checked.',
    remedy: 'Choose the folder that the model was moved to; or add this one as a new model.',
    ...{ expected, found, where: folder },
  })
}

function otherEncoder(folder: string | null, { encoder }: ModelReport): StudioError {
  return new StudioError({
    code: 'model.other-encoder',
    message: 'The encoder in this folder is another one: its image tower is not the model’s own.',
    remedy: 'Choose the folder that the encoder was moved to; or add the model anew with this one.',
    expected: 'the same image tower',
    found: encoder?.difference ?? 'no encoder',
    where: folder ?? '',
  })
}

function knownFolder(folder: string, name: string): StudioError {
  return new StudioError({
    code: 'model.known-folder',
    message: `This folder is in the workspace already, as the model ${shownText(name)}.`,
    remedy: 'Use that model; this one can be removed once no run needs it.',
    where: folder,
  })
}

function viewOf({ modelId, folder, name, companionFolder, encoderVerified, addedAtMs }: ModelRecord): ModelView {
  return {
    ...{ modelId, encoderVerified, addedAtMs, name: shownText(name), folder: shownPath(folder) },
    companionFolder: companionFolder && shownPath(companionFolder),
  }
}

function workspaceChanged(): StudioError {
  return new StudioError({
    code: 'workspace.changed',
    message: 'Another workspace was opened while the model was being checked, so it was not added.',
    remedy: 'Add the model again in the workspace that needs it.',
  })
}
