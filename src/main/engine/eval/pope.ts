// POPE: is there a certain object in the image? Questions from annotations by three samplings, files as the benchmark
// writes them, and its reading of answers. Before it stand annotations and answers, after it yesNo.ts.
// Li et al., "Evaluating Object Hallucination in Large Vision-Language Models", EMNLP 2023; github.com/AoiDragon/POPE.
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { StudioError } from '../../../shared/errors.ts'
import { Rng } from '../rng.ts'
import type { AnnotatedImage } from './cocoAnnotations.ts'
import type { Answer, Judgement } from './yesNo.ts'

/**
 * Where the objects that are not in the image come from: anywhere; the ones in most images; the ones most often in
 * images together with the object asked for before.
 */
export const popeSamplings = ['random', 'popular', 'adversarial'] as const
export type PopeSampling = (typeof popeSamplings)[number]

/** A line of a question file. */
export const popeQuestionSchema = z.object({
  question_id: z.union([z.number(), z.string()]),
  image: z.string(),
  text: z.string(),
  label: z.enum(['yes', 'no']),
})
export type PopeQuestion = z.infer<typeof popeQuestionSchema>

/** A line of an answer file; the benchmark matches them to questions by their order. */
export const popeAnswerSchema = z.object({ question: z.string().optional(), answer: z.string() })
export type PopeAnswer = z.infer<typeof popeAnswerSchema>

export interface PopeOptions {
  readonly seed: number
  /** Objects in the image that are asked for, each followed by one that is not; images with fewer are left out. */
  readonly pairsAnImage: number
  /** `{}` stands for the object with its article. */
  readonly template: string
}

/** The paper's: three pairs an image. */
export const defaultPopeOptions: Omit<PopeOptions, 'seed'> = { pairsAnImage: 3, template: 'Is there {} in the image?' }

/**
 * Questions about images, pairs of yes and no in turn. Present objects are taken in the order of the annotations, as
 * the benchmark's script does; no object is asked for twice about an image. Ties in frequency go by name.
 * @throws StudioError `run.pope` when the annotations know too few objects to ask for absent ones
 */
export function makePopeQuestions(
  images: readonly AnnotatedImage[],
  sampling: PopeSampling,
  options: PopeOptions,
): PopeQuestion[] {
  const rng = new Rng({ seed: options.seed })
  const statistics = countObjects(images)
  const questions: PopeQuestion[] = []
  for (const { fileName, objects } of images) {
    if (objects.size < options.pairsAnImage) continue
    const asked = new Set<string>()
    for (const present of [...objects].slice(0, options.pairsAnImage)) {
      const isFree = (name: string) => !objects.has(name) && !asked.has(name)
      const absent = chooseAbsent(present, sampling, statistics, isFree, rng)
      if (absent === undefined) throw tooFewObjects(fileName, statistics.byFrequency.length)
      asked.add(absent)
      for (const [name, label] of [
        [present, 'yes'],
        [absent, 'no'],
      ] as const) {
        const text = options.template.replace('{}', () => withArticle(name))
        questions.push({ question_id: questions.length + 1, image: fileName, text, label })
      }
    }
  }
  return questions
}

interface ObjectStatistics {
  /** All objects, in most images first. */
  readonly byFrequency: readonly string[]
  /** For each object the others that are in images with it, most often first. */
  readonly byCoOccurrence: ReadonlyMap<string, readonly string[]>
}

function countObjects(images: readonly AnnotatedImage[]): ObjectStatistics {
  const frequency = new Map<string, number>()
  const together = new Map<string, Map<string, number>>()
  const increase = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)
  for (const { objects } of images) {
    for (const name of objects) {
      increase(frequency, name)
      const others = together.get(name) ?? new Map<string, number>()
      together.set(name, others)
      for (const other of objects) if (other !== name) increase(others, other)
    }
  }
  const falling = (counts: Map<string, number>) =>
    [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([name]) => name)
  return {
    byFrequency: falling(frequency),
    byCoOccurrence: new Map([...together].map(([name, others]) => [name, falling(others)])),
  }
}

