// AMBER's files as the benchmark ships them: annotations, related words, safe words, queries; and responses, which are
// written and read back. Before it stand a local folder and the model's responses, after it amber.ts.
// Wang et al., "AMBER: An LLM-free Multi-dimensional Benchmark for MLLMs Hallucination Evaluation", 2023,
// arXiv 2311.07397; github.com/junyangwang0410/AMBER, its folder `data`.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { StudioError } from '../../../shared/errors.ts'

/** What yes-or-no queries ask about, by the annotations' types; the benchmark writes relations in two ways. */
export const amberKindOfType = {
  'discriminative-hallucination': 'existence',
  'discriminative-attribute-state': 'state',
  'discriminative-attribute-number': 'number',
  'discriminative-attribute-action': 'action',
  'discriminative-relation': 'relation',
  relation: 'relation',
} as const
type AmberType = keyof typeof amberKindOfType
export type AmberKind = (typeof amberKindOfType)[AmberType]

const idSchema = z.number().int().positive()
const wordSchema = z
  .string()
  .trim()
  .min(1)
  .transform((word) => word.toLowerCase())

const annotationSchema = z.discriminatedUnion('type', [
  z.object({
    id: idSchema,
    type: z.literal('generative'),
    /** Objects of the image, in the annotators' order; one that is there twice may stand twice. */
    truth: z.array(wordSchema),
    /** Objects that are not in it, and that a model might well see there. */
    hallu: z.array(wordSchema),
  }),
  z.object({
    id: idSchema,
    type: z.enum(Object.keys(amberKindOfType) as [AmberType, ...AmberType[]]),
    truth: z.enum(['yes', 'no']),
  }),
])
/** What is right for a query: the objects of the image, or yes or no. */
export type AmberAnnotation = z.infer<typeof annotationSchema>
export type AmberDescription = Extract<AmberAnnotation, { type: 'generative' }>

const querySchema = z.object({ id: idSchema, image: z.string().min(1), query: z.string().min(1) })
/** An entry of a query file; `image` is a file name. */
export type AmberQuery = z.infer<typeof querySchema>

const responseSchema = z.object({ id: idSchema, response: z.string() })
/** An entry of a response file, by the id of its query. */
export type AmberResponse = z.infer<typeof responseSchema>

const relationsSchema = z.record(wordSchema, z.array(wordSchema))

/** What responses are scored by. All words are in lower case. */
export interface AmberBenchmark {
  /** The annotation with id `i` at place `i - 1`. */
  readonly annotations: readonly AmberAnnotation[]
  /** The words that name an object as well, by the object; every annotated object is a key. */
  readonly related: ReadonlyMap<string, readonly string[]>
  /** Words that never count as a hallucination, nor as an object that is covered. */
  readonly safeWords: ReadonlySet<string>
}

/**
 * The benchmark's annotations and lists of words.
 * @param folder with `annotations.json`, `relation.json` and `safe_words.txt`: the benchmark's `data`
 * @throws StudioError `run.amber` with the file and the entry that is wrong
 */
export async function readAmberFolder(folder: string): Promise<AmberBenchmark> {
  const annotationsPath = join(folder, 'annotations.json')
  const relationsPath = join(folder, 'relation.json')
  const annotations = await readJson(annotationsPath, z.array(annotationSchema))
  const related = new Map(Object.entries(await readJson(relationsPath, relationsSchema)))
  for (const [i, annotation] of annotations.entries()) {
    const where = `${annotationsPath}, entry ${i + 1}`
    if (annotation.id !== i + 1) {
      const facts = { where, expected: `id ${i + 1}`, found: `id ${annotation.id}` }
      throw amberError('The annotations of AMBER are not in the order of their ids.', facts)
    }
    if (annotation.type !== 'generative') continue
    const unknown = [...annotation.truth, ...annotation.hallu].find((object) => !related.has(object))
    if (unknown === undefined) continue
    const facts = { where, expected: `an object of ${relationsPath}`, found: unknown }
    throw amberError('The annotations of AMBER have an object that its list of related words does not have.', facts)
  }
  const safeWords = (await readText(join(folder, 'safe_words.txt'))).split(/\r?\n/)
  const lower = safeWords.map((word) => word.trim().toLowerCase()).filter((word) => word !== '')
  return { annotations, related, safeWords: new Set(lower) }
}

/**
 * The queries of a file: all of the benchmark or those of one of its tasks.
 * @throws StudioError `run.amber` when one is not in the annotations, or there twice, or there are none
 */
