// Numbers that are none: weights of a verifier that hold NaN, embeddings that were stored so, figures of a step. Each is
// one typed error or computed again, and nothing of it is stored. Models, sessions and files are real.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Look } from '../../../shared/look.ts'
import { readSafetensors } from '../folder/safetensors.ts'
import { demoModel } from '../jobs/testing/demoRun.ts'
import { requireFiniteFigures } from './finiteFigures.ts'
import { type EmbeddingStore, Verifier } from './verifier.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-non-finite-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const encoder = join(demoModel, 'encoder')

/** The demo's encoder with NaN in one number of a tensor. */
async function spoiled(tensor: string): Promise<string> {
  const copy = join(folder, tensor)
  cpSync(encoder, copy, { recursive: true })
  const found = (await readSafetensors(join(copy, 'model.safetensors'))).find(({ name }) => name === tensor)
  if (!found) throw new Error(`the demo's encoder has no ${tensor}`)
  const file = await open(found.slice.file, 'r+')
  await file.write(Buffer.alloc(found.slice.sizeBytes, 0xff), 0, found.slice.sizeBytes, found.slice.offsetBytes)
  await file.close()
  return copy
}

class MapStore implements EmbeddingStore {
  readonly kept = new Map<string, Float32Array>()
  get(kind: string, subject: string): Float32Array | undefined {
    return this.kept.get(`${kind} ${subject}`)
  }
  put(kind: string, subject: string, embedding: Float32Array): void {
    this.kept.set(`${kind} ${subject}`, embedding)
  }
  flush(): void {}
}

async function withVerifier(from: string, work: (verifier: Verifier, store: MapStore) => Promise<void>): Promise<void> {
  const store = new MapStore()
  const verifier = await Verifier.open(from, { device: 'cpu', threads: 1, promptTemplate: 'a photo of a {}.', store })
  try {
    await work(verifier, store)
  } finally {
    await verifier.release()
  }
}

function imageOf(verifier: Verifier) {
  const { channels, imageSize } = verifier.source.config.vision
  const pixels = new Float32Array(channels * imageSize * imageSize).map((_, i) => Math.sin(i / 50))
  return { key: 'ab', pixels: () => Promise.resolve(pixels) }
}

describe('a verifier', () => {
  test.each([
    ['visual_projection.weight', (verifier: Verifier) => verifier.imageEmbedding(imageOf(verifier))],
    ['text_projection.weight', (verifier: Verifier) => verifier.wordEmbedding('dog')],
    ['text_projection.weight', (verifier: Verifier) => verifier.textScore(imageOf(verifier), 'a dog')],
  ])('whose %s is not finite is found out before a score is used, and keeps nothing of it', async (tensor, ask) => {
    await withVerifier(await spoiled(tensor), async (verifier, store) => {
      await expect(ask(verifier)).rejects.toMatchObject({ code: 'run.non-finite' })
      expect([...store.kept.values()].every((embedding) => embedding.every(Number.isFinite))).toBe(true)
    })
  })

  test('computes an embedding again that was stored as no number', async () => {
    await withVerifier(encoder, async (verifier, store) => {
      const image = imageOf(verifier)
      const good = await verifier.imageEmbedding(image)
      await withVerifier(encoder, async (other, spoiledStore) => {
        spoiledStore.put('image', image.key, new Float32Array(good.length).fill(Number.NaN))
        expect(await other.imageEmbedding(image)).toEqual(good)
        expect(spoiledStore.get('image', image.key)).toEqual(good)
      })
      expect(store.kept.size).toBe(1)
    })
  })
})

describe('a step whose figures are no numbers is not committed', () => {
  const look: Look = {
    ...{ step: 2, responses: 6, hallucinationRate: 0.1, coverage: 2, meanWords: 9, meanObjects: 2 },
    ...{ meanRepeatedMentions: 0, repeatedTrigramShare: 0, emptyShare: 0 },
    ...{ isSound: true, change: null, bestStep: 0, perImage: null },
  }
  const update = { klNats: 0.01, metrics: {}, rows: [] }

  test.each([
    ['coverage', { looks: [{ ...look, coverage: Number.NaN }], update }],
    ['klNats', { looks: [look], update: { ...update, klNats: Number.POSITIVE_INFINITY } }],
  ])('%s', (name, given) => {
    expect(() => requireFiniteFigures({ step: 2, trained: [], ...given })).toThrow(
      expect.objectContaining({ code: 'run.non-finite', found: expect.stringContaining(name), where: 'step 2' }),
    )
  })

  test('but one whose are is, whatever an earlier look was', () => {
    const earlier = { ...look, step: 1, coverage: Number.NaN }
    expect(() => requireFiniteFigures({ step: 2, trained: [], looks: [earlier, look], update })).not.toThrow()
    expect(() => requireFiniteFigures({ step: 2, trained: [], looks: [earlier], update: null })).not.toThrow()
  })
})
