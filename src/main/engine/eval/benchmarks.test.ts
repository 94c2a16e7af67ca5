// POPE and MME: questions, files and answers worked by hand, by the rules of the published scripts.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { AnnotatedImage } from './cocoAnnotations.ts'
import { type MmeQuestion, parseMmeAnswer, readMmeFolder, scoreMme } from './mme.ts'
import {
  defaultPopeOptions,
  judgePope,
  makePopeQuestions,
  parsePopeAnswer,
  readPopeAnswers,
  readPopeQuestions,
  toJsonLines,
} from './pope.ts'
import { yesNoFigures } from './yesNo.ts'

const folder = await mkdtemp(join(tmpdir(), 'benchmarks-'))
afterAll(() => rm(folder, { recursive: true }))

const image = (id: number, ...objects: string[]): AnnotatedImage => ({
  id: String(id),
  fileName: `${id}.jpg`,
  objects: new Set(objects),
})
// In most images: cup 4, fork 3, orange 3, dog 2, kite 1. With dog: fork 1, kite 1, then none. With kite: dog 1.
const images = [
  image(1, 'cup', 'fork'),
  image(2, 'cup', 'fork', 'orange'),
  image(3, 'cup', 'orange'),
  image(4, 'dog', 'fork'),
  image(5, 'dog', 'kite'),
  image(6, 'cup', 'orange'),
]
const options = { ...defaultPopeOptions, pairsAnImage: 1, seed: 1 }
const absentOf = (questions: ReturnType<typeof makePopeQuestions>) =>
  questions.filter(({ label }) => label === 'no').map(({ text }) => text)

describe("POPE's questions", () => {
  test('ask for one object that is there and one that is not, in turn', () => {
    const questions = makePopeQuestions(images, 'popular', options)
    expect(questions.slice(0, 2)).toEqual([
      { question_id: 1, image: '1.jpg', text: 'Is there a cup in the image?', label: 'yes' },
      { question_id: 2, image: '1.jpg', text: 'Is there an orange in the image?', label: 'no' },
    ])
    expect(questions).toHaveLength(12)
  })

  test.each([
    ['umbrella', 'an umbrella'],
    ['Orange', 'an Orange'],
    ['kite', 'a kite'],
  ])('ask for %s as %s', (name, asked) => {
    const [question] = makePopeQuestions([image(1, name), image(2, 'cup')], 'popular', options)
    expect(question?.text).toBe(`Is there ${asked} in the image?`)
  })

  test('popular: the object of most images that is not there', () => {
    expect(absentOf(makePopeQuestions(images, 'popular', options))).toEqual(
      ['an orange', 'a dog', 'a fork', 'a cup', 'a cup', 'a fork'].map((name) => `Is there ${name} in the image?`),
    )
  })

  test('popular: of objects in as many images the first by name', () => {
    // Fork and orange are in 3 images each, and neither is in this one.
    const absent = absentOf(makePopeQuestions([...images, image(7, 'cup')], 'popular', options))
    expect(absent.at(-1)).toBe('Is there a fork in the image?')
  })

  test('adversarial: the object most often seen with the one that is there', () => {
    // With cup: orange 3, fork 2. With dog: fork, kite.
    const absent = absentOf(makePopeQuestions(images, 'adversarial', options))
    expect(absent[0]).toContain('an orange')
    expect(absent[2]).toContain('a fork')
    expect(absent[3]).toContain('a kite')
    expect(absent[4]).toContain('a fork')
  })

  test('random: by the seed alone, never what is there or was asked', () => {
    const two = { ...options, pairsAnImage: 2 }
    const questions = makePopeQuestions(images, 'random', two)
    expect(questions).toEqual(makePopeQuestions(images, 'random', two))
    expect(questions).not.toEqual(makePopeQuestions(images, 'random', { ...two, seed: 2 }))
    for (const { id, fileName, objects } of images) {
      const asked = questions.filter((question) => question.image === fileName).map(({ text }) => text)
      expect(new Set(asked).size, `image ${id}`).toBe(4)
      for (const text of asked.filter((_, i) => i % 2 === 1)) {
        expect(
          [...objects].some((name) => text.includes(` ${name} `)),
          text,
        ).toBe(false)
      }
    }
  })

  test('leave out images with too few objects, and need objects that are absent', () => {
    const two = makePopeQuestions(images, 'popular', { ...options, pairsAnImage: 2 })
    expect(two).toHaveLength(24)
    expect(makePopeQuestions(images.slice(0, 1), 'popular', { ...options, pairsAnImage: 3 })).toEqual([])
    expect(() => makePopeQuestions(images.slice(0, 1), 'popular', options)).toThrow(
      expect.objectContaining({ code: 'run.pope', where: '1.jpg' }),
    )
  })
})

