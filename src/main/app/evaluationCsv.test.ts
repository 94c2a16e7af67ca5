// Tables as CSV: what a spreadsheet reads, hostile texts included, and a file that is whole or not there.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { EvaluationDetail } from '../../shared/evaluations.ts'
import {
  evaluationById,
  finishEvaluation,
  type NewAnswer,
  newEvaluation,
  storeAnswers,
  storeItems,
} from '../db/evaluations.ts'
import { temporaryWorkspace } from '../db/testing/temporaryWorkspace.ts'
import { type EvaluationTable, writeEvaluationCsv } from './evaluationCsv.ts'
import { conceptWindow, detailOfEvaluation, evaluatedWindow } from './evaluationViews.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-csv-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const nothing = { live: null, waitsFor: null }
const estimate = (value: number | null) => ({ value, low: 0, high: 1, n: 2, undefinedResamples: 0 })

function evaluated() {
  const { db, runId } = temporaryWorkspace(2)
  const measure = { kind: 'chair', imageFolder: '/coco', annotationFile: '/coco.json', most: null } as const
  const at = (step: number) => ({ from: 'run', runId, step, strength: 1 }) as const
  const request = { name: '', policies: [at(0), at(8)], measure, prompt: null, maxNewTokens: null }
  const asked = { name: 'Street', kind: 'chair', request, names: ['=cmd()', 'after'] } as const
  const evaluationId = newEvaluation(db, asked as never, 1)
  const items = [0, 1].map((item) => ({
    ...{
      item,
      imageId: null,
      path: `/coco/${item}.jpg`,
      name: `${item}.jpg`,
      question: null,
      truth: { objects: ['bench'] },
    },
  }))
  const facts = { judgedBy: null, noEstimate: null, judged: ['bench'], annotations: null, sources: [] }
  storeItems(db, evaluationId, items, { prompt: 'What, "exactly"?', maxNewTokens: 40, ...facts })
  const word = { start: 2, end: 5, name: 'dog', score: 0.1, isHallucinated: true }
  const verdict = { answer: null, isRight: null, named: 1, hallucinated: 1, missed: 1, counts: [] }
  const answer = (item: number): NewAnswer => ({ item, text: 'A dog,\r\nno?', words: [word], ...verdict, concepts: [] })
  for (const policy of [0, 1]) {
    storeAnswers(db, evaluationId, policy, { answers: [answer(0), answer(1)], unreadable: [] })
  }
  const counts = { mentions: 2, hallucinated: 2, hallucinatedImages: 2, recalled: 0 }
  const figure = { name: 'chairI', group: null }
  const change = { difference: estimate(-0.25), relativeReduction: estimate(null) }
  finishEvaluation(
    db,
    evaluationId,
    {
      figures: {
        ...{ figures: [{ ...figure, byPolicy: [estimate(0.5), estimate(0.25)] }], resamples: 100, answers: 4 },
        differences: [{ before: 0, after: 1, figures: [{ ...figure, ...change }] }],
      },
      concepts: [
        { name: 'bench', annotated: 2, byPolicy: [counts, { ...counts, hallucinated: 0 }] },
        {
          name: 'dog',
          annotated: 0,
          byPolicy: [
            { ...counts, hallucinated: 9 },
            { ...counts, hallucinated: 8 },
          ],
        },
      ],
    },
    2,
  )
  const detail = detailOfEvaluation(db, evaluationById(db, evaluationId)!, nothing)
  return { db, detail, evaluationId }
}

async function saved(db: never, detail: EvaluationDetail, table: EvaluationTable): Promise<string[]> {
  const path = join(folder, `${table}.csv`)
  await writeEvaluationCsv(db, detail, table, path)
  return readFileSync(path, 'utf8').split('\r\n')
}

test('figures, object words and images, as a spreadsheet reads them', async () => {
  const { db, detail } = evaluated()
  expect(await saved(db as never, detail, 'figures')).toEqual([
    'kind,figure,group,policy,name,step,strength,compared_with,value,low_95,high_95,images',
    "figure,chairI,,1,'=cmd(),0,1,,0.5,0,1,2",
    'figure,chairI,,2,after,8,1,,0.25,0,1,2',
    'difference,chairI,,2,after,8,1,1,-0.25,0,1,2',
    'relative_reduction,chairI,,2,after,8,1,1,,0,1,2',
    '',
  ])
  expect((await saved(db as never, detail, 'concepts'))[1]).toBe("bench,2,1,'=cmd(),0,1,2,2,2,0")
  const images = (await saved(db as never, detail, 'images')).join('\r\n')
  expect(images).toContain('0,0.jpg,/coco/0.jpg,"What, ""exactly""?",,bench,2,after,8,1,"A dog,\r\nno?",,,dog\r\n')
  expect(images.split('"A dog,')).toHaveLength(5)
})

test('a table that cannot be saved leaves nothing, and what was there stays', async () => {
  const { db, detail } = evaluated()
  const full = join(folder, 'taken')
  mkdirSync(full)
  writeFileSync(join(full, 'old'), 'x')
  await expect(writeEvaluationCsv(db, detail, 'figures', full)).rejects.toMatchObject({ code: 'app.not-written' })
  expect(readdirSync(folder).filter((name) => name.startsWith('taken'))).toEqual(['taken'])
})

test('pages read what the tables say', () => {
  const { db, detail, evaluationId } = evaluated()
  expect(detail).toMatchObject({
    ...{ state: 'done', done: 4, total: 4, images: 2, questions: 2, prompt: 'What, "exactly"?', concepts: 2 },
  })
  const window = { evaluationId, offset: 0, limit: 10 }
  const names = (sort: 'hallucinated' | 'change' | 'name') =>
    conceptWindow(db, { ...window, sort }).concepts.map(({ name }) => name)
  expect([names('hallucinated'), names('change'), names('name')]).toEqual([
    ['dog', 'bench'],
    ['bench', 'dog'],
    ['bench', 'dog'],
  ])
  const found = evaluatedWindow(db, { ...window, offset: 1, select: 'hallucinated', concept: null, policy: 1 })
  expect(found.total).toBe(2)
  expect(found.images).toMatchObject([
    { item: 1, name: '1.jpg', objects: ['bench'], answers: [{ text: 'A dog,\r\nno?' }, { words: [{ name: 'dog' }] }] },
  ])
})
