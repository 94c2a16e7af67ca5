// MME: yes-or-no questions in pairs about each image, by subtask, from a local folder as the benchmark ships it.
// Before it stand the folder and the model's answers, after it yesNo.ts.
// Fu et al., "MME: A Comprehensive Evaluation Benchmark for Multimodal Large Language Models", 2023.
import type { Dirent } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { z } from 'zod'
import { StudioError } from '../../../shared/errors.ts'
import { type Answer, type Judgement, yesNoFigures } from './yesNo.ts'

const answerSchema = z
  .string()
  .transform((text) => text.trim().toLowerCase().replace(/\.$/, ''))
  .pipe(z.enum(['yes', 'no']))

/** A question about an image of a subtask. */
export interface MmeQuestion {
  readonly subtask: string
  /** File name within the subtask's folder of images. */
  readonly image: string
  /** The image file, where the folder has it. */
  readonly imagePath: string | null
  readonly question: string
  readonly label: Answer
}

/** The benchmark's two parts; subtasks of other names count in neither. */
export const mmeParts = {
  perception: [
    'existence',
    'count',
    'position',
    'color',
    'posters',
    'celebrity',
    'scene',
    'landmark',
    'artwork',
    'OCR',
  ],
  cognition: ['commonsense_reasoning', 'numerical_calculation', 'text_translation', 'code_reasoning'],
} as const

const imageExtensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.bmp'])
const textExtensions = new Set(['.txt', '.tsv'])

/**
 * All questions of a folder, by subtask and image. Each subtask is
 * - a folder with a text file for each image, of lines `question <tab> answer`, beside the images or with the texts in
 *   `questions_answers_YN` and the images in `images`; or
 * - a file `<subtask>.txt` or `.tsv` of lines `image <tab> question <tab> answer`; further columns are passed over.
 * @throws StudioError `run.mme` when the folder cannot be read or has no questions, when a text lacks its image or has two,
 *   or with the line that is wrong
 */
export async function readMmeFolder(folder: string): Promise<MmeQuestion[]> {
  const entries = await list(folder)
  const questions: MmeQuestion[] = []
  for (const entry of entries) {
    const path = join(folder, entry.name)
    const extension = extname(entry.name).toLowerCase()
    if (entry.isDirectory()) questions.push(...(await readSubtaskFolder(entry.name, path)))
    else if (entry.isFile() && textExtensions.has(extension)) {
      questions.push(...(await readSubtaskFile(entry.name.slice(0, -extension.length), path)))
    }
  }
  if (questions.length > 0) return questions
  throw mmeError('It has no questions.', { where: folder, expected: 'one folder or text file for each subtask' })
}

async function readSubtaskFolder(subtask: string, folder: string): Promise<MmeQuestion[]> {
  const entries = await list(folder)
  const inFolders = entries.some((entry) => entry.isDirectory() && entry.name === 'questions_answers_YN')
  const textFolder = inFolders ? join(folder, 'questions_answers_YN') : folder
  const imageFolder = inFolders ? join(folder, 'images') : folder
  const imageNames = (inFolders ? await list(imageFolder) : entries).filter((entry) => entry.isFile())
  const imageOf = new Map<string, string>()
  for (const { name } of imageNames) {
    if (!imageExtensions.has(extname(name).toLowerCase())) continue
    const other = imageOf.get(stemOf(name))
    // Which of the two is asked about nobody can say.
    if (other !== undefined) throw twoImages(imageFolder, other, name)
    imageOf.set(stemOf(name), name)
  }
  const questions: MmeQuestion[] = []
  for (const entry of inFolders ? await list(textFolder) : entries) {
    if (!entry.isFile() || !textExtensions.has(extname(entry.name).toLowerCase())) continue
    const image = imageOf.get(stemOf(entry.name))
    // A folder without any image holds questions alone.
    if (image === undefined && imageOf.size > 0) throw noImage(join(textFolder, entry.name), imageFolder)
    const imagePath = image === undefined ? null : join(imageFolder, image)
    for (const { columns, where } of await readLines(join(textFolder, entry.name), 2)) {
      const [question, answer] = columns as [string, string]
      questions.push({
        subtask,
        image: image ?? entry.name.slice(0, -extname(entry.name).length),
        imagePath,
        question,
        label: parseLabel(answer, where),
      })
    }
  }
  return questions
}

/** A file name without its extension, whatever its case and the way its accents are written. */
function stemOf(name: string): string {
  return name.slice(0, -extname(name).length).normalize('NFC').toLowerCase()
}

