// Which architecture a model folder is of. Before it stands config.json, after it vlm.ts; a further architecture is one
// record more.
import { join } from 'node:path'
import { StudioError, toErrorRecord } from '../../../shared/errors.ts'
import { readJsonObject, unknownField } from '../folder/configFields.ts'
import type { Architecture, VlmConfig } from './architecture.ts'
import { idefics3 } from './idefics3/idefics3.ts'
import { llava } from './llava/llava.ts'

const records: Architecture[] = [llava, idefics3]

/** Makes a further architecture known. @throws Error when one of its names is taken */
export function registerArchitecture(record: Architecture): void {
  for (const name of [...record.architectures, ...record.modelTypes]) {
    const other = records.find((known) => namesOf(known).includes(name))
    if (other) throw new Error(`${name} is ${other.title} already`)
  }
  records.push(record)
}

const namesOf = ({ architectures, modelTypes }: Architecture): readonly string[] => [...architectures, ...modelTypes]

/** Kinds of models that are known and not computed here, by their names in config.json. */
const unsupported: readonly { readonly names: RegExp; readonly why: string }[] = [
  {
    names: /^(LlavaLlamaForCausalLM|LlavaMistralForCausalLM|llava_llama|llava_mistral)$/,
    why: 'This is a LLaVA model in the form of its authors’ own program; FiSAO Studio opens the form of Hugging Face.',
  },
  {
    names: /^(LlavaNext|llava_next|LlavaOnevision|llava_onevision)/,
    why: 'This kind of LLaVA cuts images into tiles of many sizes, which FiSAO Studio does not compute.',
  },
  {
    names: /^(CLIPModel|SiglipModel|clip|siglip)$/,
    why: 'This is an image encoder, which judges words but says none.',
  },
  {
    names: /(ForCausalLM)$|^(llama|mistral|qwen2)$/,
    why: 'This is a language model, which sees no images.',
  },
]

/** A folder's architecture and its config. */
export interface DescribedVlm {
  readonly architecture: Architecture
  readonly config: VlmConfig
}

/**
 * Reads which architecture a folder is of, by the first of `architectures`, else by `model_type`, and its config.
 * @throws StudioError `model.missing-file`, `model.bad-config`, `model.unsupported`, `model.unknown-config-field`
 */
export async function describeVlm(folder: string): Promise<DescribedVlm> {
  const path = join(folder, 'config.json')
  const raw = await readJsonObject(path)
  const architecture = architectureOf(raw, path)
  try {
    return { architecture, config: await architecture.readConfig(folder, raw) }
  } catch (thrown) {
    throw withAlternative(thrown, architecture)
  }
}

function architectureOf(raw: Readonly<Record<string, unknown>>, path: string): Architecture {
  const { architectures, model_type: modelType } = raw
  const [first] = Array.isArray(architectures) ? architectures : []
  const record = records.find((known) => namesOf(known).includes(first ?? modelType))
  if (!record) throw unsupportedModel(first ?? modelType, path)
  if (modelType !== undefined && !record.modelTypes.includes(modelType as string)) {
    throw unknownField(path, 'model_type', modelType, record.modelTypes.join(' or '))
  }
  return record
}

function unsupportedModel(name: unknown, path: string): StudioError {
  const found = typeof name === 'string' ? name.slice(0, 200) : null
  const known = found === null ? undefined : unsupported.find(({ names }) => names.test(found))
  const unknown =
    found === null
      ? 'The config.json of this model does not say what kind of model it is.'
      : `Models of the kind ${found} cannot be opened by FiSAO Studio.`
  return new StudioError({
    code: 'model.unsupported',
    message: known?.why ?? unknown,
    remedy: `Choose ${alternatives()}.`,
    expected: records.flatMap((record) => record.architectures).join(', '),
    found: found ?? 'nothing',
    where: path,
  })
}

function alternatives(): string {
  return records.map(({ supported }) => supported).join(', or ')
}

/** A field that is not computed, with the models that are. */
function withAlternative(thrown: unknown, { supported }: Architecture): unknown {
  if (!(thrown instanceof StudioError) || thrown.code !== 'model.unknown-config-field') return thrown
  return new StudioError(
    { ...toErrorRecord(thrown), remedy: `Choose a model without it: ${supported}.` },
    { cause: thrown },
  )
}
