// In which numbers the weights of a run's model are computed with: what a person chooses, and what becomes of it.

/** The environment variable that tells the engine process where base files are kept, and their folder in the app's data. */
export const modelCacheVariable = 'FISAO_MODEL_CACHE'
export const modelCacheFolder = 'ModelCache'

/** Formats of base files, which are made once a model. */
export const fileFormats = ['float32', 'int8', 'int4'] as const
export type FileFormat = (typeof fileFormats)[number]

/** What may be chosen for a run. */
export const baseChoices = ['auto', 'stored', ...fileFormats] as const
export type BaseChoice = (typeof baseChoices)[number]

/** Parameters beyond which a checkpoint of half precision is quantised where nothing else was chosen. */
const smallParameters = 1e9

/**
 * The base file that a run works on; null for the checkpoint's own files. `auto` takes a float32 checkpoint as it is, widens a
 * small one of half precision once instead of in each session, which gives the very same numbers, and takes 8 bits for a
 * large one, whose float32 would not fit most machines.
 * @param model parameters and whether all of its weights are float32 in its files
 */
export function fileFormatOf(
  choice: BaseChoice,
  model: { readonly parameters: number; readonly isFloat32: boolean },
): FileFormat | null {
  if (choice === 'stored') return null
  if (choice !== 'auto') return choice
  if (model.isFloat32) return null
  return model.parameters < smallParameters ? 'float32' : 'int8'
}
