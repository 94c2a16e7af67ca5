// Which architecture a model folder is of. Before it stands config.json, after it vlm.ts; a further architecture is one
// record more.
import { join } from 'node:path'
import { StudioError, toErrorRecord } from '../../../shared/errors.ts'
import { readJsonObject, unknownField } from '../folder/configFields.ts'
import type { Architecture, VlmConfig } from './architecture.ts'
import { idefics3 } from './idefics3/idefics3.ts'
import { knownModels } from './knownModels.ts'
import { llava } from './llava/llava.ts'
import { llavaNext } from './llava/llavaNext.ts'
import { llavaOnevision } from './llava/llavaOnevision.ts'
import { vipLlava } from './llava/vipLlava.ts'

const records: Architecture[] = [llava, idefics3, llavaNext, llavaOnevision, vipLlava]

/** Makes a further architecture known. @throws Error when one of its names is taken */
export function registerArchitecture(record: Architecture): void {
  for (const name of [...record.architectures, ...record.modelTypes]) {
    const other = records.find((known) => namesOf(known).includes(name))
    if (other) throw new Error(`${name} is ${other.title} already`)
  }
  records.push(record)
}

const namesOf = ({ architectures, modelTypes }: Architecture): readonly string[] => [...architectures, ...modelTypes]

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
  if (!record) throw unsupportedModel([first, modelType], path)
  if (modelType !== undefined && !record.modelTypes.includes(modelType as string)) {
    throw unknownField(path, 'model_type', modelType, record.modelTypes.join(' or '))
  }
  return record
}

/** @param names its first architecture, which tells more, and its model_type */
function unsupportedModel(names: readonly unknown[], path: string): StudioError {
  const found = names.filter((name) => typeof name === 'string').map((name) => name.slice(0, 200))
  const known = found.map((name) => knownModels.find((row) => row.names.test(name))).find((row) => row !== undefined)
  const unknown =
    found.length === 0
      ? 'The config.json of this model does not say what kind of model it is.'
      : `Models of the kind ${found[0]} cannot be opened by FiSAO Studio.`
  return new StudioError({
    code: 'model.unsupported',
    message: known?.why ?? unknown,
    remedy: `Choose ${known?.instead ? `${known.instead}, or ` : ''}${alternatives()}.`,
    expected: records.flatMap((record) => record.architectures).join(', '),
    found: found[0] ?? 'nothing',
    where: path,
  })
}

function alternatives(): string {
  return [...new Set(records.map(({ supported }) => supported))].join(', or ')
}

/** A field that is not computed, with the models that are. */
function withAlternative(thrown: unknown, { supported }: Architecture): unknown {
  if (!(thrown instanceof StudioError) || thrown.code !== 'model.unknown-config-field') return thrown
  return new StudioError(
    { ...toErrorRecord(thrown), remedy: `Choose a model without it: ${supported}.` },
    { cause: thrown },
  )
}
