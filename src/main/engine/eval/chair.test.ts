// CHAIR worked by hand, over files in COCO's format, and on the sample captions.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readLexicon } from '../jobs/readLexicon.ts'
import { chairByObject, scoreResponse, summariseChair } from './chair.ts'
import { readCocoAnnotations } from './cocoAnnotations.ts'

const resources = join(import.meta.dirname, '../../../../resources')
const coco = await readLexicon(join(resources, 'lexicons/coco-objects.json'))
const folder = await mkdtemp(join(tmpdir(), 'chair-'))
afterAll(() => rm(folder, { recursive: true }))

async function write(name: string, content: unknown): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, JSON.stringify(content))
  return path
}

const instances = {
  images: [
    { id: 7, file_name: 'seven.jpg' },
    { id: 9, file_name: 'nine.jpg' },
  ],
  annotations: [
    { image_id: 7, category_id: 18, bbox: [0, 0, 1, 1] },
    { image_id: 7, category_id: 18 },
    { image_id: 7, category_id: 72 },
    { image_id: 9, category_id: 1 },
    { image_id: 9, category_id: 99 },
    { image_id: 9, category_id: 100 },
  ],
  categories: [
    { id: 1, name: 'person' },
    { id: 18, name: 'dog' },
    { id: 72, name: 'television' },
    { id: 99, name: 'sand castle' },
    // Begins with a word of the lexicon, and is something else.
    { id: 100, name: 'dog house' },
  ],
}

describe('CHAIR', () => {
  const responses = [
    // Named: dog, dog, couch, tv; the couch is hallucinated. 8 words.
    scoreResponse('Two dogs, a puppy, a sofa and TVs.', new Set(['dog', 'tv']), coco),
    // Named: dining table; hallucinated. 3 words.
    scoreResponse('A small desk', new Set(['person']), coco),
    // Names nothing.
    scoreResponse('', new Set(['person', 'cat']), coco),
  ]

  test('counts mentions, different objects and repeats of each response', () => {
    expect(responses[0]).toMatchObject({
      mentions: 4,
      hallucinatedMentions: 1,
      objects: 3,
      hallucinatedObjects: 1,
      isHallucinated: 1,
      annotatedObjects: 2,
      recalledObjects: 2,
      words: 8,
      repeatedMentions: 1,
    })
    expect(responses[0]?.found.map(({ word, isHallucinated }) => [word, isHallucinated])).toEqual([
      ['dog', false],
      ['puppy', false],
      ['sofa', true],
      ['tv', false],
    ])
  })

  test('counts an object that is named twice once among the objects, also where nothing is annotated', () => {
    expect(scoreResponse('A cat by a cat', new Set(), coco)).toMatchObject({
      ...{ mentions: 2, hallucinatedMentions: 2, objects: 1, hallucinatedObjects: 1 },
      ...{ isHallucinated: 1, annotatedObjects: 0, recalledObjects: 0, words: 5, repeatedMentions: 1 },
    })
  })

  test('judges only what the annotations have a category of', () => {
    // VOC knows no giraffe and no kite; the lexicon knows no castle, so no response could name it.
    const judged = new Set(['dog', 'couch', 'castle'])
    const text = 'A dog on a sofa by a giraffe and a kite.'
    expect(scoreResponse(text, new Set(['dog', 'castle', 'kite']), coco, { judged })).toMatchObject({
      ...{ mentions: 2, hallucinatedMentions: 1, objects: 2, hallucinatedObjects: 1 },
      ...{ annotatedObjects: 1, recalledObjects: 1 },
    })
  })

  test('does not count a word that the end of a cut response may have cut', () => {
    expect(scoreResponse('A dog on a car', new Set(['dog']), coco, { isCut: true })).toMatchObject({
      ...{ mentions: 1, hallucinatedMentions: 0 },
    })
  })

  test('sums before it divides', () => {
    expect(summariseChair(responses)).toEqual({
      chairI: 2 / 5,
      chairIUnique: 2 / 4,
      chairS: 2 / 3,
      recall: 2 / 5,
      meanLength: 11 / 3,
      repetition: 1 / 3,
    })
    expect(summariseChair([])).toMatchObject({ chairI: null, chairS: null, recall: null })
  })

  test('breaks down by object', () => {
    const present = [new Set(['dog', 'tv']), new Set(['person']), new Set(['person', 'cat'])]
    expect(chairByObject(responses, present)).toEqual([
      { name: 'couch', annotated: 0, recalled: 0, mentions: 1, hallucinatedMentions: 1 },
      { name: 'dining table', annotated: 0, recalled: 0, mentions: 1, hallucinatedMentions: 1 },
      { name: 'dog', annotated: 1, recalled: 1, mentions: 2, hallucinatedMentions: 0 },
      { name: 'tv', annotated: 1, recalled: 1, mentions: 1, hallucinatedMentions: 0 },
      { name: 'cat', annotated: 1, recalled: 0, mentions: 0, hallucinatedMentions: 0 },
      { name: 'person', annotated: 2, recalled: 0, mentions: 0, hallucinatedMentions: 0 },
    ])
  })
})

