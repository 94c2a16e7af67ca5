// What takes part in an evaluation: images of the workspace, or those of a person's folder with what their benchmark asks
// and knows of them. Before it stands a measure, after it the rows that evaluateWorkspace.ts answers one by one.
import { basename, join } from 'node:path'
import { z } from 'zod'
import type { AnnotationJoin } from '../../../shared/annotationJoin.ts'
import { allImages } from '../../../shared/domain.ts'
import { StudioError } from '../../../shared/errors.ts'
import type { ImageChoice, Measure } from '../../../shared/evaluations.ts'
import type { ReadableDb } from '../../db/connection.ts'
import type { EvaluationItem } from '../../db/evaluations.ts'
import { everyImage, imageWindow } from '../../db/images.ts'
import { readAmberFolder, readAmberQueries } from '../eval/amberFiles.ts'
import { readMmeFolder } from '../eval/mme.ts'
import { defaultPopeOptions, makePopeQuestions, type PopeQuestion, readPopeQuestions } from '../eval/pope.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import { annotatedFiles, pathsOf } from './annotatedImages.ts'

/** What is right of an item, as it is stored. */
export const chairTruthSchema = z.object({ objects: z.array(z.string()) })
export type ChairTruth = z.infer<typeof chairTruthSchema>
/** `group`: the subtask of MME. */
export const yesNoTruthSchema = z.object({ label: z.enum(['yes', 'no']), group: z.string().exactOptional() })
/** Id of the annotation. */
export const amberTruthSchema = z.object({ id: z.number().int().positive(), label: z.enum(['yes', 'no']).nullable() })

export interface FoundItems {
  readonly items: readonly EvaluationItem[]
  readonly annotations: AnnotationJoin | null
  /** Objects that the annotations can judge. */
  readonly judged: ReadonlySet<string> | null
  /** Files that must stay as they are until the evaluation is done. */
  readonly sources: readonly string[]
}

type Unnumbered = Omit<EvaluationItem, 'item'>
const nothing = { annotations: null, judged: null, sources: [] } as const

/**
 * @throws StudioError `run.no-images`, `run.annotations`, `run.pope`, `run.mme`, `run.amber`: nothing to ask, or what a
 *   person's file has that cannot be used
 */
export async function findItems(db: ReadableDb, measure: Measure, lexicon: Lexicon): Promise<FoundItems> {
  const { items, ...found } = await read(db, measure, lexicon)
  if (items.length === 0) throw noImages()
  return { items: items.map((item, i) => ({ item: i, ...item })), ...found }
}

type Found = Omit<FoundItems, 'items'> & { readonly items: readonly Unnumbered[] }

async function read(db: ReadableDb, measure: Measure, lexicon: Lexicon): Promise<Found> {
  switch (measure.kind) {
    case 'annotation-free':
      return { ...nothing, items: workspaceImages(db, measure.images, measure.most) }
    case 'chair': {
      const { imageFolder, annotationFile, most } = measure
      const { images, judged, join } = await annotatedFiles(imageFolder, annotationFile, lexicon, most)
      const items = images.map(({ path, fileName, objects }) => {
        return { ...outside(path, fileName), question: null, truth: { objects: [...objects] } }
      })
      return { items, annotations: join, judged, sources: [annotationFile] }
    }
    case 'pope':
      return await popeItems(measure, lexicon)
    case 'mme': {
      const questions = firstImages(await readMmeFolder(measure.folder), measure.most, ({ subtask, image }) =>
        join(subtask, image),
      )
      const items = questions.map(({ subtask, image, imagePath, question, label }) => ({
        ...outside(imagePath ?? join(measure.folder, subtask, image), `${subtask}/${image}`),
        ...{ question, truth: { label, group: subtask } },
      }))
      return { ...nothing, items }
    }
    case 'amber':
      return await amberItems(measure)
  }
}

