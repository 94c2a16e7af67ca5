// The queue of evaluations over a real workspace file and a real process behind the real supervisor: what it waits for, what
// an interruption keeps, what a cancel, a failure and a removal leave.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, inject, test, vi } from 'vitest'
import type { EvaluationId } from '../../shared/domain.ts'
import { type EvaluationView, evaluationViewSchema, type NewEvaluation } from '../../shared/evaluations.ts'
import { engineMethods } from '../../shared/workerProtocol.ts'
import { answersOf, countAnswers, listEvaluations } from '../db/evaluations.ts'
import { addCheckpoint, temporaryWorkspace } from '../db/testing/temporaryWorkspace.ts'
import { WorkerClient } from '../worker/workerClient.ts'
import { Activities } from './activities.ts'
import { evaluationActivities } from './activityViews.ts'
import { Evaluations } from './evaluations.ts'
import type { Current } from './workspaces.ts'

let stop: (() => Promise<void>) | null = null

afterEach(async () => {
  await stop?.()
  stop = null
})

function bench() {
  const workspace = temporaryWorkspace(2)
  const { db, path, runId } = workspace
  addCheckpoint(db, runId, 8)
  const current: Current = { path, key: 'first', db, isDemo: false, ownerToken: null }
  const children = new Set<ReturnType<typeof fork>>()
  const told: EvaluationView[] = []
  const deleted: EvaluationId[] = []
  const busy = { run: null as string | null, isAsked: false }
  const engine = new WorkerClient({
    ...{ name: 'engine', area: 'engine' as const, methods: engineMethods, backoffMs: 5 },
    spawn: () => {
      const child = fork(inject('scripts').alignmentWorker, [], { serialization: 'advanced', silent: true })
      children.add(child.on('exit', () => children.delete(child)))
      return {
        get pid() {
          return child.pid
        },
        postMessage: (message) => void child.send(message),
        onMessage: (listener) => child.on('message', listener),
        onExit: (listener) => child.on('exit', listener),
        kill: () => child.kill('SIGKILL'),
      }
    },
    onStatus: () => evaluations.look(),
  })
  const of = () => current
  const evaluations: Evaluations = new Evaluations({
    engine,
    workspaces: { current, shown: current, require: of, requireShown: of },
    ...{ device: () => 'cpu', threads: () => 3, lexicon: () => '/lexicon.json' },
    ...{ runUnderWay: () => busy.run, isAsked: () => busy.isAsked },
    onChanged: (view) => void told.push(evaluationViewSchema.parse(view)),
    onDeleted: (evaluationId) => void deleted.push(evaluationId),
  })
  engine.start()
  stop = async () => {
    await evaluations.suspend()
    engine.stop()
    await Promise.all([...children].map((child) => once(child, 'exit')))
  }
  const asked: NewEvaluation = {
    ...{ name: '', policies: [{ from: 'run', runId, step: 0, strength: 1 }], prompt: null, maxNewTokens: null },
    measure: { kind: 'annotation-free', images: { from: 'all' }, most: null },
  }
  addCheckpoint(db, runId, 0)
  const view = (evaluationId: EvaluationId) =>
    evaluations.list().find((one) => one.evaluationId === evaluationId) as EvaluationView
  return {
    ...{ ...workspace, evaluations, told, deleted, view, asked },
    create: (name: string, change: Partial<NewEvaluation> = {}) =>
      evaluations.create({ ...asked, ...change, name }).evaluationId,
    until: async (evaluationId: EvaluationId, state: string) => {
      await vi.waitFor(() => expect(view(evaluationId).state).toBe(state), { timeout: 50_000, interval: 5 })
      return view(evaluationId)
    },
    setBusy: (now: Partial<typeof busy>) => {
      Object.assign(busy, now)
      evaluations.look()
    },
  }
}

