// A workspace with rows in every table, and all that can be read of one, for tests that damage files.
import { allImages, type CheckpointId, type RolloutId } from '../../../shared/domain.ts'
import { StudioError } from '../../../shared/errors.ts'
import { checkpointPart, partsOf, setPinned, storeCheckpoint } from '../checkpoints.ts'
import { inTransaction, type WritableDb } from '../connection.ts'
import { embeddingOf, storeEmbeddings } from '../embeddings.ts'
import { finishEvaluation, newEvaluation, storeAnswers, storeItems } from '../evaluations.ts'
import { imageWindow, thumbnailOf } from '../images.ts'
import { createImport, createImportOf, storeBatch, storeLeftOut } from '../imports.ts'
import { storeAbsentImages, storeJob } from '../jobs.ts'
import { storeLook } from '../looks.ts'
import { storeMetrics } from '../metrics.ts'
import { removeImages } from '../removals.ts'
import { responseById, responsesOfStep, storeRollouts } from '../rollouts.ts'
import { sha256 } from '../rowHash.ts'
import { setCalibration, setRunState } from '../runs.ts'
import { endSession, startSession, writeSetting } from '../settings.ts'
import { storeSweep, storeSweepRun } from '../sweeps.ts'
import { tagImages } from '../tags.ts'
import { castVote, drawPair } from '../votes.ts'
import { responseTo } from './responses.ts'
import { seedLibrary } from './seedLibrary.ts'
import { addModel, addRun } from './temporaryWorkspace.ts'

/** Bytes that follow from a name, without a pattern that damage could hide in. */
export function noise(name: string, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes)
  for (let start = 0; start < sizeBytes; start += 32) {
    bytes.set(sha256(Buffer.from(`${name} ${start}`)).subarray(0, sizeBytes - start), start)
  }
  return bytes
}

export interface FullWorkspaceSize {
  readonly images: number
  readonly steps: number
  /** Of each checkpoint. */
  readonly weightBytes: number
}

