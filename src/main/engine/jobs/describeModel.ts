// What a model folder and its companion hold, part by part, for the page of a model. Reads headers, configs and small files
// only. Before it stand Hugging Face folders, after it app/modelLibrary.ts.
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModelDescription, ModelFile, ModelFolder, ModelPart } from '../../../shared/modelDetails.ts'
import { isSetting } from '../folder/modelIdentity.ts'
import type { Weights } from '../folder/weights.ts'
import { openImageProcessor } from '../image/imageProcessor.ts'
import { usualImage } from '../models/architecture.ts'
import { dualEncoderNames } from '../models/companion/config.ts'
import type { DualEncoderSource } from '../models/companion/encoder.ts'
import { openDualEncoder } from '../models/companion/encoder.ts'
import { openVlm } from '../models/vlm.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'
import { openTokenizer } from '../text/tokenizer.ts'
import { openPlanner } from './jobWorkers.ts'
import { memoryNeeds, plannedConfig } from './modelNeeds.ts'

/** Files of a folder that a page lists. */
const mostFiles = 200
const longestLicence = 20_000
/** Where a card says its licence: in the lines between `---` at its beginning. */
const cardHead = /^---\r?\n([\s\S]*?)\r?\n---/

/** @throws StudioError of whatever cannot be used, naming file and field */
export async function describeModel(folder: string, companionFolder: string | null): Promise<ModelDescription> {
  const vlm = await openVlm(folder)
  await openTokenizer(folder)
  await openImageProcessor(folder)
  const companion = companionFolder === null ? null : await openDualEncoder(companionFolder)
  const model = await vlmFolder(folder, vlm)
  const encoder = companion && companionFolder !== null ? await encoderFolder(companionFolder, companion) : null
  const folders = { model: folder, companion: companionFolder }
  const planner = await openPlanner(folders, plannedConfig, plannedConfig.calibration.responses)
  return { model, encoder, needs: memoryNeeds(planner, model) }
}

async function vlmFolder(folder: string, { architecture, config, weights }: VlmSource): Promise<ModelFolder> {
  const { vision, decoder } = config
  const { imageSize, patchSize } = vision
  const layout = architecture.imageLayout(config, usualImage(config))
  const kinds = {
    ...{ llama: 'LLaMA', mistral: 'Mistral', qwen2: 'Qwen2', qwen3: 'Qwen3' },
    ...{ phi3: 'Phi3', gemma2: 'Gemma 2' },
  } as const
  const titles = {
    tower: { title: `${encoderTitles[vision.kind]} image tower`, ...layersOf(vision) },
    projector: { title: 'Projector', layers: null, width: decoder.hiddenSize, heads: null },
    decoder: { title: `${kinds[decoder.kind]} decoder`, ...layersOf(decoder) },
    head: { title: 'Head', layers: null, width: decoder.vocabSize, heads: null },
  } as const
  return {
    ...{ folder, architecture: architecture.title, ...(await filesOf(folder)) },
    ...partsOf(weights, namesOf(architecture), titles),
    ...{ imageSize, patchSize, imageTokens: layout.tokens },
    ...{ contextTokens: decoder.maxPositions, vocabulary: decoder.vocabSize, licence: await licenceOf(folder) },
  }
}

/** A learned row of the prompt beside an image's is counted to what makes these. */
function namesOf({ names, arrangement }: VlmSource['architecture']) {
  return { ...names, projector: [...names.projector, ...(arrangement?.lineEnd ?? [])] }
}

const encoderTitles = { clip: 'CLIP', siglip: 'SigLIP' } as const

async function encoderFolder(folder: string, { config, weights }: DualEncoderSource): Promise<ModelFolder> {
  const { vision, text, kind, projectionSize } = config
  const names = {
    ...{ tower: dualEncoderNames.tower, text: dualEncoderNames.text },
    projections: [...dualEncoderNames.imageProjection, ...dualEncoderNames.textProjection],
  }
  const titles = {
    tower: { title: `${encoderTitles[kind]} image tower`, ...layersOf(vision) },
    text: { title: `${encoderTitles[kind]} text tower`, ...layersOf(text) },
    projections: { title: 'Projections into one space', layers: null, width: projectionSize, heads: null },
  } as const
  return {
    ...{ folder, architecture: encoderTitles[kind], ...(await filesOf(folder)) },
    ...partsOf(weights, names, titles),
    ...{ imageSize: vision.imageSize, patchSize: vision.patchSize, imageTokens: null },
    ...{ contextTokens: text.maxPositions, vocabulary: text.vocabSize, licence: await licenceOf(folder) },
  }
}

