// Which encoder judges the words of a SmolVLM, and what the check of its folder says.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type TensorToWrite, writeSafetensors } from '../folder/safetensors.ts'
import { openWeights } from '../folder/weights.ts'
import { compareTowers } from '../models/companion/towerComparison.ts'
import { idefics3 } from '../models/idefics3/idefics3.ts'
import { fixtureRoot } from '../models/testing/parityFixtures.ts'
import { openVlm } from '../models/vlm.ts'
import { describeModel } from './describeModel.ts'
import { inspectModel } from './inspectModel.ts'

const scratch = mkdtempSync(join(tmpdir(), 'fisao-idefics3-encoder-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const model = join(fixtureRoot, 'smolvlm-tiles')
const encoder = join(fixtureRoot, 'siglip-encoder')

test('a tower as it was is recognised, and one that was trained on is not', async () => {
  const vlm = await openVlm(model)
  const dual = (weights: Awaited<ReturnType<typeof openWeights>>) =>
    ({ config: { vision: vlm.config.vision }, weights }) as Parameters<typeof compareTowers>[1]
  const write = async (name: string, change: (bytes: Buffer, tensor: string) => void) => {
    const folder = join(scratch, name)
    mkdirSync(folder)
    const tensors = vlm.weights.names.filter((tensor) => tensor.startsWith('model.vision_model.'))
    const written = tensors.map(async (tensor): Promise<TensorToWrite> => {
      const bytes = await vlm.weights.bytes(tensor)
      change(bytes, tensor)
      return { name: tensor.slice('model.'.length), dtype: 'F32', shape: vlm.weights.get(tensor).shape, bytes }
    })
    await writeSafetensors(join(folder, 'model.safetensors'), await Promise.all(written))
    return await compareTowers(vlm, dual(await openWeights(folder)))
  }
  // Two layers of 16 tensors, the patches and their places, and the last norm.
  expect(await write('same', () => undefined)).toEqual({ outcome: 'identical', tensors: 37, dtypes: 'float32' })
  const last = 'model.vision_model.post_layernorm.weight'
  const changed = await write('trained', (bytes, tensor) => {
    if (tensor === last) bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0)
  })
  expect(changed).toMatchObject({ outcome: 'different', difference: { where: 'vision_model.post_layernorm.weight' } })
})

test('the check of a folder accepts it, and says which encoder to give it', async () => {
  expect(await inspectModel(model, null)).toMatchObject({ name: 'smolvlm-tiles', imageTokens: 40, encoder: null })
  const described = (await describeModel(model, null)).model
  expect(described).toMatchObject({ architecture: 'SmolVLM or Idefics3', imageTokens: 40 })
  expect(described.parts.map(({ part }) => part)).toEqual(['tower', 'projector', 'decoder', 'head'])
  const { encoder: found } = await inspectModel(model, encoder)
  expect(found).toMatchObject({ outcome: 'different' })
  expect(found?.difference).toBe(
    'vision_config hiddenSize: 24 here, 40 there. The image tower of this model was trained on after it was taken over, so no encoder has quite the same; the nearest is the SigLIP model that its image tower was taken from.',
  )
  await expect(inspectModel(model, model)).rejects.toMatchObject({
    ...{ code: 'model.not-encoder', remedy: 'Choose the SigLIP model that its image tower was taken from.' },
  })
  const { config } = await openVlm(model)
  const tower = (hiddenSize: number, layers: number, patchSize: number) =>
    idefics3.nearestEncoder?.({ ...config, vision: { ...config.vision, hiddenSize, layers, patchSize } } as never)
  expect(tower(768, 12, 16)).toBe('google/siglip-base-patch16-512')
  expect(tower(1152, 27, 14)).toBe('google/siglip-so400m-patch14-384')
})
