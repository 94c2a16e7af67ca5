// Every statement of this folder, on a workspace with all kinds of rows: answered by an index.
// Foreign keys have one too, or deleting a parent would walk over its children's whole table.
import { expect, test } from 'vitest'
import { allImages, type ImageQuery, imageQuerySchema, imageSorts } from '../../shared/domain.ts'
import { evaluatedSelectionSchema } from '../../shared/evaluations.ts'
import * as checkpoints from './checkpoints.ts'
import { preparedSql, type WritableDb } from './connection.ts'
import * as embeddings from './embeddings.ts'
import * as evaluations from './evaluations.ts'
import * as imagePaths from './imagePaths.ts'
import * as images from './images.ts'
import * as imports from './imports.ts'
import * as jobs from './jobs.ts'
import * as looks from './looks.ts'
import * as metrics from './metrics.ts'
import * as models from './models.ts'
import * as namedObjects from './namedObjects.ts'
import { closeWorkspace, openWorkspace } from './open.ts'
import * as removals from './removals.ts'
import * as rollouts from './rollouts.ts'
import * as runs from './runs.ts'
import * as settings from './settings.ts'
import * as sweeps from './sweeps.ts'
import * as tags from './tags.ts'
import { responseTo, seedResponses } from './testing/responses.ts'
import { addCheckpoint, temporaryWorkspace } from './testing/temporaryWorkspace.ts'
import * as votes from './votes.ts'

/** Tables that stay small, so that reading all of them is the right plan. */
const small = new Set([
  'run_job',
  'model',
  'run',
  'import',
  'tag',
  'setting',
  'session',
  'word',
  'evaluation',
  'vote',
  'sweep',
  'l',
])

