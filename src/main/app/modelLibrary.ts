// The models of the open workspace: Hugging Face folders that the engine has inspected. The wizard chooses from them.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Result } from '../../shared/contract.ts'
import type { ModelId, ModelRecord } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import type { ModelView } from '../../shared/runView.ts'
import { shownPath, shownText } from '../../shared/shownText.ts'
import type { engineMethods } from '../../shared/workerProtocol.ts'
import { listModels, modelById, removeModel, saveModel } from '../db/models.ts'
import type { WorkerClient } from '../worker/workerClient.ts'
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
    remedy: 'Add a model folder of your own, or make the demo model with "npm run demo:train".',
    where: model,
  })
}

export interface ModelLibraryOptions {
  readonly engine: WorkerClient<typeof engineMethods>
  readonly workspaces: Pick<Workspaces, 'require' | 'requireShown'>
  readonly resources: string
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
    const { engine, workspaces } = this.#options
    const { key } = workspaces.require()
    const report = await engine.request('inspectModel', { folder, companionFolder })
    const { db, key: keyNow } = workspaces.require()
    if (key !== keyNow) throw workspaceChanged()
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