export async function readAmberQueries(path: string, { annotations }: AmberBenchmark): Promise<AmberQuery[]> {
  const queries = await readJson(path, z.array(querySchema))
  if (queries.length === 0) {
    throw amberError('The query file of AMBER has no queries.', { where: path, expected: 'at least 1', found: '0' })
  }
  const seen = new Set<number>()
  for (const [i, { id }] of queries.entries()) {
    const where = `${path}, entry ${i + 1}`
    if (id > annotations.length) {
      const facts = { where, expected: `ids from 1 to ${annotations.length}`, found: `id ${id}` }
      throw amberError('A query of AMBER has no annotation.', facts)
    }
    if (seen.has(id)) throw amberError('A query of AMBER is there twice.', { where, found: `id ${id}` })
    seen.add(id)
  }
  return queries
}

/**
 * The response to each query, in the order of the queries; in the file they may stand in any.
 * @throws StudioError `run.amber` when a query has none or two, or a response has no query
 */
export async function readAmberResponses(path: string, queries: readonly AmberQuery[]): Promise<AmberResponse[]> {
  const remedy = 'Choose the responses to the queries of this query file, one to each.'
  const asked = new Set(queries.map(({ id }) => id))
  const byId = new Map<number, AmberResponse>()
  for (const [i, response] of (await readJson(path, z.array(responseSchema), responsesRemedy)).entries()) {
    const facts = { where: `${path}, entry ${i + 1}`, found: `id ${response.id}` }
    if (!asked.has(response.id)) throw amberError('A response is to a query that was not asked.', facts, remedy)
    if (byId.has(response.id)) throw amberError('A query has two responses.', facts, remedy)
    byId.set(response.id, response)
  }
  return queries.map(({ id }) => {
    const response = byId.get(id)
    if (response) return response
    const facts = { where: path, expected: `${queries.length} responses`, found: `${byId.size}, none to id ${id}` }
    throw amberError('A query has no response.', facts, remedy)
  })
}

/**
 * The text of a response file. Answers to yes-or-no queries become the "Yes" or "No" that they begin with, which is all
 * that the benchmark counts; others stay as they are.
 * @param responses the model's, one to each query in order
 * @throws StudioError `run.amber` when their numbers differ
 */
export function toAmberResponses(
  queries: readonly AmberQuery[],
  responses: readonly string[],
  { annotations }: AmberBenchmark,
): string {
  if (queries.length !== responses.length) {
    const facts = { expected: `${queries.length} responses`, found: `${responses.length} responses` }
    throw amberError('There is not one response to each query.', facts, 'Answer every query of the file once.')
  }
  const entries = queries.map(({ id }, i): AmberResponse => {
    const response = responses[i] as string
    return { id, response: annotations[id - 1]?.type === 'generative' ? response : amberAnswer(response) }
  })
  return `${JSON.stringify(entries, null, '\t')}\n`
}

/** The "Yes" or "No" that an answer begins with; the whole answer when it begins with neither. */
export function amberAnswer(response: string): string {
  const [, answer] = response.match(/^\s*(yes|no)(?![\p{L}\p{M}\p{N}])/iu) ?? []
  if (answer === undefined) return response
  return answer.toLowerCase() === 'yes' ? 'Yes' : 'No'
}

const benchmarkRemedy = "Choose the benchmark's own files, as in the folder data of its repository."
const responsesRemedy = 'Choose a JSON file with a list of objects that have an id and a response.'

async function readJson<T>(path: string, schema: z.ZodType<T>, remedy = benchmarkRemedy): Promise<T> {
  const text = await readText(path, remedy)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw amberError('A file of AMBER is not JSON.', { where: path }, remedy, cause)
  }
  const result = schema.safeParse(parsed)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const isEntry = typeof issue?.path[0] === 'number'
  const where = isEntry ? `${path}, entry ${(issue.path[0] as number) + 1}` : path
  const field = (isEntry ? issue.path.slice(1) : (issue?.path ?? [])).join('.')
  const found = field === '' ? `${issue?.message}` : `${field}: ${issue?.message}`
  throw amberError('A file of AMBER is not as the benchmark has it.', { where, found }, remedy)
}

async function readText(path: string, remedy = benchmarkRemedy): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw amberError('A file of AMBER cannot be read.', { where: path }, remedy, cause)
  })
}

export function amberError(
  message: string,
  facts: { where?: string; expected?: string; found?: string },
  remedy = benchmarkRemedy,
  cause?: unknown,
): StudioError {
  return new StudioError({ code: 'run.amber', message, remedy, ...facts }, { cause })
}
