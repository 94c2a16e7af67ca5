// Hand-worked cases of the published CHAIR rules, other nouns by wink-nlp, and both against the sample captions.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readLexicon } from '../jobs/readLexicon.ts'
import { compileLexicon, type LexiconFile } from './lexicon.ts'
import { chairFinderOptions, findObjects, type ObjectFinderOptions } from './objectWords.ts'
import { singularForms, wordsOf } from './wordForms.ts'

const resources = join(import.meta.dirname, '../../../../resources')
const coco = await readLexicon(join(resources, 'lexicons/coco-objects.json'))
const scenes = await readLexicon(join(resources, 'lexicons/scene-objects.json'))

const names = (text: string) => findObjects(text, coco, chairFinderOptions).map(({ name }) => name)

describe('the published rules of CHAIR', () => {
  test.each([
    // Plurals.
    ['Two dogs and three puppies.', ['dog', 'dog']],
    ['Buses, benches, knives, calves and geese', ['bus', 'bench', 'knife', 'cow', 'bird']],
    ['men, women and policemen on skis', ['person', 'person', 'person', 'skis']],
    ['people with wine glasses', ['person', 'wine glass']],
    ['Mice, oxen, sheep and a pair of scissors', ['mouse', 'cow', 'sheep', 'scissors']],
    // Synonyms.
    ['A kitten on a sofa by the fridge', ['cat', 'couch', 'refrigerator']],
    ["A man's bike and an iPhone", ['person', 'bicycle', 'cell phone']],
    ['A TV on a desk', ['tv', 'dining table']],
    // Double words.
    ['A hot dog and a teddy bear', ['hot dog', 'teddy bear']],
    ['Hot-dogs by the stop signs', ['hot dog', 'stop sign']],
    ['a street light and traffic lights', ['traffic light', 'traffic light']],
    ['He wears a bow tie at home plate', ['tie']],
    ['Train tracks lead to the train', ['train']],
    ['a stove top oven', ['oven']],
    // Qualifiers that would fire for "person".
    ['a baby elephant by an adult bear', ['elephant', 'bear']],
    ['baby animals, a baby', ['person']],
    ['passenger trains and a passenger', ['train', 'person']],
    // A toilet's seat is no chair.
    ['a toilet seat', ['toilet']],
    ['the seat of the toilet', ['toilet']],
    ['the seat of the car', ['chair', 'car']],
    // No words of the lexicon.
    ['A glass of wine, a hot, dog-free day', ['dog']],
    ['It is hot. Dogs sleep.', ['dog']],
    ['It is hot (dogs sleep)', ['dog']],
    ['A glass, a scatter of catalogues and a carpet', []],
    ['', []],
    // As published, negation and colours count.
    ['There is no cat in an orange shirt', ['cat', 'orange']],
  ] as const)('%s', (text, expected) => {
    expect(names(text)).toEqual(expected)
  })

  test('mentions keep their places and what was said', () => {
    const text = 'Look: two baby Elephants 🍕 by wine  glasses.'
    const found = findObjects(text, coco, chairFinderOptions)
    expect(found.map(({ start, end }) => text.slice(start, end))).toEqual(['Elephants', 'wine  glasses'])
    expect(found.map(({ word }) => word)).toEqual(['elephant', 'wine glass'])
  })
})

describe('a response that its length cut', () => {
  const cut = (text: string, otherNouns = false) =>
    findObjects(text, coco, { otherNouns, nounsOnly: false, isCut: true }).map(({ name }) => name)

  test.each([
    // Of carpet, bushes, cattle and cupboard.
    ['A dog on a car', ['dog']],
    ['A dog by the bus', ['dog']],
    ['A dog and cat', ['dog']],
    ['A dog and a cup', ['dog']],
    ['A dog beside a wine glass', ['dog']],
    // What stands before it may be the beginning of another phrase: a train track, a baby elephant.
    ['A dog on a train tra', ['dog']],
    ['A dog and a baby eleph', ['dog']],
    ['A dog and a train sta', ['dog', 'train']],
    // Bytes of an unfinished character.
    ['A dog on a car\uFFFD\uFFFD', ['dog']],
    // Complete.
    ['A dog on a car.', ['dog', 'car']],
    ['A dog on a car ', ['dog', 'car']],
    ['A dog on a car and', ['dog', 'car']],
    ['A dog (a car)', ['dog', 'car']],
    ['', []],
    ['.', []],
  ] as const)('%j', (text, expected) => {
    expect(cut(text)).toEqual(expected)
  })

  test('ends in no other noun either', () => {
    expect(cut('A lamp by the curtain', true)).toEqual(['lamp'])
    expect(cut('A lamp by the curtain.', true)).toEqual(['lamp', 'curtain'])
  })
})

describe('nouns that the lexicon does not have', () => {
  const rewarded: ObjectFinderOptions = { otherNouns: true, nounsOnly: true }
  const found = (text: string) => findObjects(text, coco, rewarded).map(({ name, inLexicon }) => [name, inLexicon])

  test('are mentions, generic ones are not, and a noun before a match only describes it', () => {
    expect(found('In the background of the image, curtains and a lamp stand by the kitchen table.')).toEqual([
      ['curtain', false],
      ['lamp', false],
      ['dining table', true],
    ])
  })

  test('are runs of nouns: a generic last one makes the run generic, a single letter is none', () => {
    expect(found('a brick wall against a brick background')).toEqual([['brick wall', false]])
    expect(found('A letter x on a lamp')).toEqual([
      ['letter', false],
      ['lamp', false],
    ])
    const own = compileLexicon({ ...emptyFile, genericNouns: ['Street View'] })
    const names = findObjects('a street view with lamp posts', own, rewarded).map(({ name }) => name)
    expect(names).toEqual(['lamp post'])
  })

  test('colours and deeds that share a word with an object are none, where only nouns count', () => {
    expect(found('An orange cat eats an orange.')).toEqual([
      ['cat', true],
      ['orange', true],
    ])
    expect(found('A man will train the dog.')).toEqual([
      ['person', true],
      ['dog', true],
    ])
    const any = findObjects('An orange cat', coco, { otherNouns: true, nounsOnly: false })
    expect(any.map(({ name }) => name)).toEqual(['orange', 'cat'])
  })
})

