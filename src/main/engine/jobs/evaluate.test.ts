// Evaluations of the demo model in a workspace: figures equal those of the job that judges one run, what was answered is not
// asked again, each benchmark's questions are asked as its files have them. Files, database and sessions are real.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Calibration } from '../../../shared/calibration.ts'
import type { PolicyChoice } from '../../../shared/describe.ts'
import { allImages, type EvaluationId, jsonSchema, type ModelId } from '../../../shared/domain.ts'
import type { Concept, EvaluationFigures, Measure } from '../../../shared/evaluations.ts'
import { checkpointAtStep } from '../../db/checkpoints.ts'
import {
  countAnswers,
  countEvaluated,
  evaluatedItems,
  evaluationById,
  newEvaluation,
  storedConcepts,
  unreadableItems,
} from '../../db/evaluations.ts'
import { everyImage } from '../../db/images.ts'
import { createWorkspace, openWorkspace } from '../../db/open.ts'
import { runById } from '../../db/runs.ts'
import { tagImages } from '../../db/tags.ts'
import { amberColumns, scoreAmber } from '../eval/amber.ts'
import { readAmberFolder, readAmberQueries, toAmberResponses } from '../eval/amberFiles.ts'
import { readPopeQuestions, toJsonLines } from '../eval/pope.ts'
import { estimateGrounding } from '../reward/groundingEstimate.ts'
import { evaluateWorkspace } from './evaluateWorkspace.ts'
import { readRunCursor } from './runStore.ts'
import { addDemoRun, demoLexicon, sampleScenes, shortConfig } from './testing/demoRun.ts'
import { WarmModels } from './warmModels.ts'
import { alignRun, evaluateRun } from './workspaceJobs.ts'

const step = shortConfig.optimiser.stepsPerRound
const engine = { device: 'cpu', threads: 1, lexicon: demoLexicon, ownerToken: null } as const
const annotationFile = join(sampleScenes, '../annotations.json')