async function popeItems(
  { imageFolder, questions, most }: Measure & { kind: 'pope' },
  lexicon: Lexicon,
): Promise<Found> {
  if (questions.from === 'file') {
    const read = firstImages(await readPopeQuestions(questions.file), most, ({ image }) => image)
    return { ...nothing, items: await inFolder(imageFolder, read.map(popeItem)), sources: [questions.file] }
  }
  const { images, judged, join: annotations } = await annotatedFiles(imageFolder, questions.file, lexicon, most)
  const paths = new Map(images.map(({ fileName, path }) => [fileName, path]))
  const made = makePopeQuestions(
    images.map(({ fileName, objects }) => ({ id: fileName, fileName, objects })),
    questions.sampling,
    { ...defaultPopeOptions, seed: 0 },
  )
  const items = made.map((question) => ({ ...popeItem(question), path: paths.get(question.image) ?? question.image }))
  return { items, annotations, judged, sources: [questions.file] }
}

function popeItem({ image, text, label }: PopeQuestion): Unnumbered {
  return { ...outside(image, image), question: text, truth: { label } }
}

async function amberItems({ dataFolder, queryFile, imageFolder, most }: Measure & { kind: 'amber' }): Promise<Found> {
  const benchmark = await readAmberFolder(dataFolder)
  const queries = firstImages(await readAmberQueries(queryFile, benchmark), most, ({ image }) => image)
  const items = queries.map(({ id, image, query }) => {
    const annotation = benchmark.annotations[id - 1]
    const label = annotation && annotation.type !== 'generative' ? annotation.truth : null
    return { ...outside(image, image), question: query, truth: { id, label } }
  })
  const sources = [queryFile, join(dataFolder, 'annotations.json'), join(dataFolder, 'relation.json')]
  return { ...nothing, items: await inFolder(imageFolder, items), sources }
}

function outside(path: string, name: string): Omit<Unnumbered, 'question' | 'truth'> {
  return { imageId: null, path, name }
}

/** Those that ask about the first so many images. */
function firstImages<T>(questions: readonly T[], most: number | null, imageOf: (question: T) => string): readonly T[] {
  if (most === null) return questions
  const images = new Set<string>()
  return questions.filter((question) => {
    const image = imageOf(question)
    if (images.size < most) images.add(image)
    return images.has(image)
  })
}

/** With the files' places. One that is not there keeps its name, so that it is counted as unreadable by that. */
async function inFolder(folder: string, items: readonly Unnumbered[]): Promise<Unnumbered[]> {
  const names = [...new Set(items.map(({ name }) => name))]
  const paths = await pathsOf(folder, names)
  const pathOf = new Map(names.map((name, i) => [name, paths[i] ?? join(folder, name)]))
  return items.map((item) => ({ ...item, path: pathOf.get(item.name) ?? item.path }))
}

/** Rows of the workspace that are read at once. */
const window = 500

function workspaceImages(db: ReadableDb, choice: ImageChoice, most: number | null): Unnumbered[] {
  const limit = most ?? Number.POSITIVE_INFINITY
  const itemOf = ({ imageId, path, name = basename(path) }: { imageId: number; path: string; name?: string }) => {
    return { imageId, path, name, question: null, truth: null }
  }
  if (choice.from === 'all')
    return everyImage(db)
      .slice(0, most ?? undefined)
      .map((image) => itemOf(image))
  const query = choice.from === 'tag' ? { ...allImages, tag: choice.tag } : choice.query
  const items: Unnumbered[] = []
  for (let more = true; more && items.length < limit; ) {
    const rows = imageWindow(db, query, items.length, Math.min(window, limit - items.length))
    items.push(...rows.map(({ imageId, path, name }) => itemOf({ imageId, path, name })))
    more = rows.length === window
  }
  return items
}

function noImages(): StudioError {
  return new StudioError({
    code: 'run.no-images',
    message: 'There is no image to evaluate on.',
    remedy: 'Choose other images, or a file that asks about at least one.',
    expected: 'at least 1 image',
    found: 'none',
  })
}