describe('Evaluations', { timeout: 150_000 }, () => {
  test('are carried out one after the other, each with its progress', async () => {
    const one = bench()
    const first = one.create('')
    const second = one.create('slow')
    expect(one.view(second)).toMatchObject({ state: 'waiting', waitsFor: 'Waits for the evaluations before it.' })
    const done = await one.until(first, 'done')
    expect(done).toMatchObject({ name: 'Estimates without annotations', done: 20, total: 20, waitsFor: null })
    expect(answersOf(one.db, first, 0, -1, 1)).toMatchObject([{ text: 'answered with 3 threads' }])
    await one.until(second, 'done')
    const answering = () => one.told.filter(({ evaluationId: id, state }) => id === second && state === 'answering')
    // It is done in the file before main hears of its last answer.
    await vi.waitFor(() => expect(answering().at(-1)).toMatchObject({ done: 20, total: 20 }), 20_000)
    const progress = answering()
    expect(progress.some(({ remainingMs }) => remainingMs !== null && remainingMs > 0)).toBe(true)
  })

  test('that are asked for together are put into the queue, or none of them', async () => {
    const one = bench()
    one.setBusy({ run: 'Long run' })
    const wrong = { ...one.asked, policies: [{ from: 'run' as const, runId: one.runId, step: 3, strength: 1 }] }
    expect(() => one.evaluations.createAll([one.asked, wrong], [])).toThrow('step 3')
    expect(one.evaluations.list()).toEqual([])
    const before = one.create('before')
    one.evaluations.cancel(before)
    one.evaluations.createAll([one.asked, { ...one.asked, name: 'last' }], [before])
    expect(one.evaluations.list().map(({ name, state }) => [name, state])).toEqual([
      ['last', 'waiting'],
      ['Estimates without annotations', 'waiting'],
      ['before', 'waiting'],
    ])
    expect(one.told.at(-1)).toMatchObject({ name: 'last' })
  })

  test('make way for a run and for a question, keep what was answered and go on', async () => {
    const one = bench()
    const evaluationId = one.create('slow')
    await one.until(evaluationId, 'answering')
    one.setBusy({ run: 'Long run' })
    const waiting = await one.until(evaluationId, 'waiting')
    expect(waiting.waitsFor).toBe('Waits until the run “Long run” has ended or is paused.')
    const kept = countAnswers(one.db, evaluationId)
    expect(kept).toBeGreaterThan(0)
    expect(kept).toBeLessThan(20)
    one.setBusy({ run: null, isAsked: true })
    expect(one.view(evaluationId).waitsFor).toBe('Waits until the questions about images are answered.')
    one.setBusy({ isAsked: false })
    await one.until(evaluationId, 'done')
    expect(answersOf(one.db, evaluationId, 0, -1, 99)).toHaveLength(20)
  })

  test('one that is cancelled keeps its answers and can be resumed; one that fails says why', async () => {
    const one = bench()
    const evaluationId = one.create('slow')
    await one.until(evaluationId, 'answering')
    one.evaluations.cancel(evaluationId)
    await one.until(evaluationId, 'cancelled')
    expect(countAnswers(one.db, evaluationId)).toBeGreaterThan(0)
    const failing = one.create('fails')
    const failed = await one.until(failing, 'failed')
    expect(failed.error).toMatchObject({ code: 'run.pope', remedy: 'Choose another.' })
    one.evaluations.resume(evaluationId)
    await one.until(evaluationId, 'done')
    one.evaluations.resume(failing)
    await vi.waitFor(() => expect(one.told.filter(({ state }) => state === 'failed').length).toBeGreaterThan(1), {
      timeout: 20_000,
    })
  })

  test('are activities while they wait and while policies answer, and end by the tray', async () => {
    const one = bench()
    const activities = new Activities({ onChange: () => undefined })
    activities.addSource(() => evaluationActivities(one.evaluations.open(), (id) => one.evaluations.cancel(id)))
    one.setBusy({ run: 'Long run' })
    const first = one.create('slow')
    const second = one.create('slow')
    const runComesFirst = 'Waits until the run “Long run” has ended or is paused.'
    expect(activities.list()).toMatchObject([
      { id: `evaluate-${first}`, state: 'waiting', detail: runComesFirst, startedAtMs: null, canCancel: true },
      { id: `evaluate-${second}`, state: 'waiting', detail: 'Waits for the evaluations before it.', share: null },
    ])
    one.setBusy({ run: null })
    await one.until(first, 'answering')
    await vi.waitFor(() => expect(activities.list()[0]?.share).toBeGreaterThan(0.1), { timeout: 20_000, interval: 5 })
    const [running] = activities.list()
    expect(running).toMatchObject({ kind: 'evaluate', title: 'slow', state: 'under-way' })
    expect(running?.detail).toBe(`${20 * (running?.share ?? 0)} of 20 answers`)
    activities.cancel(`evaluate-${first}`)
    expect(activities.list()[0]).toMatchObject({ state: 'ending', canCancel: false })
    await one.until(first, 'cancelled')
    expect(activities.list().map(({ id }) => id)).toEqual([`evaluate-${second}`])
    activities.stop()
  })

  test('one that is deleted while policies answer leaves nothing', async () => {
    const one = bench()
    const evaluationId = one.create('slow')
    await one.until(evaluationId, 'answering')
    await one.evaluations.delete(evaluationId)
    expect([listEvaluations(one.db), one.deleted]).toEqual([[], [evaluationId]])
    expect(() => one.evaluations.get(evaluationId)).toThrow('not in the workspace any more')
  })

  test('one that the workspace closes on waits for the next opening', async () => {
    const one = bench()
    const evaluationId = one.create('slow')
    await one.until(evaluationId, 'answering')
    await one.evaluations.suspend()
    expect(one.view(evaluationId)).toMatchObject({ state: 'waiting', error: null })
    expect(countAnswers(one.db, evaluationId)).toBeGreaterThan(0)
  })

  test('refuses what cannot be evaluated', () => {
    const one = bench()
    const policy = one.asked.policies[0]!
    const at = (step: number) => ({ ...policy, step }) as typeof policy
    expect(() => one.create('', { policies: [policy, policy] })).toThrow('names one policy twice')
    expect(() => one.create('', { policies: [at(7)] })).toThrow(expect.objectContaining({ code: 'run.no-checkpoint' }))
    const measure = { kind: 'mme', folder: 'relative/mme', most: null } as const
    expect(() => one.create('', { measure })).toThrow(expect.objectContaining({ code: 'run.bad-path' }))
    expect(listEvaluations(one.db)).toEqual([])
  })
})