describe("POPE's files and answers", () => {
  test('are read as they were written, and in the form of the benchmark', async () => {
    const questions = makePopeQuestions(images, 'random', options)
    const path = join(folder, 'questions.json')
    await writeFile(path, toJsonLines(questions))
    expect(await readPopeQuestions(path)).toEqual(questions)
    const line =
      '{"question_id": 1, "image": "COCO_val2014_000000310196.jpg", "text": "Is there a snowboard in the image?", "label": "yes"}'
    await writeFile(path, `${line}\n`)
    expect((await readPopeQuestions(path))[0]).toMatchObject({ question_id: 1, label: 'yes' })
    const answers = join(folder, 'answers.json')
    await writeFile(answers, '{"question": "is there a bird in the image?", "answer": "yes"}\r\n{"answer":"No"}\n')
    expect((await readPopeAnswers(answers)).map(({ answer }) => answer)).toEqual(['yes', 'No'])
    await writeFile(answers, '{"answer":"No"}\n{"answer":1}\n')
    await expect(readPopeAnswers(answers)).rejects.toMatchObject({ code: 'run.pope', where: `${answers}, line 2` })
  })

  test.each([
    ['Yes, there is a dog.', 'yes'],
    ['No, there is no dog.', 'no'],
    ['There is not a dog in the image', 'no'],
    ['There is no, dog', 'no'],
    // Only the first sentence counts.
    ['It is a cat. There is no dog.', 'yes'],
    // As published: whole words, by case, and anything else is a yes.
    ['NO', 'yes'],
    ["There isn't a dog", 'yes'],
    ['Nothing', 'yes'],
    ['', 'yes'],
  ] as const)('"%s" means %s', (text, expected) => {
    expect(parsePopeAnswer(text)).toBe(expected)
  })

  test('give the figures of evaluate.py', () => {
    const labels = ['yes', 'no', 'yes', 'no', 'yes', 'yes', 'no', 'yes'] as const
    const questions = labels.map((label, i) => ({ question_id: i, image: 'a.jpg', text: '?', label }))
    const answers = ['Yes', 'Yes', 'No', 'no', 'yes', 'yes', 'no', 'no'].map((answer) => ({ answer }))
    // TP 3, FP 1, FN 2, TN 2: no two of the figures are the same number.
    const figures = yesNoFigures(judgePope(questions, answers))
    expect(figures).toEqual({ n: 8, accuracy: 5 / 8, precision: 3 / 4, recall: 3 / 5, f1: 6 / 9, yesRate: 4 / 8 })
    expect(yesNoFigures([{ label: 'no', answer: 'no' }])).toMatchObject({ accuracy: 1, precision: null, f1: null })
    expect(() => judgePope(questions, answers.slice(1))).toThrow(expect.objectContaining({ code: 'run.pope' }))
  })
})

test('POPE: answers in another order are refused where they say what they answer', () => {
  const questions = ['dog', 'cat'].map((name, i) => ({
    ...{ question_id: i, image: 'a.jpg', text: `Is there a ${name} in the image?`, label: 'yes' as const },
  }))
  const answers = ['dog', 'cat'].map((name) => ({ question: `is there a ${name} in the image? `, answer: 'yes' }))
  expect(judgePope(questions, answers)).toHaveLength(2)
  expect(() => judgePope(questions, answers.toReversed())).toThrow(
    expect.objectContaining({ code: 'run.pope', where: 'answer 1', expected: questions[0]?.text }),
  )
})

