// Folders by the way of a run, from image files and questions to answers, against transformers: those whose images are cut
// into tiles, and those with processors and templates of their own.
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openImageProcessor } from '../image/imageProcessor.ts'
import { Rng } from '../rng.ts'
import { Generator } from '../rollout/generate.ts'
import { ImageFeatures } from '../rollout/imageFeatures.ts'
import { openChatTemplate } from '../text/chatTemplate.ts'
import { openTokenizer } from '../text/tokenizer.ts'
import { floats, integers, maxDifference, readFixture } from './testing/parityFixtures.ts'
import { openVlm } from './vlm.ts'

const folders = [
  ...['smolvlm-tile', 'smolvlm-tiles', 'llava-next', 'llava-next-bf16'],
  ...['llava-onevision', 'llava-onevision-bf16', 'vip-llava', 'vip-llava-bf16'],
]

describe.each(folders)('%s', (name) => {
  test('cuts pictures as transformers does, to the same pixel values', async () => {
    const fixture = await readFixture(name)
    const processor = await openImageProcessor(fixture.folder)
    const files = fixture.json.images.files.map((file) => join(fixture.folder, file))
    const read = await Promise.all(files.map((file) => processor.pixelsOfFile(file)))
    const tileValues = 3 * processor.size.width * processor.size.height
    expect(read.map(({ values }) => values.length / tileValues)).toEqual(fixture.json.images.tiles ?? [1, 1])
    const pixels = Float32Array.from(read.flatMap(({ values }) => [...values]))
    expect(maxDifference(pixels, floats(fixture.get('pixel_values')))).toBe(0)
  })

  test('has the prompts of its processor and answers as transformers does, alone and eight at once', async () => {
    const fixture = await readFixture(name)
    const source = await openVlm(fixture.folder)
    const processor = await openImageProcessor(fixture.folder)
    const template = await openChatTemplate(fixture.folder, await openTokenizer(fixture.folder))
    const seeing = await ImageFeatures.open(source, { device: 'cpu', threads: 1, limitBytes: 1e6 })
    const images = await seeing.of(
      fixture.json.images.files.map((file) => [file, () => processor.pixelsOfFile(join(fixture.folder, file))]),
      3,
    )
    await seeing.release()
    const features = Float32Array.from(images.flatMap((image) => [...image.features]))
    expect(maxDifference(features, floats(fixture.get('vision.projected')))).toBeLessThan(2e-5)
    const { rows } = fixture.json.images
    if (rows) expect(images.map(({ layout }) => layout.rows)).toEqual(rows)
    const prompts = fixture.json.questions.map((question, i) =>
      template.promptIds(question, (images[i] as (typeof images)[number]).layout),
    )
    expect(prompts).toEqual(fixture.json.prompts.map(({ input_ids }) => input_ids))

    const steps = fixture.get('greedy.tokens').shape[1] as number
    const expected = prompts.map((_, row) => {
      const tokens = integers(fixture.get('greedy.tokens')).slice(row * steps, (row + 1) * steps)
      const end = tokens.findIndex((token) => source.config.endTokenIds.includes(token))
      return end < 0 ? tokens : tokens.slice(0, end + 1)
    })
    const generator = await Generator.open(source, { device: 'cpu', threads: 1, adapter: null })
    const sampling = { greedy: true, temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 }
    const stop = { endTokenIds: source.config.endTokenIds, stopStrings: [], maxNewTokens: steps }
    const requests = Array.from({ length: 8 }, (_, i) => ({
      promptIds: prompts[i % 2] as number[],
      imageFeatures: [images[i % 2]?.features as Float32Array],
      rng: new Rng({ seed: 1 }),
    }))
    for (const batchSize of [1, 8]) {
      const said = await generator.generate(requests, { sampling, stop, batchSize })
      expect(said.map(({ tokens }) => tokens)).toEqual(requests.map((_, i) => expected[i % 2]))
    }
    await generator.release()
  })
})