/** Called with an open workspace of 300 images, so that each prepares what it runs. */
function useEveryStatement({ db, modelId, runId }: ReturnType<typeof temporaryWorkspace>): void {
  const [before, after] = [addCheckpoint(db, runId, 0), addCheckpoint(db, runId, 8)]
  seedResponses(db, runId, before, { images: 200, length: 16 })
  seedResponses(db, runId, after, { images: 100, length: 16 })
  tags.tagImages(db, 'good', { imageIds: [1, 2, 3] })
  const askEverything = (): void => {
    for (const query of everyImageQuery(before)) {
      images.countImages(db, query)
      images.imageWindow(db, query, 10, 20)
    }
    namedObjects.objectWords(db, before)
  }
  askEverything()
  const removal = removals.removeImages(db, { imageIds: [7, 8] }, 1)
  askEverything()
  removals.listRemovals(db)
  removals.restoreRemoval(db, removal.removalId ?? 0)
  removals.restoreImage(db, 8)
  namedObjects.answeredCheckpoints(db)
  images.imageAtPath(db, '/x')
  images.imageOfHash(db, Buffer.alloc(32))
  images.moveImage(db, { imageId: 1, path: '/y', name: 'y', modifiedMs: 1 })
  imagePaths.imagesAt(db, '/seeded', '/seeded/')
  images.imagesBegunWith(db, runId, 9)
  images.originalOf(db, 1)
  images.imageById(db, 1)
  images.imageCount(db)
  images.thumbnailOf(db, 1)
  const issue = { path: '/x', code: 'empty' as const, message: 'It is empty.' }
  imports.storeBatch(db, 1, [{ issue }], () => null, 1)
  imports.listImports(db)
  imports.importById(db, 1)
  imports.skippedPaths(db, 1)
  imports.importIssues(db, 1, 0, 10)
  const several = imports.createImportOf(db, '/a', ['/a/b', '/a/c'], 1)
  imports.importPaths(db, several)
  imports.storeLeftOut(db, several, [{ kind: 'GIF', files: 1, message: 'No.', example: '/a/b' }])
  imports.leftOutKinds(db, several)
  tags.listTags(db)
  tags.renameTag(db, 'good', 'better')
  tags.renameTag(db, 'better', 'good')
  tags.untagImages(db, 'good', { imageIds: [1] })
  removals.deletionOf(db, 1)
  removals.deleteSome(db, 1, 10)

  models.listModels(db)
  models.modelById(db, modelId)
  models.modelName(db, modelId)
  expect(() => models.removeModel(db, modelId)).toThrow()
  runs.listRuns(db)
  runs.firstRunIn(db, 'queued')
  runs.setRunState(db, runId, 'running', 1)
  runs.setCalibration(db, runId, {})
  runs.renameRun(db, runId, 'second')
  jobs.storeJob(db, runId, { job: {}, lastImageId: 1 })
  jobs.storeAbsentImages(db, runId, [1, 3])
  jobs.jobOf(db, runId)
  sweeps.storeSweep(db, { sweepId: 'a', name: 'Seeds', folder: '/shared/seeds', createdAtMs: 1 })
  sweeps.storeSweepRun(db, 'a', { runId, cell: 1 })
  sweeps.listSweeps(db)
  sweeps.sweepById(db, 'a')
  sweeps.runsOfSweep(db, 'a')
  sweeps.sweepOfRun(db, runId)
  sweeps.forgetSweepFolder(db, 'a')
  checkpoints.listCheckpoints(db, runId)
  checkpoints.checkpointById(db, before)
  checkpoints.describedImages(db, runId)
  checkpoints.lastCheckpoint(db, runId)
  checkpoints.checkpointPart(db, before, 'adapter')
  checkpoints.checkpointAtStep(db, runId, 8)
  checkpoints.lastSoundCheckpoint(db, runId)
  checkpoints.setPinned(db, before, true)
  checkpoints.pinnedCheckpoints(db, runId)
  checkpoints.setKept(db, before, true)
  looks.storeLook(db, runId, 0, {})
  looks.looksUntil(db, runId, 0)
  looks.thinnedLooks(db, runId, 0, 10)
  looks.pinnedLookStep(db, runId)
  checkpoints.dropOldWeights(db, runId, 3)
  checkpoints.dropLastWeights(db, runId)

  const [left, right] = [1, 2].map((step) => rollouts.storeRollouts(db, [responseTo(1, 8, { runId, step })], 1)[0]!)
  rollouts.responseById(db, left!)
  rollouts.shownResponse(db, before, 1)
  rollouts.shownRolloutOf(db, before, 1)
  rollouts.responsesToImage(db, 1)
  rollouts.responsesOfStep(db, runId, 0)
  rollouts.samplesOfStep(db, { runId, step: 0, purpose: 'evaluation' }, { offset: 0, limit: 10 })
  rollouts.countDescribed(db, before)
  rollouts.imagesToDescribe(db, before, 0, 10)
  rollouts.imagesToDescribe(db, before, 0, 10, { ...allImages, tag: 'x' })
  rollouts.countDescribed(db, before, { ...allImages, tag: 'x' })
  rollouts.verifyResponse(db, left!)
  const asked = { prompt: 'Describe.', strength: 1, decoding: null, region: null }
  rollouts.trialOf(db, { imageId: 1, runId, modelId: null, step: 0, ...asked })
  metrics.storeMetrics(db, runId, 1, { reward: 1 })
  metrics.metricNames(db, runId)
  metrics.metricSeries(db, runId, 'reward')
  const evaluation = { name: 'first', kind: 'chair', request: {}, names: ['short'] } as const
  const evaluationId = evaluations.newEvaluation(db, evaluation, 1)
  const item = { item: 0, imageId: 1, path: '/x', name: 'x', question: null, truth: null }
  evaluations.storeItems(db, evaluationId, [item], {})
  const verdict = { answer: null, isRight: null, named: 1, hallucinated: 1, missed: 0, counts: [1] }
  const concepts = [{ name: 'cat', mentions: 1, hallucinated: 1, isAnnotated: false }]
  const answers = [{ item: 0, text: 'a cat', words: [], ...verdict, concepts }]
  evaluations.storeAnswers(db, evaluationId, 0, { answers, unreadable: [{ item: 0, code: 'image.missing' }] })
  evaluations.judgeAnswers(db, evaluationId, 0, answers)
  evaluations.dropUnreadable(db, evaluationId)
  evaluations.clearUnreadable(db, evaluationId)
  evaluations.listEvaluations(db)
  evaluations.evaluationById(db, evaluationId)
  evaluations.firstWaiting(db)
  evaluations.countItems(db, evaluationId)
  evaluations.countAnswers(db, evaluationId)
  evaluations.unreadableItems(db, evaluationId, 10)
  evaluations.itemsWithout(db, evaluationId, 0, -1, 10)
  evaluations.answersOf(db, evaluationId, 0, -1, 10)
  evaluations.conceptCounts(db, evaluationId, 0)
  evaluations.evaluatedPath(db, evaluationId, 0)
  for (const select of evaluatedSelectionSchema.options) {
    for (const concept of [null, 'cat']) {
      const selection = { select, concept, policy: 0 }
      evaluations.countEvaluated(db, evaluationId, selection)
      evaluations.evaluatedItems(db, evaluationId, selection, 0, 10)
    }
  }
  evaluations.answersTo(db, evaluationId, 0)
  evaluations.finishEvaluation(db, evaluationId, { figures: {}, concepts: [] }, 1)
  evaluations.setEvaluationState(db, evaluationId, 'waiting', null, null)
  evaluations.deleteEvaluation(db, evaluationId)
  votes.castVote(db, votes.drawPair(db, left!, right!), 'tie', 1)
  const of = { modelId: null, step: 0, strength: 1, prompt: 'Describe.' }
  for (const one of [
    { ...of, runId },
    { ...of, runId: null, modelId },
  ]) {
    const other = { ...of, runId, step: 8 }
    votes.shownPair(db, one, other)
    votes.nextPair(db, one, other)
    votes.lastVote(db, one, other)
    votes.voteTally(db, one, other)
    votes.countPairs(db, one, other)
    votes.countVoted(db, one, other)
    votes.missingResponses(db, one, 10)
  }
  votes.newestRollout(db)
  votes.pairById(db, 1)
  votes.takeVoteBack(db, 1)
  const key = { encoderSha256: Buffer.alloc(32), kind: 'text' as const, subjectSha256: Buffer.alloc(32) }
  embeddings.storeEmbeddings(db, [{ ...key, vector: Float32Array.of(1) }])
  embeddings.embeddingOf(db, key)
  settings.writeSetting(db, 'prompt', 'Describe.')
  settings.endSession(db, settings.startSession(db, '0.1.0', 1), 2)
  checkpoints.rollBack(db, runId, 0)
  runs.deleteRun(db, runId)
  models.removeModel(db, modelId)
}