describe("COCO's annotations", () => {
  test('become names of the lexicon', async () => {
    expect(await readCocoAnnotations(await write('instances.json', instances), coco)).toEqual({
      images: [
        { id: '7', fileName: 'seven.jpg', objects: new Set(['dog', 'tv']) },
        { id: '9', fileName: 'nine.jpg', objects: new Set(['person', 'sand castle', 'dog house']) },
      ],
      judged: new Set(['person', 'dog', 'tv', 'sand castle', 'dog house']),
      unknownCategories: ['sand castle', 'dog house'],
      strayAnnotations: 0,
    })
  })

  test('join ids that are numbers on one side and strings on the other, and count those of unlisted images', async () => {
    const annotations = [...instances.annotations, { image_id: 10, category_id: 1 }]
    const strings = annotations.map(({ image_id, category_id }) => ({
      ...{ image_id: String(image_id), category_id: String(category_id) },
    }))
    const read = await readCocoAnnotations(await write('strings.json', { ...instances, annotations: strings }), coco)
    expect(read.images.map(({ objects }) => [...objects])).toEqual([
      ['dog', 'tv'],
      ['person', 'sand castle', 'dog house'],
    ])
    expect(read.strayAnnotations).toBe(1)
  })

  test('may begin with a mark of their byte order', async () => {
    const path = join(folder, 'marked.json')
    await writeFile(path, `\uFEFF${JSON.stringify(instances)}`)
    expect((await readCocoAnnotations(path, coco)).images).toHaveLength(2)
  })

  test('count what reference captions name as present', async () => {
    const captions = {
      annotations: [
        { image_id: 9, caption: 'A girl with kites' },
        { image_id: 8, caption: 'A cat' },
      ],
    }
    const paths = [await write('instances.json', instances), await write('captions.json', captions)] as const
    const { images } = await readCocoAnnotations(paths[0], coco, paths[1])
    expect(images[1]?.objects).toEqual(new Set(['person', 'sand castle', 'dog house', 'kite']))
  })

  test.each([
    ['no COCO file', { images: [] }],
    ['an unknown category', { ...instances, categories: instances.categories.slice(1) }],
    ['annotations of other images alone', { ...instances, images: [{ id: 8, file_name: 'eight.jpg' }] }],
    ['two images of one id', { ...instances, images: [...instances.images, { id: '9', file_name: 'ten.jpg' }] }],
  ])('are refused with %s', async (_, content) => {
    const path = await write('bad.json', content)
    await expect(readCocoAnnotations(path, coco)).rejects.toMatchObject({ code: 'run.annotations', where: path })
  })

  test('and captions of the sample scenes agree: nothing is hallucinated and nothing is left out', async () => {
    const scenes = await readLexicon(join(resources, 'lexicons/scene-objects.json'))
    const samples = (name: string) => join(resources, 'samples', name)
    const { images } = await readCocoAnnotations(samples('annotations.json'), scenes)
    const captions = await import('../../../../resources/samples/captions.json', { with: { type: 'json' } })
    const textOf = new Map(captions.default.annotations.map((one) => [String(one.image_id), one.caption]))
    const responses = images.map(({ id, objects }) => scoreResponse(textOf.get(id) ?? '', objects, scenes))
    expect(summariseChair(responses)).toMatchObject({ chairI: 0, chairIUnique: 0, chairS: 0, recall: 1, repetition: 0 })
    expect(responses).toHaveLength(200)
  })
})
