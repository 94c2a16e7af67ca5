// What this engine exports of a trained fixture, for check_export.py: its adapter by peft's names, the merged folder, the
// adapter's logits at the rows that predict the fixture's responses, and the greedy answers of both to its prompts.
//
//   npx tsx tools/parity/writeExport.ts FIXTURE OUT
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mergeAdapter } from '../../src/main/engine/folder/mergeAdapter.ts'
import { readAdapter, writeAdapter } from '../../src/main/engine/folder/peft.ts'
import { writeSafetensors } from '../../src/main/engine/folder/safetensors.ts'
import { floatsOf } from '../../src/main/engine/graph/tensor.ts'
import { byDecoderPath, loraFeeds, peftAdapter, storedAdapter } from '../../src/main/engine/models/shared/lora.ts'
import {
  imageFeaturesOf,
  oneImageEach,
  openSequenceCase,
  runResponse,
  tokenBatch,
} from '../../src/main/engine/models/testing/sequenceCase.ts'
import { openVlm } from '../../src/main/engine/models/vlm.ts'
import type { VlmSource } from '../../src/main/engine/models/vlmGraphs.ts'
import { Rng } from '../../src/main/engine/rng.ts'
import { Generator } from '../../src/main/engine/rollout/generate.ts'

const [name, out] = process.argv.slice(2)
if (!name || !out) throw new Error('which fixture, and where to?')
const { fixture, source, feeds, cells } = await openSequenceCase(name)
const adapter = byDecoderPath(source.architecture, await readAdapter(join(fixture.folder, 'adapter')))
mkdirSync(out, { recursive: true })
await writeAdapter(join(out, 'adapter'), peftAdapter(source.architecture, adapter), fixture.folder)
const stored = storedAdapter(source.architecture, source.weights, adapter)
await mergeAdapter(source.weights, stored, join(out, 'merged'))

const spec = { rank: adapter.rank }
const { vocabSize, hiddenSize } = source.config.decoder
const results = await runResponse(source, { ...feeds, ...loraFeeds(adapter) }, { adapter: spec, outputs: ['logits'] })
const shape = fixture.get('sequence.response_mask').shape
const logits = new Float32Array((shape[0] as number) * (shape[1] as number) * vocabSize)
cells.forEach((cell, row) => {
  logits.set(floatsOf(results, 'logits').subarray(row * vocabSize, (row + 1) * vocabSize), cell * vocabSize)
})
await writeSafetensors(join(out, 'logits.safetensors'), [
  { name: 'logits', dtype: 'F32', shape: [...shape, vocabSize], bytes: new Uint8Array(logits.buffer) },
])

/** Greedy answers to the fixture's prompts, all in one batch. */
async function answers(model: VlmSource, adapted: boolean): Promise<(readonly number[])[]> {
  const features = await imageFeaturesOf(model, fixture)
  const { seq, ids, mask } = tokenBatch(fixture, 'prompt')
  const requests = oneImageEach(fixture, features).map((images, row) => ({
    promptIds: [...ids.subarray(row * seq, (row + 1) * seq)].filter((_, column) => mask[row * seq + column]),
    imageFeatures: images.map(({ first, count }) =>
      features.values.slice(first * hiddenSize, (first + count) * hiddenSize),
    ),
    rng: new Rng({ seed: 1 }),
  }))
  const generator = await Generator.open(model, { device: 'cpu', threads: 1, adapter: adapted ? spec : null })
  const settings = {
    sampling: { greedy: true, temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 },
    stop: { endTokenIds: model.config.endTokenIds, stopStrings: [], maxNewTokens: 20 },
    batchSize: 8,
  }
  const said = await generator.generate(requests, settings, adapted ? { adapter: loraFeeds(adapter) } : {})
  await generator.release()
  return said.map(({ tokens }) => tokens)
}

const responses = {
  adapter: await answers(source, true),
  merged: await answers(await openVlm(join(out, 'merged')), false),
}
writeFileSync(join(out, 'responses.json'), `${JSON.stringify(responses)}\n`)