/** Fills every table: two runs, a short one and one of `steps` steps whose last three checkpoints have weights. */
export function fillWorkspace(db: WritableDb, { images, steps, weightBytes }: FullWorkspaceSize): void {
  const thumbnails = Array.from({ length: images }, (_, i) =>
    Buffer.from(noise(`thumbnail ${i}`, 3000 + 500 * (i % 9))),
  )
  seedLibrary(db, images, thumbnails)
  const issues = Array.from({ length: 20 }, (_, i) => ({
    issue: { path: `/pictures/bad ${i}.jpg`, code: 'damaged' as const, message: 'The picture ends too early.' },
  }))
  storeBatch(db, createImport(db, '/pictures', 1), issues, () => null, 1)
  tagImages(db, 'Street', { imageIds: [1, 2, 3] })
  tagImages(db, 'beach', { imageIds: [2, 5] })
  removeImages(db, { imageIds: [4, 7] }, 5)
  const ofSeveral = createImportOf(db, '/pictures', ['/pictures/one.jpg', '/pictures/more'], 1)
  storeLeftOut(db, ofSeveral, [
    { kind: 'HEIC', files: 3, message: 'They cannot be read.', example: '/pictures/a.heic' },
  ])
  writeSetting(db, 'prompt', 'Describe this image.')
  endSession(db, startSession(db, '0.1.0', 5), 6)
  const modelId = addModel(db)
  addRun(db, modelId, 'waiting')
  const runId = addRun(db, modelId, 'aligned')
  setRunState(db, runId, 'running', 2)
  storeJob(db, runId, { job: { kind: 'align', device: 'cpu' }, lastImageId: images })
  storeAbsentImages(db, runId, [1, 2, 3, 5, 6])
  storeSweep(db, { sweepId: 'a', name: 'Seeds', folder: '/shared/seeds', createdAtMs: 2 })
  storeSweepRun(db, 'a', { runId, cell: 1 })
  let checkpointId: CheckpointId | null = null
  for (let step = 0; step <= steps; step++) {
    inTransaction(db, () => {
      const weights = step > steps - 3 ? weightBytes : 0
      const parts =
        weights > 0 ? { adapter: noise(`adapter ${step}`, weights), 'value/head': noise(`v ${step}`, 9000) } : {}
      const cursor = { policy: { rank: 8, optimisers: { adapter: { steps: step } } }, seed: 3 }
      checkpointId = storeCheckpoint(
        db,
        { runId, parentId: checkpointId, step, cursor, summary: { klNats: step / 7 }, parts },
        step,
      )
      storeLook(db, runId, step, { step, hallucinationRate: 0.2 / (step + 1), coverage: 3 })
      storeMetrics(db, runId, step, { klNats: step / 7, meanReward: -step / 3, 'time.rolloutMs': 1000 + step })
      const place = { runId, step, purpose: 'training' as const }
      storeRollouts(
        db,
        Array.from({ length: 8 }, (_, i) => responseTo(1 + ((step * 8 + i) % images), 40, place)),
        step,
      )
    })
  }
  const last = checkpointId as unknown as CheckpointId
  setPinned(db, last, true)
  setCalibration(db, runId, { calibration: { scores: 400, baselines: { muGt: 0.36, muHal: 0.14 } } })
  const shown = storeRollouts(
    db,
    Array.from({ length: images }, (_, i) => responseTo(i + 1, 24, { runId, checkpointId: last, step: steps })),
    1,
  )
  const evaluationId = newEvaluation(db, { name: 'first', kind: 'chair', request: { images }, names: ['aligned'] }, 1)
  const items = Array.from({ length: images }, (_, item) => ({
    ...{ item, imageId: item + 1, path: `/coco/${item}.jpg`, name: `${item}.jpg`, question: null, truth: ['zebra'] },
  }))
  storeItems(db, evaluationId, items, { prompt: 'Describe.' })
  const concept = { name: 'zebra', mentions: 2, hallucinated: 1, isAnnotated: true }
  const verdict = { answer: null, isRight: null, named: 1, hallucinated: 1, missed: 0, counts: [1, 2] }
  const answers = items.map(({ item }) => ({
    item,
    text: `a zebra ${item}`,
    words: [],
    ...verdict,
    concepts: [concept],
  }))
  storeAnswers(db, evaluationId, 0, { answers, unreadable: [] })
  finishEvaluation(db, evaluationId, { figures: { chairI: 0.1 }, concepts: [] }, 2)
  castVote(db, drawPair(db, shown[0]!, shown[1]!), 'left', 1)
  castVote(db, drawPair(db, shown[2]!, shown[1]!), 'tie', 2)
  storeEmbeddings(
    db,
    Array.from({ length: images }, (_, i) => ({
      encoderSha256: Buffer.alloc(32, 9),
      kind: i % 2 === 0 ? ('image' as const) : ('text' as const),
      subjectSha256: sha256(Buffer.from(String(i))),
      vector: Float32Array.from({ length: 128 }, (_, k) => Math.sin(i * 128 + k)),
    })),
  )
  setRunState(db, runId, 'complete', 9)
}

const tables = [
  ...[
    'setting',
    'session',
    'import',
    'image',
    'import_issue',
    'tag',
    'image_tag',
    'removed_image',
    'import_path',
    'import_left_out',
    'run_absent_image',
    'model',
    'run',
    'look',
    'run_job',
    'checkpoint',
  ],
  ...['checkpoint_part', 'rollout', 'word', 'metric', 'evaluation', 'evaluation_item', 'vote'],
  ...['evaluation_answer', 'evaluation_concept', 'sweep', 'sweep_run'],
]
const searches = ['photo', '0000', 'zebra', 'boat kite', 'with', 'Street']

/** What a reader gets for a place of the file: text of a value, or what refused it. */
export type Answer = { readonly value: string } | { readonly refused: StudioError } | { readonly missing: true }

