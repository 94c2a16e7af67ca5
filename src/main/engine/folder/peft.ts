// LoRA adapters as folders that Python's peft reads and writes: adapter_config.json and adapter_model.safetensors.
// Before it stands training (or a person's own adapter), after it lora.ts's graph inputs.
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type ErrorCode, StudioError } from '../../../shared/errors.ts'
import { bfloat16Number, float16Number } from '../graph/typedValues.ts'
import { brief } from './configFields.ts'
import { parseJson } from './json.ts'
import { readSafetensors, readTensorBytes, type StoredTensor, writeFailure, writeSafetensors } from './safetensors.ts'
import { insideFolder } from './weights.ts'

/** The two factors of one linear layer: ΔW = scale · B A (Hu et al. 2022, equation 3). */
export interface LoraFactors {
  /** [rank, in], row-major. */
  readonly a: Float32Array
  /** [out, rank], row-major. */
  readonly b: Float32Array
  readonly inFeatures: number
  readonly outFeatures: number
}

export interface LoraAdapter {
  readonly rank: number
  readonly alpha: number
  /** By the path of the layer in the model, e.g. `model.language_model.layers.0.self_attn.q_proj`. */
  readonly layers: ReadonlyMap<string, LoraFactors>
}

/** What multiplies B A. */
export function loraScale({ rank, alpha }: Pick<LoraAdapter, 'rank' | 'alpha'>): number {
  return alpha / rank
}

const configFile = 'adapter_config.json'
const weightsFile = 'adapter_model.safetensors'
const prefix = 'base_model.model.'

const configSchema = z.looseObject({
  peft_type: z.literal('LORA'),
  r: z.number().int().positive(),
  lora_alpha: z.number().positive(),
})

/** Fields that do not change what the adapter computes, whatever they say. Dropout is off outside of training. */
const describing = new Set([
  ...['auto_mapping', 'base_model_name_or_path', 'inference_mode', 'init_lora_weights', 'lora_dropout', 'peft_version'],
  ...['megatron_core', 'qalora_group_size', 'revision', 'target_modules', 'task_type', 'exclude_modules'],
  ...['layers_to_transform', 'layers_pattern', 'peft_type', 'r', 'lora_alpha'],
])

/**
 * Reads an adapter.
 * @throws StudioError `model.bad-adapter` when the config is not LoRA's or the factors do not fit it,
 *   `model.unknown-config-field` naming a field that would change the mathematics, and what `readSafetensors` throws
 */
export async function readAdapter(folder: string): Promise<LoraAdapter> {
  const { r: rank, lora_alpha: alpha } = await readConfig(folder)
  const layers = new Map<string, LoraFactors>()
  const path = await fileOf(folder, weightsFile)
  const tensors = new Map((await readSafetensors(path)).map((tensor) => [tensor.name, tensor]))
  for (const name of tensors.keys()) {
    const match = /^base_model\.model\.(.+)\.lora_(A|B)\.weight$/.exec(name)
    if (!match) throw badAdapter(folder, `It holds ${name}, which is not a factor of a linear layer.`)
    const layer = match[1] as string
    if (layers.has(layer)) continue
    const [a, b] = ['A', 'B'].map((factor) => tensors.get(`${prefix}${layer}.lora_${factor}.weight`))
    if (!a || !b) throw badAdapter(folder, `One of the two factors of ${layer} is missing.`)
    const [rankOfA, inFeatures] = matrix(folder, a)
    const [outFeatures, rankOfB] = matrix(folder, b)
    if (rankOfA !== rank || rankOfB !== rank) {
      throw badAdapter(folder, `The factors of ${layer} have the ranks ${rankOfA} and ${rankOfB}, not ${rank}.`)
    }
    layers.set(layer, { a: await readFloats(a), b: await readFloats(b), inFeatures, outFeatures })
  }
  if (layers.size === 0) throw badAdapter(folder, 'It adapts no layer.')
  return { rank, alpha, layers }
}

