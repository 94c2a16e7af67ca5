// All weights of a Hugging Face folder: one `model.safetensors`, or shards named by an index. Never looks outside
// of the folder. Before it stands safetensors.ts, after it the graphs that point at the tensors.
import { existsSync, readdirSync } from 'node:fs'
import { readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { z } from 'zod'
import { StudioError } from '../../../shared/errors.ts'
import { folderKind, unfinishedIn } from './folderKind.ts'
import { parseJson } from './json.ts'
import { readSafetensors, readTensorBytes, type StoredTensor, weightsError } from './safetensors.ts'
import { standIn, standInBytes } from './standIn.ts'

const singleFile = 'model.safetensors'
export const indexFile = 'model.safetensors.index.json'
const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) })

/** The tensors of a model, by name. */
export class Weights {
  readonly folder: string
  /** The tensors of each file in the order of their bytes, by the name that the file has in the folder. */
  readonly files: ReadonlyMap<string, readonly StoredTensor[]>
  readonly #tensors: ReadonlyMap<string, StoredTensor>

  constructor(folder: string, files: ReadonlyMap<string, readonly StoredTensor[]>) {
    this.folder = folder
    this.files = files
    this.#tensors = new Map([...files.values()].flat().map((tensor) => [tensor.name, tensor]))
  }

  get names(): string[] {
    return [...this.#tensors.keys()]
  }

  has(name: string): boolean {
    return this.#tensors.has(name)
  }

  /** @throws StudioError `weights.missing-tensor` */
  get(name: string): StoredTensor {
    const tensor = this.#tensors.get(name)
    if (tensor) return tensor
    throw weightsError('missing-tensor', this.folder, `The tensor ${name} is not in it.`)
  }

  /** The bytes of a tensor, row-major and little-endian. */
  async bytes(name: string): Promise<Buffer> {
    return await readTensorBytes(this.get(name))
  }
}

/**
 * Opens the weights of a model folder. Reads headers only.
 * @throws StudioError `weights.none`, `weights.pickle`, `weights.missing-shard`, `weights.bad-index`,
 *   `weights.outside`, and what `readSafetensors` throws
 */
export async function openWeights(folder: string): Promise<Weights> {
  if (existsSync(join(folder, singleFile))) {
    const tensors = await readSafetensors(await insideFolder(folder, singleFile))
    return new Weights(folder, new Map([[singleFile, tensors]]))
  }
  if (existsSync(join(folder, indexFile))) return await openShards(folder)
  throw nothingToOpen(folder)
}

async function openShards(folder: string): Promise<Weights> {
  const { weight_map: shardOf } = await readIndex(await insideFolder(folder, indexFile))
  const shards = [...new Set(Object.values(shardOf))]
  const missing = shards.filter((shard) => !isPlainName(shard) || !existsSync(join(folder, shard)))
  if (missing.length > 0) {
    const named = missing.slice(0, 5).map((name) => name.slice(0, 100))
    const partly = unfinishedIn(folder)
    throw weightsError(
      'missing-shard',
      folder,
      `Of its ${shards.length} parts these are missing: ${named.join(', ')}.${partly === null ? '' : ` Its download did not finish (${partly}).`}`,
      {},
      undefined,
      'Download the missing parts into the same folder.',
    )
  }
  const files = new Map<string, StoredTensor[]>()
  for (const shard of shards) files.set(shard, await readSafetensors(await insideFolder(folder, shard)))
  const tensors = [...files.values()].flat()
  const found = new Map(tensors.map(({ name, slice }) => [name, basename(slice.file)]))
  const lost = Object.keys(shardOf).find((name) => !found.has(name))
  if (lost !== undefined)
    throw weightsError('missing-tensor', folder, `The index names the tensor ${lost}, which no part holds.`)
  if (found.size !== tensors.length)
    throw weightsError('bad-index', folder, 'Two of its parts hold a tensor of the same name.')
  return new Weights(folder, files)
}

async function readIndex(path: string): Promise<z.infer<typeof indexSchema>> {
  const text = await readFile(path, 'utf8')
  const other = standIn(text.slice(0, standInBytes))
  if (other) throw weightsError('stand-in', path, other.what, {}, undefined, other.remedy)
  try {
    return indexSchema.parse(parseJson(text))
  } catch (cause) {
    throw weightsError('bad-index', path, 'The list of its parts cannot be read.', {}, cause)
  }
}

function isPlainName(name: string): boolean {
  return name.endsWith('.safetensors') && name === basename(name) && !name.includes('\\') && !name.startsWith('.')
}

/**
 * The real path of a file of the folder. A link may lead within the folder or, as in the cache that Hugging Face's
 * tools keep, from `models--x/snapshots/<revision>` to `models--x/blobs`; any other is refused.
 * @throws StudioError `weights.outside`, `weights.unreadable` when it is no file; an error of `node:fs` when it is missing
 */
export async function insideFolder(folder: string, name: string): Promise<string> {
  const home = await realpath(folder)
  const file = await realpath(join(folder, name))
  const roots = [home]
  const repository = dirname(dirname(home))
  if (basename(dirname(home)) === 'snapshots' && basename(repository).startsWith('models--'))
    roots.push(join(repository, 'blobs'))
  if (!roots.some((root) => file.startsWith(root + sep))) {
    throw weightsError('outside', join(folder, name), 'It is a link that leads out of the model folder.', {
      found: file,
    })
  }
  // Opening a pipe or a device could wait for ever.
  if (!(await stat(file)).isFile()) throw weightsError('unreadable', join(folder, name), 'It is not a file.')
  return file
}

function nothingToOpen(folder: string): StudioError {
  const names = existsSync(folder) ? readdirSync(folder) : []
  const pickle = names.find((name) => /\.(bin|pt|pth|ckpt|pkl|pickle)$/.test(name))
  if (pickle !== undefined) {
    return new StudioError({
      code: 'weights.pickle',
      message: `The model's weights are stored in a form that can run programs (${pickle}), so they are not opened.`,
      remedy: 'Get the model in the safetensors form; most models offer both.',
      where: folder,
    })
  }
  const part = names.find((name) => /-of-\d+\.safetensors$/.test(name))
  if (part !== undefined) {
    return weightsError(
      'no-index',
      folder,
      `It is one of several, and the list of them, ${indexFile}, is missing.`,
      { found: part.slice(0, 100) },
      undefined,
      `Download ${indexFile} and all the parts into the same folder.`,
    )
  }
  const kind = folderKind(folder)
  return new StudioError({
    code: 'weights.none',
    message: `${kind ? `${kind.what} ` : ''}There are no weights in this folder.`,
    remedy: kind?.remedy ?? `Choose the folder that holds ${singleFile} or ${indexFile}.`,
    where: folder,
  })
}
