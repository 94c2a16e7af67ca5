// `npx tsx tools/smollm2/export.ts FOLDER OUT [scenes]`: the model as it is at the last checkpoint of train.ts, its adapter
// merged, in a folder that the app opens; and what it says of so many validation scenes.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { mergeAdapter } from '../../src/main/engine/folder/mergeAdapter.ts'
import type { LoraAdapter } from '../../src/main/engine/folder/peft.ts'
import { writeSafetensors } from '../../src/main/engine/folder/safetensors.ts'
import { factorName, loraSlots, storedAdapter } from '../../src/main/engine/models/shared/lora.ts'
import { openVlm } from '../../src/main/engine/models/vlm.ts'
import { openChatTemplate } from '../../src/main/engine/text/chatTemplate.ts'
import { openTokenizer } from '../../src/main/engine/text/tokenizer.ts'
import { type CaptionQuality, captionQuality } from '../demo-model/captionQuality.ts'
import { openPictures } from '../demo-model/pictures.ts'
import { instructions } from '../demo-model/tokenizerFiles.ts'
import { scenesOf, splits } from '../demo-model/world.ts'
import { projectorShard, projectorTensor } from './join.ts'
import { trainingFile, trainSettings } from './train.ts'
import { loadTraining } from './trainingState.ts'

/** @throws StudioError what `mergeAdapter` throws: `out` must not exist or be empty */
export async function exportModel(
  folder: string,
  out: string,
  { rank, alpha }: Pick<LoraAdapter, 'rank' | 'alpha'> = trainSettings,
): Promise<void> {
  const { architecture, config, weights } = await openVlm(folder)
  const { groups } = await loadTraining(trainingFile(folder))
  const factor = (path: string, which: 'a' | 'b') =>
    groups['adapter']?.parameters[factorName(path, which)] as Float32Array
  const layers = loraSlots(config.decoder).map(
    ({ path, ...features }) => [path, { a: factor(path, 'a'), b: factor(path, 'b'), ...features }] as const,
  )
  await mergeAdapter(weights, storedAdapter(architecture, weights, { rank, alpha, layers: new Map(layers) }), out)
  const projector = Object.entries(groups['projector']?.parameters ?? {}).map(([name, values]) =>
    projectorTensor(name, weights.get(name).shape, values),
  )
  await writeSafetensors(join(out, projectorShard), projector, { format: 'pt' })
  cpSync(join(folder, 'encoder'), join(out, 'encoder'), { recursive: true })
}

/** What a folder with its companion in `encoder` says of the first validation scenes, greedily. */
export async function judge(folder: string, count: number, threads: number): Promise<CaptionQuality> {
  const companionFolder = join(folder, 'encoder')
  const tokenizer = await openTokenizer(folder)
  const template = await openChatTemplate(folder, tokenizer)
  return await captionQuality({
    ...{ vlmFolder: folder, companionFolder, threads },
    encodePrompt: (text) => [...tokenizer.encode(text).ids],
    decode: (ids) => tokenizer.decode(ids, { skipSpecialTokens: true }),
    prompt: template.text(instructions[0] as string),
    scenes: scenesOf({ seed: splits.validation.seed, count }),
    pictures: await openPictures('validation', threads),
    sampling: { greedy: true, temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 },
  })
}

if (process.argv[1] === import.meta.filename) {
  const [folder, out, scenes] = process.argv.slice(2)
  if (!folder || !out) throw new Error('usage: npx tsx tools/smollm2/export.ts FOLDER OUT [scenes]')
  await exportModel(folder, out)
  const { responses, ...quality } = await judge(out, Number(scenes ?? 100), Number(process.env['THREADS'] ?? 1))
  process.stdout.write(`${JSON.stringify(quality)}\n${responses.slice(0, 8).join('\n')}\n`)
}