function layersOf({ layers, hiddenSize, heads }: { layers: number; hiddenSize: number; heads: number }) {
  return { layers, width: hiddenSize, heads }
}

type Named = Pick<ModelPart, 'title' | 'layers' | 'width' | 'heads'>

/** The tensors of a checkpoint by the part that their names begin with; what belongs to none is a part of its own. */
function partsOf(
  weights: Weights,
  names: Readonly<Partial<Record<ModelPart['part'], readonly string[]>>>,
  titles: Readonly<Partial<Record<ModelPart['part'], Named>>>,
): Pick<ModelFolder, 'parts' | 'parameters' | 'weightBytes'> {
  const byPart = new Map<ModelPart['part'], Map<string, { parameters: number; bytes: number }>>()
  const prefixes = Object.entries(names) as [ModelPart['part'], readonly string[]][]
  for (const name of weights.names) {
    const { shape, dtype, slice } = weights.get(name)
    const [part] = prefixes.find(([, known]) => known.some((prefix) => name.startsWith(prefix))) ?? ['other' as const]
    const stored = byPart.get(part) ?? new Map<string, { parameters: number; bytes: number }>()
    const sum = stored.get(dtype) ?? { parameters: 0, bytes: 0 }
    const parameters = shape.reduce((product, dim) => product * dim, 1)
    stored.set(dtype, { parameters: sum.parameters + parameters, bytes: sum.bytes + slice.sizeBytes })
    byPart.set(part, stored)
  }
  const order = [...Object.keys(titles), 'other'] as ModelPart['part'][]
  const parts = order.flatMap((part): ModelPart[] => {
    const stored = [...(byPart.get(part) ?? [])].map(([dtype, sum]) => ({ dtype, ...sum }))
    const parameters = stored.reduce((sum, one) => sum + one.parameters, 0)
    const named = titles[part] ?? { title: 'Other tensors', layers: null, width: null, heads: null }
    if (parameters === 0 && part !== 'head') return []
    // A head that reads the embedding table has no tensors of its own.
    if (parameters === 0) return [{ ...named, part, parameters, stored, title: `${named.title}, the embeddings’ own` }]
    return [{ ...named, part, parameters, stored: stored.sort((a, b) => b.parameters - a.parameters) }]
  })
  return {
    parts,
    parameters: parts.reduce((sum, { parameters }) => sum + parameters, 0),
    weightBytes: parts.flatMap(({ stored }) => stored).reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

async function filesOf(folder: string): Promise<Pick<ModelFolder, 'files' | 'fileCount'>> {
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name)
  const listed = names.sort().slice(0, mostFiles)
  const files = await Promise.all(
    listed.map(async (name): Promise<ModelFile[]> => {
      // A link that leads nowhere is not a file of the model.
      const found = await stat(join(folder, name)).catch(() => null)
      if (!found?.isFile()) return []
      const kind = name.endsWith('.safetensors') ? 'weights' : isSetting(name) ? 'settings' : 'other'
      return [{ name, kind, sizeBytes: found.size, modifiedAtMs: found.mtimeMs }]
    }),
  )
  return { files: files.flat(), fileCount: names.length }
}

/** What a folder says of its licence: in the head of its card, and in a file of its own. */
async function licenceOf(folder: string): Promise<ModelFolder['licence']> {
  const names = await readdir(folder)
  const card = names.find((name) => /^readme\.md$/i.test(name))
  const head = card === undefined ? null : cardHead.exec((await beginningOf(join(folder, card)))?.text ?? '')?.[1]
  const name = head?.match(/^license(?:_name)?:[ \t]*["']?([^"'\r\n]+?)["']?[ \t]*$/m)?.[1]?.slice(0, 100) ?? null
  const file = names.sort().find((one) => /^(licen[cs]e|copying)(\.(txt|md))?$/i.test(one)) ?? null
  const read = file === null ? null : await beginningOf(join(folder, file))
  if (name === null && read === null) return null
  return { name, file: read && file, text: read?.text ?? null, isCut: read?.isCut ?? false }
}

/** The beginning of a text file; null when it cannot be read. */
async function beginningOf(path: string): Promise<{ text: string; isCut: boolean } | null> {
  // Opening a pipe or a device could wait for ever.
  const found = await stat(path).catch(() => null)
  if (!found?.isFile()) return null
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(longestLicence), 0, longestLicence, 0)
    return { text: buffer.toString('utf8', 0, bytesRead), isCut: found.size > longestLicence }
  } finally {
    await file.close()
  }
}