async function readConfig(folder: string): Promise<z.infer<typeof configSchema>> {
  const path = join(folder, configFile)
  let raw: unknown
  try {
    raw = parseJson(await readFile(await fileOf(folder, configFile), 'utf8'))
  } catch (cause) {
    if (cause instanceof StudioError) throw cause
    throw badAdapter(folder, `Its ${configFile} cannot be read.`, cause)
  }
  const config = configSchema.safeParse(raw)
  if (!config.success) {
    const [issue] = config.error.issues
    throw badAdapter(
      folder,
      `Its ${configFile} is not that of a LoRA adapter: ${issue?.path.join('.')}: ${issue?.message}.`,
    )
  }
  const changing = Object.entries(config.data).find(([field, value]) => !describing.has(field) && !isNothing(value))
  if (changing) throw unknownField(path, ...changing)
  return config.data
}

/** The real path of one of the adapter's files. */
async function fileOf(folder: string, name: string): Promise<string> {
  return await insideFolder(folder, name).catch((cause: unknown) => {
    throw cause instanceof StudioError ? cause : badAdapter(folder, `Its ${name} cannot be read.`, cause)
  })
}

/** What peft writes for a feature that is not used. */
function isNothing(value: unknown): boolean {
  if (value === null || value === false || value === 'none') return true
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function matrix(folder: string, { name, shape }: StoredTensor): [number, number] {
  if (shape.length !== 2) throw badAdapter(folder, `${name} is not a matrix.`)
  return shape as unknown as [number, number]
}

/** Any floating dtype as float32. */
async function readFloats(tensor: StoredTensor): Promise<Float32Array> {
  const bytes = await readTensorBytes(tensor)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const read: Readonly<Record<string, [size: number, at: (offset: number) => number]>> = {
    float64: [8, (offset) => view.getFloat64(offset, true)],
    float32: [4, (offset) => view.getFloat32(offset, true)],
    float16: [2, (offset) => float16Number(view.getUint16(offset, true))],
    bfloat16: [2, (offset) => bfloat16Number(view.getUint16(offset, true))],
  }
  const reader = read[tensor.dtype]
  if (!reader) throw badAdapter(tensor.slice.file, `${tensor.name} is made of ${tensor.dtype} numbers.`)
  const [size, at] = reader
  return Float32Array.from({ length: bytes.length / size }, (_, i) => at(i * size))
}

/**
 * Writes an adapter that `PeftModel.from_pretrained` loads over the same model.
 * @param baseModel what to name as its base, or null
 * @throws StudioError as `writeSafetensors` does
 */
export async function writeAdapter(
  folder: string,
  { rank, alpha, layers }: LoraAdapter,
  baseModel: string | null,
): Promise<void> {
  await makeFolder(folder).catch((cause: unknown) => Promise.reject(writeFailure(folder, cause)))
  const tensors = [...layers].flatMap(([layer, { a, b, inFeatures, outFeatures }]) => [
    { name: `${prefix}${layer}.lora_A.weight`, dtype: 'F32' as const, shape: [rank, inFeatures], bytes: bytesOf(a) },
    { name: `${prefix}${layer}.lora_B.weight`, dtype: 'F32' as const, shape: [outFeatures, rank], bytes: bytesOf(b) },
  ])
  await writeSafetensors(join(folder, weightsFile), tensors, { format: 'pt' })
  const config = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: baseModel,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    // The layers by their whole paths: the vision tower has layers of the same last names.
    target_modules: [...layers.keys()],
  }
  const path = join(folder, configFile)
  try {
    await writeFile(`${path}.partial`, `${JSON.stringify(config, null, 2)}\n`, { flush: true })
    await rename(`${path}.partial`, path)
  } catch (cause) {
    throw writeFailure(path, cause)
  } finally {
    await rm(`${path}.partial`, { force: true })
  }
}

/** A recursive mkdir says ENOENT where the disk is full, so it is asked only when a parent is missing. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') await mkdir(folder, { recursive: true })
    else if (code !== 'EEXIST') throw cause
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}

function badAdapter(folder: string, what: string, cause?: unknown): StudioError {
  const code: ErrorCode = 'model.bad-adapter'
  const remedy = 'Choose a folder that FiSAO Studio or peft wrote, with both of its files.'
  return new StudioError({ code, message: `This adapter cannot be used. ${what}`, remedy, where: folder }, { cause })
}

function unknownField(path: string, field: string, value: unknown): StudioError {
  return new StudioError({
    code: 'model.unknown-config-field',
    message: `This adapter uses "${field}", which FiSAO Studio does not compute.`,
    remedy: 'Use an adapter of plain LoRA, without variants of it.',
    expected: `${field}: nothing`,
    found: brief(value),
    where: path,
  })
}
