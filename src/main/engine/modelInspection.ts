// Opens a model folder and its companion as a run would, and says what they are: sizes, hashes, and whether the image
// tower of the one is that of the other ("own encoder: verified").
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import type { ModelReport } from '../../shared/modelReport.ts'
import { throwIfCancelled } from './graph/ortSession.ts'
import { openChatTemplate } from './models/chatTemplate.ts'
import { readJsonObject } from './models/configFields.ts'
import { openDualEncoder } from './models/encoder.ts'
import { openImageProcessor } from './models/imageProcessor.ts'
import { openTokenizer } from './models/tokenizer.ts'
import { compareTowers } from './models/towerComparison.ts'
import { openVlm } from './models/vlm.ts'
import type { Weights } from './models/weights.ts'

/** @throws StudioError of whatever cannot be used, naming file and field; `run.cancelled` */
export async function inspectModel(
  folder: string,
  companionFolder: string | null,
  signal?: AbortSignal,
): Promise<ModelReport> {
  const vlm = await openVlm(folder)
  await openChatTemplate(folder, await openTokenizer(folder))
  await openImageProcessor(folder)
  return {
    name: basename(folder),
    config: (await readJsonObject(`${folder}/config.json`)) as ModelReport['config'],
    weightsSha256: await sha256Of(weightFiles(vlm.weights)),
    parameters: parametersOf(vlm.weights),
    imageTokens: vlm.config.imageTokens,
    encoder: companionFolder === null ? null : await inspectCompanion(vlm, companionFolder, signal),
  }
}

async function inspectCompanion(
  vlm: Awaited<ReturnType<typeof openVlm>>,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<NonNullable<ModelReport['encoder']>> {
  const companion = await openDualEncoder(folder)
  await openTokenizer(folder)
  await openImageProcessor(folder)
  const comparison = await compareTowers(vlm, companion, signal)
  const { outcome } = comparison
  return {
    weightsSha256: await sha256Of(weightFiles(companion.weights)),
    outcome,
    difference:
      outcome === 'different'
        ? `${comparison.difference.where}: ${comparison.difference.expected} here, ${comparison.difference.found} there`
        : null,
  }
}

/** The files of a model's weights, in the order of their names. */
export function weightFiles(weights: Weights): string[] {
  return [...new Set(weights.names.map((name) => weights.get(name).slice.file))].sort()
}

/** SHA-256 over files one after the other, in hexadecimal digits. @throws StudioError `run.cancelled` */
export async function sha256Of(files: readonly string[], signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) {
    for await (const chunk of createReadStream(file)) {
      throwIfCancelled(signal)
      hash.update(chunk as Buffer)
    }
  }
  return hash.digest('hex')
}

function parametersOf(weights: Weights): number {
  return weights.names.reduce((sum, name) => sum + weights.get(name).shape.reduce((a, b) => a * b, 1), 0)
}