describe('MME', () => {
  test('texts find their images whatever the case and the accents; without one, or with two, the folder is refused', async () => {
    const subtask = join(folder, 'mme names', 'posters')
    await mkdir(subtask, { recursive: true })
    await writeFile(join(subtask, 'Cafe\u0301.JPG'), '')
    await writeFile(join(subtask, 'caf\u00e9.txt'), 'Is it a film?\tYes\n')
    const read = () => readMmeFolder(join(folder, 'mme names'))
    expect((await read())[0]).toMatchObject({ image: 'Cafe\u0301.JPG', imagePath: join(subtask, 'Cafe\u0301.JPG') })
    await writeFile(join(subtask, 'other.txt'), 'Is it a film?\tYes\n')
    await expect(read()).rejects.toMatchObject({ code: 'run.mme', where: join(subtask, 'other.txt') })
    await writeFile(join(subtask, 'other.png'), '')
    expect(await read()).toHaveLength(2)
    await writeFile(join(subtask, 'OTHER.jpg'), '')
    await expect(read()).rejects.toMatchObject({ code: 'run.mme', found: 'OTHER.jpg, other.png' })
  })

  test('folders are read in each of their forms', async () => {
    const root = join(folder, 'mme')
    const plain = join(root, 'existence')
    const parted = join(root, 'OCR')
    for (const path of [plain, join(parted, 'images'), join(parted, 'questions_answers_YN')]) {
      await mkdir(path, { recursive: true })
    }
    await writeFile(join(plain, '0001.jpg'), '')
    await writeFile(join(plain, '0001.txt'), 'Is there a cup?\tYes\nIs there a dog?\tNo\n')
    await writeFile(join(parted, 'images', 'a.png'), '')
    await writeFile(join(parted, 'questions_answers_YN', 'a.txt'), 'Does it say "up"?\tyes.\r\n')
    await writeFile(join(root, 'count.tsv'), '7.jpg\tAre there two?\tNo\tno\n')
    expect(await readMmeFolder(root)).toEqual<MmeQuestion[]>([
      {
        subtask: 'OCR',
        image: 'a.png',
        imagePath: join(parted, 'images', 'a.png'),
        question: 'Does it say "up"?',
        label: 'yes',
      },
      { subtask: 'count', image: '7.jpg', imagePath: null, question: 'Are there two?', label: 'no' },
      {
        subtask: 'existence',
        image: '0001.jpg',
        imagePath: join(plain, '0001.jpg'),
        question: 'Is there a cup?',
        label: 'yes',
      },
      {
        subtask: 'existence',
        image: '0001.jpg',
        imagePath: join(plain, '0001.jpg'),
        question: 'Is there a dog?',
        label: 'no',
      },
    ])
    const bad = join(root, 'count.tsv')
    for (const line of ['7.jpg\tAre there two?', '7.jpg\tAre there two?\tperhaps']) {
      await writeFile(bad, `${line}\n`)
      await expect(readMmeFolder(root)).rejects.toMatchObject({ code: 'run.mme', where: `${bad}, line 1` })
    }
    await expect(readMmeFolder(join(root, 'missing'))).rejects.toMatchObject({ code: 'run.mme' })
  })

  test.each([
    ['Yes', 'yes'],
    ['yes, it is', 'yes'],
    ['No.', 'no'],
    [' no', 'no'],
    ['not sure', 'no'],
    ['It is', 'other'],
    // Only the first four characters count.
    ['The answer is yes', 'other'],
    ['It says no', 'other'],
    ['', 'other'],
  ] as const)('"%s" means %s', (text, expected) => {
    expect(parseMmeAnswer(text)).toBe(expected)
  })

  test('scores are accuracy and accuracy+ in per cent, summed by part', () => {
    const ask = (subtask: string, name: string): MmeQuestion[] =>
      (['yes', 'no'] as const).map((label) => ({ subtask, image: name, imagePath: null, question: '?', label }))
    const questions = [
      ...ask('existence', 'a'),
      ...ask('existence', 'b'),
      ...ask('code_reasoning', 'c'),
      ...ask('own', 'd'),
    ]
    const figures = scoreMme(questions, ['Yes', 'No', 'Yes', 'Yes', 'maybe', 'no', 'yes', 'no'])
    expect(figures.subtasks).toEqual([
      { subtask: 'existence', questions: 4, images: 2, accuracy: 3 / 4, accuracyPlus: 1 / 2, score: 125 },
      { subtask: 'code_reasoning', questions: 2, images: 1, accuracy: 1 / 2, accuracyPlus: 0, score: 50 },
      { subtask: 'own', questions: 2, images: 1, accuracy: 1, accuracyPlus: 1, score: 200 },
    ])
    expect(figures).toMatchObject({ perception: 125, cognition: 50 })
    expect(() => scoreMme(questions, [])).toThrow(expect.objectContaining({ code: 'run.mme' }))
  })
})
