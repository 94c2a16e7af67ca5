// What a model folder and its companion hold, part by part, for the page of a model. Before it stand Hugging Face folders,
// after it app/modelLibrary.ts.
import { StudioError } from '../../../shared/errors.ts'
import type { ModelDescription } from '../../../shared/modelDetails.ts'

export async function describeModel(folder: string, _companionFolder: string | null): Promise<ModelDescription> {
  throw new StudioError({
    code: 'model.unsupported',
    message: 'Models cannot be described yet.',
    remedy: 'Update the app.',
    where: folder,
  })
}
