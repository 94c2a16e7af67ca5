// Opens a model folder and its companion as a run would, and says what they are: sizes, hashes, and whether the image
// tower of the one is that of the other ("own encoder: verified").
import { basename } from 'node:path'
import type { ModelReport } from '../../../shared/modelReport.ts'
import { readJsonObject } from '../folder/configFields.ts'
import { sha256Of, weightFiles } from '../folder/hashes.ts'
import type { Weights } from '../folder/weights.ts'
import { openImageProcessor } from '../image/imageProcessor.ts'
import { openDualEncoder } from '../models/companion/encoder.ts'
import { compareTowers } from '../models/companion/towerComparison.ts'
import { openVlm } from '../models/vlm.ts'
import { openChatTemplate } from '../text/chatTemplate.ts'
import { openTokenizer } from '../text/tokenizer.ts'

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
    imageTokens: vlm.architecture.imageLayout(vlm.config, squareImage(vlm.config.vision)).tokens,
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

function parametersOf(weights: Weights): number {
  return weights.names.reduce((sum, name) => sum + weights.get(name).shape.reduce((a, b) => a * b, 1), 0)
}

/** How many tokens an image takes may depend on its size; a report says it of one that the tower sees as it is. */
function squareImage({ imageSize }: { readonly imageSize: number }) {
  return { width: imageSize, height: imageSize }
}