/** The sampling's first free object; where it has none, a random one, as in the benchmark. */
function chooseAbsent(
  present: string,
  sampling: PopeSampling,
  { byFrequency, byCoOccurrence }: ObjectStatistics,
  isFree: (name: string) => boolean,
  rng: Rng,
): string | undefined {
  const ranked = { random: [], popular: byFrequency, adversarial: byCoOccurrence.get(present) ?? [] }[sampling]
  const free = byFrequency.filter(isFree)
  return ranked.find(isFree) ?? (free.length === 0 ? undefined : free[rng.below(free.length)])
}

function withArticle(name: string): string {
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`
}

/**
 * What an answer says, by the benchmark's evaluate.py: of its first sentence, commas left out, a word "No", "no" or
 * "not" means no, and anything else means yes.
 */
export function parsePopeAnswer(text: string): Answer {
  const words = (text.split('.')[0] as string).replaceAll(',', '').split(' ')
  return words.some((word) => word === 'No' || word === 'no' || word === 'not') ? 'no' : 'yes'
}

/**
 * Answers beside what is right, by order.
 * @throws StudioError `run.pope` when their numbers differ, or an answer says that it is to another question
 */
export function judgePope(questions: readonly PopeQuestion[], answers: readonly PopeAnswer[]): Judgement[] {
  if (questions.length !== answers.length) {
    throw popeError('There is not one answer to each question.', {
      expected: `${questions.length} answers`,
      found: `${answers.length} answers`,
    })
  }
  return questions.map(({ label, text }, i) => {
    const { question, answer } = answers[i] as PopeAnswer
    if (question !== undefined && spelling(question) !== spelling(text)) {
      throw popeError('The answers are not in the order of their questions.', {
        ...{ where: `answer ${i + 1}`, expected: text, found: question },
      })
    }
    return { label, answer: parsePopeAnswer(answer) }
  })
}

/** The benchmark's answer files write questions in lower case. */
function spelling(question: string): string {
  return question.normalize('NFC').toLowerCase().replace(/\s+/g, ' ').trim()
}

/** Lines of JSON, as the benchmark writes them. */
export function toJsonLines(lines: readonly (PopeQuestion | PopeAnswer)[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
}

/** @throws StudioError `run.pope` with the line that is wrong */
export function readPopeQuestions(path: string): Promise<PopeQuestion[]> {
  return readJsonLines(path, popeQuestionSchema)
}

/** @throws StudioError `run.pope` with the line that is wrong */
export function readPopeAnswers(path: string): Promise<PopeAnswer[]> {
  return readJsonLines(path, popeAnswerSchema)
}

async function readJsonLines<T>(path: string, schema: z.ZodType<T>): Promise<T[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw popeError('The file cannot be read.', { where: path }, cause)
  })
  const lines = text.split(/\r?\n/)
  return lines.flatMap((line, i) => {
    if (line.trim() === '') return []
    let parsed: unknown
    try {
      parsed = JSON.parse(line)
    } catch (cause) {
      throw popeError('A line is not JSON.', { where: `${path}, line ${i + 1}` }, cause)
    }
    const result = schema.safeParse(parsed)
    if (result.success) return [result.data]
    const [issue] = result.error.issues
    const found = `${issue?.path.join('.')}: ${issue?.message}`
    throw popeError('A line is not as the benchmark has it.', { where: `${path}, line ${i + 1}`, found })
  })
}

function tooFewObjects(fileName: string, objects: number): StudioError {
  return popeError('There is no object left to ask for that is not in an image.', {
    where: fileName,
    expected: 'annotations with more kinds of objects, or fewer questions an image',
    found: `${objects} kinds of objects`,
  })
}

function popeError(
  what: string,
  facts: { where?: string; expected?: string; found?: string },
  cause?: unknown,
): StudioError {
  const message = `The POPE questions or answers cannot be used. ${what}`
  const remedy = 'Compare the file with those of the benchmark: one JSON object a line.'
  return new StudioError({ code: 'run.pope', message, remedy, ...facts }, { cause })
}
