// The tables of an evaluation as CSV (RFC 4180, UTF-8): figures with intervals, object words, images with what was said.
// Before it stand evaluationViews.ts, after it the file that a person named.
import { open, rename, rm } from 'node:fs/promises'
import type { Params } from '../../shared/contract.ts'
import { type PolicyChoice, policySchema } from '../../shared/describe.ts'
import type { EvaluationId } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import type { Estimate } from '../../shared/evaluation.ts'
import type { EvaluationDetail } from '../../shared/evaluations.ts'
import { unfinishedSuffix } from '../../shared/fileName.ts'
import type { ReadableDb } from '../db/connection.ts'
import { evaluatedItems } from '../db/evaluations.ts'
import { conceptsOfEvaluation, evaluatedImage, requireEvaluation } from './evaluationViews.ts'

export type EvaluationTable = Params<'evaluations.csv'>['table']
type Cell = string | number | boolean | null

/** Rows that are in memory at a time. */
const rowsAtOnce = 500

/**
 * Writes a table; it appears under its name when it is whole.
 * @throws StudioError `app.not-written`
 */
export async function writeEvaluationCsv(
  db: ReadableDb,
  detail: EvaluationDetail,
  table: EvaluationTable,
  path: string,
): Promise<void> {
  const unfinished = `${path}${unfinishedSuffix}`
  try {
    const file = await open(unfinished, 'w')
    try {
      for (const text of csvOf(rowsOf(db, detail, table))) await file.write(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, path)
  } catch (cause) {
    await rm(unfinished, { force: true }).catch(() => undefined)
    if (cause instanceof StudioError) throw cause
    throw new StudioError(
      {
        code: 'app.not-written',
        message: 'The table could not be saved there.',
        remedy: 'Choose a folder that you may write to, on a disk with room.',
        found: (cause as NodeJS.ErrnoException).code ?? 'unknown',
        where: path,
      },
      { cause },
    )
  }
}

/** The text of rows, some at a time. */
export function* csvOf(rows: Iterable<readonly Cell[]>): Generator<string> {
  let lines: string[] = []
  for (const row of rows) {
    lines.push(`${row.map(cellOf).join(',')}\r\n`)
    if (lines.length < rowsAtOnce) continue
    yield lines.join('')
    lines = []
  }
  yield lines.join('')
}

/** A text that a spreadsheet would take for a formula gets an apostrophe before it, as OWASP advises. */
function cellOf(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell !== 'string') return String(cell)
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function rowsOf(db: ReadableDb, detail: EvaluationDetail, table: EvaluationTable): Iterable<readonly Cell[]> {
  if (table === 'figures') return figureRows(detail)
  return table === 'concepts' ? conceptRows(db, detail) : imageRows(db, detail)
}

function policyCells({ policies }: EvaluationDetail, place: number): Cell[] {
  const named = policies[place]
  if (!named) return [place + 1, '', null, null]
  const policy: PolicyChoice = policySchema.parse(named.policy)
  const of = policy.from === 'run' ? [policy.step, policy.strength] : [null, null]
  return [place + 1, named.name, ...of]
}

const policyColumns = ['policy', 'name', 'step', 'strength']

function* figureRows(detail: EvaluationDetail): Generator<Cell[]> {
  const estimate = ({ value, low, high, n }: Estimate): Cell[] => [value, low, high, n]
  yield ['kind', 'figure', 'group', ...policyColumns, 'compared_with', 'value', 'low_95', 'high_95', 'images']
  for (const { name, group, byPolicy } of detail.figures) {
    for (const [place, one] of byPolicy.entries()) {
      yield ['figure', name, group, ...policyCells(detail, place), null, ...estimate(one)]
    }
  }
  for (const { before, after, figures } of detail.differences) {
    for (const { name, group, difference, relativeReduction } of figures) {
      const who = [...policyCells(detail, after), before + 1]
      yield ['difference', name, group, ...who, ...estimate(difference)]
      yield ['relative_reduction', name, group, ...who, ...estimate(relativeReduction)]
    }
  }
}

function* conceptRows(db: ReadableDb, detail: EvaluationDetail): Generator<Cell[]> {
  const counts = ['mentions', 'hallucinated', 'hallucinated_images', 'recalled']
  yield ['object', 'annotated_images', ...policyColumns, ...counts]
  for (const { name, annotated, byPolicy } of conceptsOfEvaluation(db, detail.evaluationId)) {
    for (const [place, { mentions, hallucinated, hallucinatedImages, recalled }] of byPolicy.entries()) {
      yield [name, annotated, ...policyCells(detail, place), mentions, hallucinated, hallucinatedImages, recalled]
    }
  }
}

function* imageRows(db: ReadableDb, detail: EvaluationDetail): Generator<Cell[]> {
  const said = ['response', 'answer', 'is_right', 'hallucinated_words']
  yield ['item', 'image', 'path', 'question', 'right_answer', 'annotated_objects', ...policyColumns, ...said]
  const evaluationId = detail.evaluationId as EvaluationId
  const record = requireEvaluation(db, evaluationId)
  const selection = { select: 'all', concept: null, policy: 0 } as const
  for (let offset = 0; ; offset += rowsAtOnce) {
    const items = evaluatedItems(db, evaluationId, selection, offset, rowsAtOnce)
    for (const found of items) {
      const { item, name, path, question, label, objects, answers } = evaluatedImage(db, record, found)
      for (const [place, answer] of answers.entries()) {
        const words = answer?.words.filter(({ isHallucinated }) => isHallucinated).map((word) => word.name)
        const about = [item, name, path, question, label, objects?.join('; ') ?? null]
        const verdict = [answer?.text ?? null, answer?.answer ?? null, answer?.isRight ?? null]
        yield [...about, ...policyCells(detail, place), ...verdict, words?.join('; ') ?? null]
      }
    }
    if (items.length < rowsAtOnce) return
  }
}