/** Every order with every filter, alone and with a search. */
function everyImageQuery(checkpointId: number): ImageQuery[] {
  const filters: Partial<ImageQuery>[] = [
    ...imageQuerySchema.shape.responses.options.map((responses) => ({ responses })),
    { scoreRange: { low: -1, high: 0 } },
    ...(['any', 'grounded'] as const).map((label) => ({ word: { text: 'zebra', label } })),
    { tag: 'good' },
    { search: 'zebra' },
    { search: 'ze' },
    { search: 'éa' },
    { search: 'zébra' },
    { search: 'zebra', responses: 'with-hallucination', tag: 'good' },
  ]
  return imageSorts.flatMap((sort) =>
    filters.flatMap((filter) =>
      [checkpointId, null].map((asked) => ({ ...allImages, ...filter, sort, checkpointId: asked })),
    ),
  )
}

test('every statement is answered by an index', () => {
  const workspace = temporaryWorkspace(300)
  useEveryStatement(workspace)
  const { db } = workspace
  const statements = preparedSql(db)
  expect(statements.length).toBeGreaterThan(250)
  expect(statements.flatMap((sql) => walks(db, sql))).toEqual([])
})

/** Steps of a statement's plan that read a whole table that grows. */
function walks(db: WritableDb, sql: string): string[] {
  const parameters = Object.fromEntries([...sql.matchAll(/@(\w+)/g)].map((match) => [match[1], 1]))
  const places = (sql.match(/\?/g) ?? []).map(() => 1)
  const bound = Object.keys(parameters).length > 0 ? [...places, parameters] : places
  const steps = db.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(...bound)
  return steps
    .map(({ detail }) => detail)
    .filter((detail) => isWalk(detail, sql))
    .map((detail) => `${detail} in ${sql}`)
}

function isWalk(detail: string, sql: string): boolean {
  const table = /^SCAN (\w+)(?! VIRTUAL)/.exec(detail)?.[1]
  if (table === undefined || /VIRTUAL TABLE/.test(detail) || small.has(table)) return false
  // Names from end to end for a part of one; whether there is any row.
  if (detail.startsWith('SCAN read_name') || sql.endsWith(`FROM ${table} LIMIT 1`)) return false
  // Rows that the statement has made itself: windows, recursive steps, JSON.
  if (/^SCAN (shown|counted|names|json_each|\(subquery)/.test(detail) || table === 'CONSTANT') return false
  // How many there are; and removals, the last ones first, whose images are counted.
  if (sql.startsWith('SELECT (SELECT count(*) FROM image)') || sql.endsWith('DESC LIMIT 100')) return false
  // In the order of an index or of the table: the walk stops at the end of the window, or is a count.
  const isOrdered = sql.includes('LIMIT @limit') || sql.startsWith('SELECT count(*) AS total FROM image')
  return !(isOrdered && table === 'image' && (detail.includes('INDEX') || sql.includes('ORDER BY image.image_id')))
}

test('every foreign key is found by an index of the whole table', () => {
  const { db } = temporaryWorkspace()
  const tables = db
    .prepare<[], { name: string }>("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
    .all()
  const keys = tables.flatMap(({ name }) =>
    (db.pragma(`foreign_key_list(${name})`) as { from: string }[]).map(({ from }) => ({ table: name, column: from })),
  )
  expect(keys.length).toBeGreaterThan(20)
  const walked = keys.filter(({ table, column }) => {
    const [step] = db
      .prepare<[number], { detail: string }>(`EXPLAIN QUERY PLAN SELECT 1 FROM ${table} WHERE ${column} = ?`)
      .all(1)
    return !step?.detail.startsWith('SEARCH')
  })
  expect(walked).toEqual([])
})

test('no statistics are kept that would make the planner change its mind', () => {
  const workspace = temporaryWorkspace(300)
  useEveryStatement(workspace)
  const db = openWorkspace(workspace.path)
  images.imageWindow(db, allImages, 0, 10)
  closeWorkspace(db)
  expect(workspace.db.prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'sqlite_stat%'").all()).toEqual([])
})

test('every table is strict', () => {
  const { db } = temporaryWorkspace()
  const loose = db
    .prepare(
      "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
    )
    .all()
  expect(loose).toEqual([])
})