function twoImages(where: string, one: string, other: string): StudioError {
  return mmeError('Two images have the same name.', {
    where,
    expected: 'one image for each text',
    found: `${one}, ${other}`,
  })
}

function noImage(where: string, folder: string): StudioError {
  return mmeError('The image that a text asks about is not there.', {
    where,
    expected: `an image of its name in ${folder}`,
  })
}

async function readSubtaskFile(subtask: string, path: string): Promise<MmeQuestion[]> {
  return (await readLines(path, 3)).map(({ columns, where }) => {
    const [image, question, answer] = columns as [string, string, string]
    return { subtask, image, imagePath: null, question, label: parseLabel(answer, where) }
  })
}

async function list(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw mmeError('It cannot be read.', { where: folder }, cause)
  })
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function readLines(path: string, leastColumns: number): Promise<{ columns: string[]; where: string }[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw mmeError('A file cannot be read.', { where: path }, cause)
  })
  return text.split(/\r?\n/).flatMap((line, i) => {
    if (line.trim() === '') return []
    const columns = line.split('\t')
    const where = `${path}, line ${i + 1}`
    if (columns.length >= leastColumns) return [{ columns, where }]
    const facts = { where, expected: `${leastColumns} columns with tabs between`, found: `${columns.length}` }
    throw mmeError('A line has too few columns.', facts)
  })
}

function parseLabel(text: string, where: string): Answer {
  const answer = answerSchema.safeParse(text)
  if (answer.success) return answer.data
  throw mmeError('An answer is neither yes nor no.', { where, expected: 'yes or no', found: text.slice(0, 80) })
}

/**
 * What an answer says, by the benchmark's calculation.py: "yes" or "no" within its first four characters in lower
 * case, else neither.
 */
export function parseMmeAnswer(text: string): Answer | 'other' {
  const beginning = text.toLowerCase().slice(0, 4)
  if (beginning.includes('yes')) return 'yes'
  return beginning.includes('no') ? 'no' : 'other'
}

export interface MmeSubtaskFigures {
  readonly subtask: string
  readonly questions: number
  readonly images: number
  /** Share of questions answered right. */
  readonly accuracy: number
  /** accuracy+: share of images of which all questions are answered right. */
  readonly accuracyPlus: number
  /** 100 (accuracy + accuracy+), at most 200. */
  readonly score: number
}

export interface MmeFigures {
  readonly subtasks: readonly MmeSubtaskFigures[]
  /** Sums of the scores of the parts' subtasks. */
  readonly perception: number
  readonly cognition: number
}

/** Figures of all subtasks, in the order of the questions. @param answers the model's, one for each question in order */
export function scoreMme(questions: readonly MmeQuestion[], answers: readonly string[]): MmeFigures {
  if (questions.length !== answers.length) {
    const facts = { expected: `${questions.length} answers`, found: `${answers.length} answers` }
    throw mmeError('There is not one answer to each question.', facts)
  }
  const bySubtask = new Map<string, Map<string, Judgement[]>>()
  for (const [i, { subtask, image, label }] of questions.entries()) {
    const byImage = bySubtask.get(subtask) ?? new Map<string, Judgement[]>()
    bySubtask.set(subtask, byImage)
    const judgement = { label, answer: parseMmeAnswer(answers[i] as string) }
    byImage.set(image, [...(byImage.get(image) ?? []), judgement])
  }
  const subtasks = [...bySubtask].map(([subtask, byImage]) => figuresOf(subtask, [...byImage.values()]))
  const total = (names: readonly string[]) =>
    subtasks.filter(({ subtask }) => names.includes(subtask)).reduce((sum, { score }) => sum + score, 0)
  return { subtasks, perception: total(mmeParts.perception), cognition: total(mmeParts.cognition) }
}

function figuresOf(subtask: string, images: readonly (readonly Judgement[])[]): MmeSubtaskFigures {
  const judgements = images.flat()
  const accuracy = yesNoFigures(judgements).accuracy ?? 0
  const whole = images.filter((image) => image.every(({ label, answer }) => label === answer)).length
  const accuracyPlus = whole / images.length
  const score = 100 * (accuracy + accuracyPlus)
  return { subtask, questions: judgements.length, images: images.length, accuracy, accuracyPlus, score }
}

function mmeError(
  what: string,
  facts: { where?: string; expected?: string; found?: string },
  cause?: unknown,
): StudioError {
  const message = `The MME folder or its answers cannot be used. ${what}`
  const remedy = 'Choose the folder that holds the subtasks as the benchmark ships them.'
  return new StudioError({ code: 'run.mme', message, remedy, ...facts }, { cause })
}
