// What a folder is that is not a Hugging Face checkpoint, by the names of the files in it, and where the checkpoint may
// lie instead. Asked when config.json or the weights are missing; opens no file.
import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** What a folder is, in a sentence, and what to choose instead. */
export interface FolderKind {
  readonly what: string
  readonly remedy: string
}

const otherForm = 'Choose the folder of the same model in the form of Hugging Face, with config.json and safetensors.'

/** Forms of models that are not opened, by a file that tells. */
const forms: readonly (readonly [file: RegExp, what: string, remedy: string])[] = [
  [
    /^adapter_config\.json$/,
    'This is the folder of an adapter alone.',
    'Choose the folder of the model that it was trained on.',
  ],
  [/\.gguf$/i, 'This is a model in the form of llama.cpp (GGUF).', otherForm],
  [/^model_index\.json$/, 'This is a pipeline that makes images.', 'Choose the folder of a vision-language model.'],
  [
    /^(params\.json|consolidated.*\.(safetensors|pth))$/,
    'This is a model in the form of its authors’ own program.',
    otherForm,
  ],
  [
    /^open_clip_(config\.json|pytorch_model\.bin|model\.safetensors)$/,
    'This is an encoder in the form of OpenCLIP.',
    otherForm,
  ],
  [/\.onnx(_data)?$/i, 'This is a model in the form of ONNX.', otherForm],
  [/\.(h5|msgpack|tflite|mlpackage|engine|ot)$/i, 'This is a model in the form of another program.', otherForm],
  [
    /\.(zip|tar|tgz|gz|7z|rar)$/i,
    'This is a folder with a packed file.',
    'Unpack the file, and choose the folder with config.json in it.',
  ],
]

/** Names under which programs keep what they have not downloaded to its end. */
const unfinished = /\.(incomplete|part|partial|crdownload|aria2|download|tmp|opdownload)$/i

/**
 * @param folder where config.json or the weights are missing
 * @returns null when its files do not tell
 */
export function folderKind(folder: string): FolderKind | null {
  const names = namesIn(folder)
  if (names === null) {
    return {
      what: 'This folder is not there or cannot be read.',
      remedy: 'Check that its disk is there, or choose where the model is now.',
    }
  }
  const partly = unfinishedIn(folder)
  if (partly !== null)
    return {
      what: `Its download did not finish (${partly}).`,
      remedy: 'Finish the download, then choose the folder again.',
    }
  const inner = checkpointBelow(folder, names)
  if (inner !== null) return { what: 'The model lies deeper.', remedy: `Choose its folder ${inner}.` }
  for (const [file, what, remedy] of forms) if (names.some((name) => file.test(name))) return { what, remedy }
  return null
}

/** A file in the folder, or in the place where huggingface_hub downloads to, whose download did not finish. */
export function unfinishedIn(folder: string): string | null {
  const cache = join(folder, '.cache', 'huggingface', 'download')
  const blobs = basename(dirname(folder)) === 'snapshots' ? join(dirname(dirname(folder)), 'blobs') : null
  for (const place of [folder, cache, ...(blobs === null ? [] : [blobs])]) {
    const found = namesIn(place)?.find((name) => unfinished.test(name))
    if (found !== undefined) return found.slice(0, 100)
  }
  return null
}

/** Folders of a folder that are looked into. */
const mostFolders = 50

/** A folder with a checkpoint: one below this one, or a revision in the cache that Hugging Face's tools keep. */
function checkpointBelow(folder: string, names: readonly string[]): string | null {
  const below = names.includes('snapshots') ? [folder, join(folder, 'snapshots')] : [folder]
  for (const place of below) {
    for (const name of (namesIn(place) ?? []).slice(0, mostFolders)) {
      const inner = join(place, name)
      if (isFile(join(inner, 'config.json')) && hasWeights(inner)) return inner.slice(folder.length + 1)
    }
  }
  return null
}

function hasWeights(folder: string): boolean {
  return namesIn(folder)?.some((name) => name.endsWith('.safetensors')) ?? false
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** The names in a folder in their order; null when there is no such folder or it cannot be read. */
function namesIn(folder: string): string[] | null {
  try {
    return readdirSync(folder).sort()
  } catch {
    return null
  }
}
