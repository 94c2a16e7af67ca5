// Opens a model folder and its companion as a run would, and says what they are: sizes, hashes, and whether the image
// tower of the one is that of the other ("own encoder: verified").
import { basename } from 'node:path'
import { StudioError } from '../../../shared/errors.ts'
import type { ModelReport } from '../../../shared/modelReport.ts'
import { readJsonObject } from '../folder/configFields.ts'
import { sha256Of, weightFiles } from '../folder/hashes.ts'
import type { Weights } from '../folder/weights.ts'
import { openImageProcessor } from '../image/imageProcessor.ts'
import { requireAgreement, requireEncoderAgreement } from '../models/agreement.ts'
import { usualImage } from '../models/architecture.ts'
import { readDualEncoderConfig } from '../models/companion/config.ts'
import { type DualEncoderSource, openDualEncoder } from '../models/companion/encoder.ts'
import { compareTowers, type TowerDifference } from '../models/companion/towerComparison.ts'
import { describeVlm } from '../models/registry.ts'
import { openVlm } from '../models/vlm.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'
import { openChatTemplate } from '../text/chatTemplate.ts'
import { openTokenizer } from '../text/tokenizer.ts'

/**
 * @throws StudioError of whatever cannot be used, naming file and field; `model.swapped` when it works the other way
 *   round; `run.cancelled`
 */
export async function inspectModel(
  folder: string,
  companionFolder: string | null,
  signal?: AbortSignal,
): Promise<ModelReport> {
  const vlm = await openModel(folder, companionFolder)
  const tokenizer = await openTokenizer(folder)
  const template = await openChatTemplate(folder, tokenizer)
  requireAgreement(vlm, { tokenizer, template, processor: await openImageProcessor(folder) })
  return {
    name: basename(folder),
    config: (await readJsonObject(`${folder}/config.json`)) as ModelReport['config'],
    weightsSha256: await sha256Of(weightFiles(vlm.weights)),
    parameters: parametersOf(vlm.weights),
    imageTokens: vlm.architecture.imageLayout(vlm.config, usualImage(vlm.config)).tokens,
    encoder: companionFolder === null ? null : await inspectCompanion(vlm, companionFolder, signal),
  }
}

/** The model, or in words which folder is what. @throws StudioError `model.swapped`, `model.is-encoder`, and what `openVlm` throws */
async function openModel(folder: string, companionFolder: string | null): Promise<VlmSource> {
  try {
    return await openVlm(folder)
  } catch (thrown) {
    if (!(await isEncoder(folder))) throw thrown
    if (companionFolder !== null && (await isModel(companionFolder))) throw swapped(folder, companionFolder, thrown)
    throw new StudioError(
      {
        code: 'model.is-encoder',
        message: 'This is the folder of an encoder, which judges words but says none.',
        remedy: 'Choose the folder of the model here, and this one as its encoder.',
        where: folder,
      },
      { cause: thrown },
    )
  }
}

/** The encoder, or that the folder is one of a model. @throws StudioError `model.not-encoder`, and what `openDualEncoder` throws */
async function openEncoder(folder: string, { architecture, config }: VlmSource): Promise<DualEncoderSource> {
  try {
    return await openDualEncoder(folder)
  } catch (thrown) {
    if (!(await isModel(folder))) throw thrown
    throw new StudioError(
      {
        code: 'model.not-encoder',
        message: 'This is the folder of a model, which has no text tower to judge words with.',
        remedy: `Choose ${architecture.nearestEncoder?.(config) ?? 'the CLIP or SigLIP model that its image tower was taken from'}.`,
        where: folder,
      },
      { cause: thrown },
    )
  }
}

async function isEncoder(folder: string): Promise<boolean> {
  return await readDualEncoderConfig(folder).then(
    () => true,
    () => false,
  )
}

async function isModel(folder: string): Promise<boolean> {
  return await describeVlm(folder).then(
    () => true,
    () => false,
  )
}

function swapped(folder: string, companionFolder: string, cause: unknown): StudioError {
  return new StudioError(
    {
      code: 'model.swapped',
      message: 'The two folders are swapped: the one chosen as the model is the encoder, and the other way round.',
      remedy: 'Swap the two.',
      expected: companionFolder,
      found: folder,
      where: folder,
    },
    { cause },
  )
}

async function inspectCompanion(
  vlm: Awaited<ReturnType<typeof openVlm>>,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<NonNullable<ModelReport['encoder']>> {
  const companion = await openEncoder(folder, vlm)
  const tokenizer = await openTokenizer(folder)
  requireEncoderAgreement(companion, { tokenizer, processor: await openImageProcessor(folder) })
  const comparison = await compareTowers(vlm, companion, signal)
  const { outcome } = comparison
  return {
    weightsSha256: await sha256Of(weightFiles(companion.weights)),
    outcome,
    difference: outcome === 'different' ? differenceOf(vlm, comparison.difference) : null,
  }
}

/** Where the two towers part, and which encoder to take where none has the model's own. */
function differenceOf(vlm: VlmSource, { where, expected, found }: TowerDifference): string {
  const parted = `${where}: ${expected} here, ${found} there`
  const nearest = vlm.architecture.nearestEncoder?.(vlm.config)
  if (nearest === undefined) return parted
  return `${parted}. The image tower of this model was trained on after it was taken over, so no encoder has quite the same; the nearest is ${nearest}.`
}

function parametersOf(weights: Weights): number {
  return weights.names.reduce((sum, name) => sum + weights.get(name).shape.reduce((a, b) => a * b, 1), 0)
}
