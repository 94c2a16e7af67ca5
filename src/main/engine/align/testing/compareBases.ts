// A random model on bases of 8 and 4 bits, in blocks of the sizes that models of real size have: prompt, step, response graph
// with all gradients and a greedy rollout on another device. Part of compareModelDevices.ts.
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { tensor } from '../../graph/ortSession.ts'
import { openBase } from '../../models/baseFile.ts'
import { loraFeeds, loraSlots, newAdapter, scaledFactors } from '../../models/shared/lora.ts'
import { decodingUse } from '../../models/shared/quantisedLinear.ts'
import { type Feeds, featureFeeds, padTokens, sequenceFeeds } from '../../models/shared/sequenceFeeds.ts'
import { dequantisedModel } from '../../models/testing/dequantisedModel.ts'
import { writeRandomModel } from '../../models/testing/randomModel.ts'
import { promptGraph, responseGraph, stepGraph, type VlmSource } from '../../models/vlmGraphs.ts'
import { Rng } from '../../rng.ts'
import { KvCache } from '../../rollout/kvCache.ts'
import { responseFeeds } from '../../rollout/responseFeeds.ts'
import { likelihoodObjective } from '../ppo/ppoLoss.ts'
import { compareRollouts } from './compareRollouts.ts'
import type { DeviceComparison } from './deviceComparison.ts'

const rank = 4
/** Rows of two blocks of 128, and an image of 4 rows. */
const shapes = {
  text: {
    ...{ vocab_size: 256, hidden_size: 128, intermediate_size: 256, num_hidden_layers: 1 },
    ...{ num_attention_heads: 4, num_key_value_heads: 2 },
  },
  vision: {
    ...{ hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2 },
    ...{ image_size: 32, patch_size: 16, projection_dim: 32 },
  },
}

export async function compareBases(comparison: DeviceComparison): Promise<void> {
  const newFolder = () => mkdtempSync(join(comparison.scratch, 'folder-'))
  const stored = await writeRandomModel(newFolder(), shapes)
  for (const format of ['int8', 'int4'] as const) {
    const base = await openBase(stored, format, { folder: newFolder() })
    await compareBase(format, base, await dequantisedModel(base, newFolder()), comparison)
  }
}

/** @param twin the base's numbers as float32: what all its graphs are to compute, steps on a GPU too (`decodingUse`) */
async function compareBase(format: string, base: VlmSource, twin: VlmSource, { compare, device }: DeviceComparison) {
  const { config } = base
  const rng = new Rng({ seed: 2 })
  const random = (size: number) => Float32Array.from({ length: size }, () => rng.normal())
  const adapter = newAdapter(loraSlots(config.decoder), { rank, alpha: 8 }, () => rng.uniform() - 0.5)
  for (const { b } of adapter.layers.values()) b.set(random(b.length).map((one) => one / 10))
  const lora = loraFeeds(adapter)
  const images = new Array<number>(4).fill(config.imageTokenId)
  const prompted = [
    { promptIds: [1, ...images, 7, 8, 9], tokens: [5, 6, 7, 3] },
    { promptIds: [1, ...images, 11], tokens: [12, 4] },
  ].map((one) => ({ ...one, imageFeatures: [random(4 * config.decoder.hiddenSize)] }))

  const prompts = prompted.map(({ promptIds }) => promptIds)
  const batch = padTokens(prompts, config.padTokenId, 'left')
  const features = prompted.map(({ imageFeatures }) => imageFeatures)
  const scaled = scaledFactors(lora)
  const promptFeeds = { ...sequenceFeeds(config.decoder, batch), ...featureFeeds(config, batch, features), ...scaled }
  const named = (name: string, of: VlmSource, make: (of: VlmSource) => ReturnType<typeof promptGraph>) => ({
    ...make(of),
    name: `${format} ${name}`,
  })
  const agree = async (name: string, feeds: Feeds | ReturnType<KvCache['feeds']>, make: Parameters<typeof named>[2]) =>
    await compare(named(name, base, make), feeds, named(name, twin, make))

  const filled = await agree('prompt', promptFeeds, (of) => promptGraph(of, { rank }))
  const cache = new KvCache(config.decoder, filled, batch.mask, [0, 1])
  await agree('step', { ...cache.feeds([5, 6]), ...scaled }, (of) =>
    stepGraph(of, { rank }, false, decodingUse(device)),
  )
  const feeds = { ...responseFeeds(config, prompted, 1), ...lora, token_weight: tensor('float32', [], [1 / 6]) }
  for (const recompute of [false, true]) {
    const options = { adapter: { rank }, recompute, objectives: likelihoodObjective(['adapter']) }
    await agree(recompute ? 'recomputed' : 'response', feeds, (of) => responseGraph(of, options).graph)
  }

  await compareRollouts(
    `${format} rollout`,
    { onDevice: base, onCpu: twin },
    { device, rank, adapter: lora, prompts: prompted },
  )
}