describe('against the sample captions, which name each object of the annotations once', () => {
  const read = (name: string) => JSON.parse(readFileSync(join(resources, 'samples', name), 'utf8'))
  const annotations = read('annotations.json')
  const classOf = new Map<number, string>(
    annotations.categories.map((one: { id: number; name: string }) => [one.id, one.name]),
  )
  const truth = new Map<number, string[]>()
  for (const { image_id, category_id } of annotations.annotations) {
    truth.set(image_id, [...(truth.get(image_id) ?? []), classOf.get(category_id) as string])
  }
  const captions: { image_id: number; caption: string }[] = read('captions.json').annotations

  function precisionAndRecall(options: ObjectFinderOptions, lexicon = scenes): [precision: number, recall: number] {
    let [correct, found, named] = [0, 0, 0]
    for (const { image_id, caption } of captions) {
      const left = [...(truth.get(image_id) ?? [])]
      named += left.length
      for (const { name } of findObjects(caption, lexicon, options)) {
        found++
        const at = left.indexOf(name)
        if (at < 0) continue
        correct++
        left.splice(at, 1)
      }
    }
    return [correct / found, correct / named]
  }

  test('the lexicon finds all of them and nothing else, with and without other nouns', () => {
    expect(precisionAndRecall(chairFinderOptions)).toEqual([1, 1])
    expect(precisionAndRecall({ otherNouns: true, nounsOnly: true })).toEqual([1, 1])
  })

  test('without a lexicon, nouns alone miss only compounds of another part of speech', () => {
    const bare = compileLexicon({ ...emptyFile, genericNouns: [...scenes.genericNouns] })
    const [precision, recall] = precisionAndRecall({ otherNouns: true, nounsOnly: false }, bare)
    // "hot dog" and "traffic light", 22 of 667.
    expect(precision).toBeCloseTo(645 / 667, 10)
    expect(recall).toBeCloseTo(645 / 667, 10)
  })
})

test.each([
  ['glass', ['glass']],
  ['is', ['is']],
  ['tvs', ['tvs', 'tv']],
  ['wolves', ['wolves', 'wolve', 'wolv', 'wolf', 'wolfe']],
  ['ponies', ['ponies', 'ponie', 'poni', 'pony']],
  ['firemen', ['firemen', 'fireman']],
  ['women', ['women', 'woman']],
])('%s may be the plural of %j', (word, forms) => {
  expect(singularForms(word)).toEqual(forms)
})

test('an accent of its own is part of its word', () => {
  expect(wordsOf('Cafe\u0301s 2').map(({ start, end, lower }) => [start, end, lower])).toEqual([
    [0, 6, 'cafe\u0301s'],
    [7, 8, '2'],
  ])
})

const emptyFile: LexiconFile = {
  format: 'fisao-object-lexicon',
  version: 1,
  source: 'a test',
  objects: [],
  excluded: [],
  qualifiers: [],
  suppressed: [],
  genericNouns: [],
}

describe('a lexicon file', () => {
  test("people's own replaces ours", () => {
    const own = compileLexicon({ ...emptyFile, objects: [{ name: 'Sand Castle', synonyms: ['castle'] }] })
    expect(findObjects('Sand castles, a castle, a dog', own, chairFinderOptions).map(({ name }) => name)).toEqual([
      'Sand Castle',
      'Sand Castle',
    ])
  })

  test('may name a word of an object twice, and suppresses single words alone', () => {
    const objects = [
      { name: 'boat', synonyms: ['Boat', 'tug boat'] },
      { name: 'chair', synonyms: ['seat'] },
      { name: 'belt', synonyms: ['seat belt'] },
    ]
    const own = compileLexicon({ ...emptyFile, objects, suppressed: [{ word: 'Seat', when: 'Boat' }] })
    const names = (text: string) => findObjects(text, own, chairFinderOptions).map(({ name }) => name)
    expect(names('A boat with a seat and a seat belt')).toEqual(['boat', 'belt'])
    expect(names('A seat and a seat belt')).toEqual(['chair', 'belt'])
  })

  test('is refused when a word stands for two objects', () => {
    const objects = [
      { name: 'boat', synonyms: ['tug'] },
      { name: 'rope game', synonyms: ['Tug'] },
    ]
    expect(() => compileLexicon({ ...emptyFile, objects })).toThrow(
      expect.objectContaining({ code: 'run.lexicon', expected: 'boat', found: 'rope game' }),
    )
  })

  test.each([
    ['not JSON', 'object,synonym'],
    ['another format', '{"format":"other"}'],
    ['an unknown field', JSON.stringify({ ...emptyFile, colour: 'red' })],
  ])('is refused when it is %s', async (_, text) => {
    const folder = await mkdtemp(join(tmpdir(), 'lexicon-'))
    try {
      const path = join(folder, 'own.json')
      await writeFile(path, text)
      await expect(readLexicon(path)).rejects.toMatchObject({ code: 'run.lexicon', where: path })
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