describe('the demo model, evaluated', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'fisao-evaluate-'))
  createWorkspace(join(folder, 'work.fisao'))
  const db = openWorkspace(join(folder, 'work.fisao'))
  const runId = addDemoRun(db, 24)
  const modelId = runById(db, runId)?.modelId as ModelId
  const warm = new WarmModels()
  const at = (ofStep: number, strength = 1): PolicyChoice => ({ from: 'run', runId, step: ofStep, strength })

  beforeAll(async () => {
    await alignRun(db, { runId, ...engine }, () => undefined)
  }, 120_000)
  afterAll(() => {
    db.close()
    rmSync(folder, { recursive: true, force: true })
  })

  function ask(measure: Measure, policies: readonly PolicyChoice[]): EvaluationId {
    const request = jsonSchema.parse({ name: '', policies, measure, prompt: null, maxNewTokens: null })
    const names = policies.map((_, i) => `policy ${i}`)
    return newEvaluation(db, { name: measure.kind, kind: measure.kind, request, names }, 1)
  }
  const carryOut = (
    evaluationId: EvaluationId,
    report = (_: { phase: string; done: number }) => {},
    signal?: AbortSignal,
  ) => evaluateWorkspace(db, { ...engine, evaluationId }, warm, report, signal)
  const figuresOf = (evaluationId: EvaluationId) => evaluationById(db, evaluationId)?.figures as EvaluationFigures
  const figure = (evaluationId: EvaluationId, name: string, group: string | null = null) => {
    const found = figuresOf(evaluationId).figures.find((one) => one.name === name && one.group === group)
    return found?.byPolicy.map(({ value }) => value)
  }

  test('CHAIR of three policies is that of the job of one run, on one file and the same images', async () => {
    const most = 20
    const measure: Measure = { kind: 'chair', imageFolder: sampleScenes, annotationFile, most }
    const evaluationId = ask(measure, [at(0), at(step), at(step, 0)])
    await carryOut(evaluationId)
    // Two threads share the answers, and say the same; strength 0 is the model as it came.
    const together = ask(measure, [at(step, 0)])
    await evaluateWorkspace(db, { ...engine, threads: 2, evaluationId: together }, warm, () => undefined)
    for (const { name, group, byPolicy } of figuresOf(together).figures) {
      expect([byPolicy[0]?.value], name).toEqual(figure(evaluationId, name, group)?.slice(0, 1))
    }
    const judged = { beforeStep: 0, afterStep: step, withPlacebo: false, strength: 1 }
    const chair = await evaluateRun(
      db,
      { ...engine, runId, ...judged, imageFolder: sampleScenes, annotationFile, mostImages: most },
      () => undefined,
    )
    for (const name of ['chairI', 'chairS', 'chairIUnique', 'recall', 'meanLength', 'repetition'] as const) {
      const { before, after } = chair.figures[name]
      // Strength 0 is the model as it came.
      expect(figure(evaluationId, name), name).toEqual([before.value, after.value, before.value])
    }
    const { differences } = figuresOf(evaluationId)
    expect(differences.map(({ before, after }) => [before, after])).toEqual([
      [0, 1],
      [0, 2],
      [1, 2],
    ])
    const same = differences[1]?.figures[0]?.difference
    expect(same).toMatchObject({ value: 0, low: 0, high: 0, n: most })
    // The most hallucinated object has as many images behind it as its row says.
    const [worst] = chair.byObject.before
    const concepts = storedConcepts(db, evaluationId) as unknown as Concept[]
    const row = concepts.find(({ name }) => name === worst?.name)
    expect(row).toMatchObject({ annotated: worst?.annotated })
    expect(row?.byPolicy[0]).toMatchObject({
      ...{ mentions: worst?.mentions, hallucinated: worst?.hallucinatedMentions, recalled: worst?.recalled },
    })
    const selection = { select: 'hallucinated', concept: worst?.name ?? null, policy: 0 } as const
    expect(row?.byPolicy[0]?.hallucinatedImages).toBeGreaterThan(0)
    expect(countEvaluated(db, evaluationId, selection)).toBe(row?.byPolicy[0]?.hallucinatedImages)
    const [image] = evaluatedItems(db, evaluationId, selection, 0, 1)
    expect(image?.path).toBe(join(sampleScenes, image?.name ?? ''))
    expect(evaluationById(db, evaluationId)).toMatchObject({ state: 'done', facts: { judged: expect.any(Array) } })
  })

  test('estimates on tagged images are those of a look, and the words behind them are told', async () => {
    const tagged = everyImage(db)
      .slice(2, 14)
      .map(({ imageId }) => imageId)
    tagImages(db, 'street', { imageIds: tagged })
    const measure: Measure = { kind: 'annotation-free', images: { from: 'tag', tag: 'street' }, most: 10 }
    const evaluationId = ask(measure, [at(0), { from: 'model', modelId }])
    await carryOut(evaluationId)
    const said = db
      .prepare<[number], string>('SELECT words FROM evaluation_answer WHERE evaluation_id = ? AND policy = 0')
      .pluck()
      .all(evaluationId)
      .map((words) => JSON.parse(words) as { name: string; score: number; isHallucinated: boolean }[])
    expect(said).toHaveLength(10)
    const { yardstick } = readRunCursor(checkpointAtStep(db, runId, 0)!).calibration
    const estimate = estimateGrounding(said, yardstick as Calibration)
    // The model by itself is the run's step 0, judged by the same yardstick.
    const [rate, coverage] = [estimate.hallucinationRate.value, estimate.coverage]
    expect(figure(evaluationId, 'hallucinationRate')).toEqual([rate, rate])
    expect(figure(evaluationId, 'coverage')).toEqual([expect.closeTo(coverage, 12), expect.closeTo(coverage, 12)])
    const hallucinated = said.flat().filter(({ isHallucinated }) => isHallucinated).length
    const concepts = storedConcepts(db, evaluationId) as unknown as Concept[]
    expect(concepts.reduce((sum, { byPolicy }) => sum + (byPolicy[0]?.hallucinated ?? 0), 0)).toBe(hallucinated)
    expect(concepts.every(({ annotated }) => annotated === null)).toBe(true)
    expect(evaluationById(db, evaluationId)?.facts).toMatchObject({ judgedBy: 'policy 0', noEstimate: null })

    const alone = ask({ kind: 'annotation-free', images: { from: 'filter', query: allImages }, most: 2 }, [
      { from: 'model', modelId },
    ])
    await carryOut(alone)
    expect([figure(alone, 'hallucinationRate'), figure(alone, 'meanWords')?.length]).toEqual([undefined, 1])
    expect(evaluationById(db, alone)?.facts).toMatchObject({ judgedBy: null, noEstimate: 'no-run' })
  })

  test('what the model as it came has said is taken over, unless an image was changed', async () => {
    const images = join(folder, 'few')
    mkdirSync(images)
    const names = ['scene-0001.jpg', 'scene-0002.jpg', 'scene-0003.jpg']
    for (const name of names) copyFileSync(join(sampleScenes, name), join(images, name))
    const measure: Measure = { kind: 'chair', imageFolder: images, annotationFile, most: null }
    const first = ask(measure, [at(step), at(0)])
    await carryOut(first)
    const setText = db.prepare('UPDATE evaluation_answer SET text = ? WHERE evaluation_id = ? AND policy = ?')
    setText.run('kept', first, 0)
    setText.run('kept', first, 1)
    const texts = db
      .prepare<[number], string>('SELECT text FROM evaluation_answer WHERE evaluation_id = ? ORDER BY policy, item')
      .pluck()

    const again = ask(measure, [at(0), at(step)])
    const told: number[] = []
    await carryOut(again, ({ phase, done }) => phase === 'answering' && told.push(done))
    expect(told).toEqual([3, 6])
    expect(texts.all(again).slice(0, 3)).toEqual(['kept', 'kept', 'kept'])
    // One that has learned answers for itself.
    expect(texts.all(again)[3]).not.toBe('kept')
    expect(figure(again, 'chairI')).toEqual(figure(first, 'chairI')?.toReversed())
    expect(figure(again, 'recall')).toEqual(figure(first, 'recall')?.toReversed())
    expect(storedConcepts(db, again)).toHaveLength((storedConcepts(db, first) as unknown as Concept[]).length)

    copyFileSync(join(sampleScenes, 'scene-0004.jpg'), join(images, 'scene-0003.jpg'))
    const changed = ask(measure, [at(0)])
    await carryOut(changed)
    expect(texts.all(changed)).not.toContain('kept')
  })

  test('one that is cancelled keeps its answers and goes on with the rest', async () => {
    const measure: Measure = { kind: 'chair', imageFolder: sampleScenes, annotationFile, most: 70 }
    const evaluationId = ask(measure, [at(0)])
    const abort = new AbortController()
    const stop = ({ phase }: { phase: string }) => phase === 'answering' && abort.abort()
    await expect(carryOut(evaluationId, stop, abort.signal)).rejects.toMatchObject({ code: 'run.cancelled' })
    const kept = countAnswers(db, evaluationId)
    expect(kept).toBe(64)
    db.prepare("UPDATE evaluation_answer SET text = 'kept' WHERE evaluation_id = ? AND item = 3").run(evaluationId)
    const told: number[] = []
    await carryOut(evaluationId, ({ phase, done }) => phase === 'answering' && told.push(done))
    expect([told, countAnswers(db, evaluationId)]).toEqual([[70], 70])
    const text = db.prepare('SELECT text FROM evaluation_answer WHERE evaluation_id = ? AND item = 3').pluck()
    expect(text.get(evaluationId)).toBe('kept')
  })

  test('questions of POPE are asked as the file has them; an image that is not there takes no part', async () => {
    const file = join(folder, 'pope.jsonl')
    const ofScene = (name: string, object: string, label: 'yes' | 'no', id: number) => ({
      ...{ question_id: id, image: name, text: `Is there a ${object} in the image?`, label },
    })
    const questions = [
      ofScene('scene-0001.jpg', 'cup', 'yes', 1),
      ofScene('scene-0001.jpg', 'dog', 'no', 2),
      ofScene('scene-0002.jpg', 'dog', 'no', 3),
      ofScene('scene-0002.jpg', 'cup', 'yes', 4),
      ofScene('nowhere.jpg', 'cup', 'yes', 5),
    ]
    writeFileSync(file, toJsonLines(questions))
    expect(await readPopeQuestions(file)).toHaveLength(5)
    const measure: Measure = { kind: 'pope', imageFolder: sampleScenes, questions: { from: 'file', file }, most: null }
    const evaluationId = ask(measure, [at(0)])
    await carryOut(evaluationId)
    const rows = db
      .prepare<[number], { text: string; question: string; answer: string; right: number }>(
        `SELECT text, question, answer, is_right AS "right" FROM evaluation_answer JOIN evaluation_item
           USING (evaluation_id, item) WHERE evaluation_id = ? ORDER BY item`,
      )
      .all(evaluationId)
    expect(rows.map(({ question }) => question)).toEqual(questions.slice(0, 4).map(({ text }) => text))
    expect(unreadableItems(db, evaluationId, 9)).toEqual([
      { path: join(sampleScenes, 'nowhere.jpg'), code: 'image.missing' },
    ])
    // What the benchmark's script reads: no "no" in the first sentence is a yes.
    const saysNo = (text: string) => /\b(no|not)\b/i.test(text.split('.')[0] ?? '')
    const right = rows.filter(({ text }, i) => saysNo(text) === (questions[i]?.label === 'no')).length
    expect(figure(evaluationId, 'accuracy')).toEqual([right / 4])
    expect(rows.reduce((sum, row) => sum + row.right, 0)).toBe(right)
    const concepts = storedConcepts(db, evaluationId) as unknown as Concept[]
    expect(concepts.map(({ name, annotated }) => [name, annotated])).toEqual([
      ['cup', 2],
      ['dog', 0],
    ])

    writeFileSync(file, toJsonLines(questions.slice(1)))
    await expect(carryOut(evaluationId)).rejects.toMatchObject({ code: 'run.input-changed', where: file })
  })

  test('questions made of annotations, and a folder of MME, in the order of their images', async () => {
    const questions = { from: 'annotations', file: annotationFile, sampling: 'popular' } as const
    const pope = ask({ kind: 'pope', imageFolder: sampleScenes, questions, most: 3 }, [at(0)])
    await carryOut(pope)
    const items = evaluatedItems(db, pope, { select: 'all', concept: null, policy: 0 }, 0, 20)
    expect(items.length).toBeGreaterThan(5)
    expect(items.filter(({ truth }) => (truth as { label: string }).label === 'yes')).toHaveLength(items.length / 2)

    const mme = join(folder, 'mme')
    for (const [subtask, scene] of [
      ['existence', 'scene-0001'],
      ['color', 'scene-0002'],
    ] as const) {
      mkdirSync(join(mme, subtask), { recursive: true })
      copyFileSync(join(sampleScenes, `${scene}.jpg`), join(mme, subtask, `${scene}.jpg`))
      writeFileSync(join(mme, subtask, `${scene}.txt`), 'Is it so? Please answer yes or no.\tYes\nIs it?\tNo\n')
    }
    const evaluationId = ask({ kind: 'mme', folder: mme, most: null }, [at(0), at(step)])
    await carryOut(evaluationId)
    const groups = figuresOf(evaluationId).figures.map(({ name, group }) => `${group} ${name}`)
    expect(groups.sort()).toEqual([
      ...['color accuracy', 'color accuracyPlus', 'color score', 'existence accuracy', 'existence accuracyPlus'],
      ...['existence score', 'null perception'],
    ])
    const score = (group: string) => figure(evaluationId, 'score', group)?.[0] as number
    expect(figure(evaluationId, 'perception')?.[0]).toBe(score('existence') + score('color'))
  })

  test('AMBER, of its own files', async () => {
    const data = join(import.meta.dirname, '../eval/fixtures/amber')
    const images = join(folder, 'amber')
    mkdirSync(images)
    const queryFile = join(data, 'query_all.json')
    const measure: Measure = { kind: 'amber', dataFolder: data, queryFile, imageFolder: images, most: null }
    await expect(carryOut(ask(measure, [at(0)]))).rejects.toMatchObject({ code: 'run.images-missing' })

    const benchmark = await readAmberFolder(data)
    const queries = await readAmberQueries(queryFile, benchmark)
    for (const { image } of queries) copyFileSync(join(sampleScenes, 'scene-0001.jpg'), join(images, image))
    const evaluationId = ask(measure, [at(0)])
    await carryOut(evaluationId)
    const texts = db
      .prepare<[number], string>('SELECT text FROM evaluation_answer WHERE evaluation_id = ? ORDER BY item')
      .pluck()
      .all(evaluationId)
    const responses = JSON.parse(toAmberResponses(queries, texts, benchmark))
    const expected = scoreAmber(amberColumns(queries, responses, benchmark), { resamples: 1, level: 0.95, seed: 0 })
    expect(figure(evaluationId, 'cover')).toEqual([expected.cover.value])
    expect(figure(evaluationId, 'score')).toEqual([expected.score.value])
    expect(figure(evaluationId, 'accuracy', 'existence')).toEqual([expected['existence.accuracy'].value])
  })

  test('what cannot be evaluated says so', async () => {
    const empty = ask({ kind: 'annotation-free', images: { from: 'tag', tag: 'nothing' }, most: null }, [at(0)])
    await expect(carryOut(empty)).rejects.toMatchObject({ code: 'run.no-images' })
    const other = ask({ kind: 'annotation-free', images: { from: 'all' }, most: 1 }, [at(999)])
    await expect(carryOut(other)).rejects.toMatchObject({ code: 'run.no-checkpoint' })
  })
})