/** Everything that can be read of a workspace, by its place, as the app's own readers give it. */
export function readEverything(db: WritableDb): Map<string, Answer> {
  const answers = new Map<string, Answer>()
  const ask = (place: string, read: () => unknown): void => {
    try {
      const value = read()
      answers.set(place, value === undefined ? { missing: true } : { value: textOf(value) })
    } catch (thrown) {
      if (!(thrown instanceof StudioError)) throw thrown
      answers.set(place, { refused: thrown })
    }
  }
  const rows = <T>(sql: string, ...values: unknown[]): T[] => db.prepare<unknown[], T>(sql).all(...values)
  for (const table of tables) {
    ask(`count of ${table}`, () => rows(`SELECT count(*) AS n FROM ${table}`))
    const found = rows<object>(`SELECT * FROM ${table} NOT INDEXED`)
    for (const [i, row] of found.entries()) ask(`${table} ${i}`, () => row)
  }
  for (const { image_id } of rows<{ image_id: number }>('SELECT image_id FROM image')) {
    ask(`thumbnail ${image_id}`, () => thumbnailOf(db, image_id))
  }
  for (const { id } of rows<{ id: CheckpointId }>('SELECT checkpoint_id AS id FROM checkpoint')) {
    for (const part of partsOf(db, id)) ask(`part ${id} ${part}`, () => checkpointPart(db, id, part))
  }
  for (const { id } of rows<{ id: RolloutId }>('SELECT rollout_id AS id FROM rollout')) {
    ask(`response ${id}`, () => responseById(db, id))
  }
  for (const { run_id, step } of rows<{ run_id: never; step: number }>('SELECT DISTINCT run_id, step FROM rollout')) {
    ask(`responses of ${step}`, () => responsesOfStep(db, run_id, step))
  }
  for (let i = 0; i < 400; i++) {
    const subjectSha256 = sha256(Buffer.from(String(i)))
    const kind = i % 2 === 0 ? ('image' as const) : ('text' as const)
    ask(`embedding ${i}`, () => embeddingOf(db, { encoderSha256: Buffer.alloc(32, 9), kind, subjectSha256 }))
  }
  const shown = rows<{ id: number }>("SELECT max(checkpoint_id) AS id FROM rollout WHERE purpose = 'evaluation'")[0]?.id
  for (const search of searches) {
    const query = { ...allImages, search, checkpointId: shown ?? null }
    ask(`search ${search}`, () => imageWindow(db, query, 0, 500))
    ask(`named ${search}`, () =>
      imageWindow(db, { ...query, search: '', word: { text: search, label: 'any' } }, 0, 500),
    )
    ask(`words ${search}`, () => rows('SELECT rowid FROM response_search WHERE response_search MATCH ?', `"${search}"`))
  }
  return answers
}

function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return sha256(value).toString('hex')
  return JSON.stringify(value, (_, part: unknown) =>
    part instanceof Float32Array ? Array.from(new Uint32Array(part.buffer, part.byteOffset, part.length)) : part,
  )
}

/** How what was read differs from what was there: nothing, only refusals and gaps that are told, or without a word. */
export function compareAnswers(
  before: ReadonlyMap<string, Answer>,
  after: ReadonlyMap<string, Answer>,
): { outcome: 'same' | 'told' | 'different'; where: string } {
  let told = ''
  for (const [place, was] of before) {
    const now = after.get(place)
    if (now && textOf(now) === textOf(was)) continue
    const isTold =
      now !== undefined &&
      (('refused' in now && now.refused.message.length > 10 && now.refused.remedy.length > 10) ||
        ('missing' in now && /^(thumbnail|embedding) /.test(place)))
    if (!isTold) return { outcome: 'different', where: place }
    told ||= place
  }
  const added = [...after.keys()].find((place) => !before.has(place))
  if (added) return { outcome: 'different', where: added }
  return told ? { outcome: 'told', where: told } : { outcome: 'same', where: '' }
}

/** Rows and parts that a salvaged workspace has and the one before its damage did not have, outside of some tables. */
export function strangersIn(
  before: ReadonlyMap<string, Answer>,
  after: ReadonlyMap<string, Answer>,
  changedTables: readonly string[],
): string[] {
  // The place of a row shifts when one before it is lost, and a checkpoint may have lost its parent.
  const partsIn = (answers: ReadonlyMap<string, Answer>): string[] =>
    [...answers].flatMap(([place, answer]) => {
      const [first = ''] = place.split(' ')
      const table = first === 'response' ? 'rollout' : first
      if (['count', 'search', 'named', 'words', 'responses', ...changedTables].includes(table) || !('value' in answer))
        return []
      return [`${table} ${answer.value.replace(/"parent_id":\d+/, '"parent_id":null')}`]
    })
  const known = new Set(partsIn(before))
  return partsIn(after).filter((part) => !known.has(part))
}
