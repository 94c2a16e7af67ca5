// The queue over a real workspace file and a real process behind the real supervisor: order, pause and resume, crashes,
// refusals, and a workspace that is closed in the middle of a run.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, inject, test, vi } from 'vitest'
import type { EventPayload } from '../../shared/contract.ts'
import type { ModelId, RunId } from '../../shared/domain.ts'
import type { HardwareReport } from '../../shared/hardware.ts'
import { engineMethods } from '../../shared/workerProtocol.ts'
import { lastCheckpoint, listCheckpoints } from '../db/checkpoints.ts'
import { saveModel } from '../db/models.ts'
import { listRuns, setRunState } from '../db/runs.ts'
import { addCheckpoint, type TemporaryWorkspace, temporaryWorkspace } from '../db/testing/temporaryWorkspace.ts'
import { usedStep } from '../db/usedCheckpoint.ts'
import { WorkerClient } from '../worker/workerClient.ts'
import { Activities } from './activities.ts'
import { ModelLibrary } from './modelLibrary.ts'
import { checkpointViews } from './responseViews.ts'
import { RunQueue } from './runQueue.ts'
import type { Current } from './workspaces.ts'

const hardware = { chosen: 'cpu', reason: '', devices: [], cpuModel: '', cpuCores: 2 } as unknown as HardwareReport
const waitMs = 40_000
let stop: (() => Promise<void>) | null = null

afterEach(async () => {
  await stop?.()
  stop = null
})

interface Bench extends TemporaryWorkspace {
  readonly engine: WorkerClient<typeof engineMethods>
  readonly queue: RunQueue
  readonly models: ModelLibrary
  readonly model: ModelId
  readonly changed: EventPayload<'runs.changed'>[]
  /** Runs in the workspace at each backup. */
  readonly backedUp: number[]
  /** What a run that begins waits for. */
  readonly way: { readonly asked: number; free: Promise<void> }
  /** Stands for an opening of the workspace. */
  setKey(key: string): void
}

/** A workspace with a model that can be aligned, and an engine that answers. */
function bench(): Bench {
  const workspace = temporaryWorkspace()
  const { db, path, runId } = workspace
  setRunState(db, runId, 'stopped', 1)
  let current: Current = { path, key: 'first', db, isDemo: false, ownerToken: null }
  const children = new Set<ReturnType<typeof fork>>()
  const changed: EventPayload<'runs.changed'>[] = []
  const backedUp: number[] = []
  const way = { asked: 0, free: Promise.resolve() }
  const engine = new WorkerClient({
    ...{ name: 'engine', area: 'engine' as const, methods: engineMethods, backoffMs: 5, maxRestartsInARow: 20 },
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
    onStatus: () => queue.look(),
  })
  const workspaces = {
    get current() {
      return current
    },
    get shown() {
      return current
    },
    require: () => current,
    requireShown: () => current,
  }
  const queue = new RunQueue({
    ...{ engine, workspaces, hardware: () => hardware, threads: () => null, lexicon: () => 'lexicon.json' },
    onRunChanged: (change) => changed.push(change),
    makeWay: () => {
      way.asked++
      return way.free
    },
    backUp: async ({ db: open }) => void backedUp.push(listRuns(open).length),
  })
  stop = async () => {
    await queue.suspend()
    engine.stop()
    await Promise.all([...children].map((child) => once(child, 'exit')))
  }
  const model = saveModel(
    db,
    {
      ...{ folder: '/models/own', name: 'own', config: {}, weightsSha256: Buffer.alloc(32) },
      ...{ companionFolder: '/models/own/encoder', encoderVerified: true },
    },
    1,
  )
  const activities = new Activities({ onChange: () => undefined })
  const models = new ModelLibrary({ engine, workspaces, activities, resources: '/nowhere' })
  const setKey = (key: string): void => {
    current = { ...current, key }
  }
  engine.start()
  return { ...workspace, engine, queue, models, model, changed, backedUp, way, setKey }
}

function create({ queue, model }: Bench, name: string, stepsPerRound = 4): RunId {
  const changes = { optimiser: { stepsPerRound } }
  return queue.create({ modelId: model, name, preset: 'quick-look', changes, seed: 1 }).runId
}

async function untilState({ queue }: Bench, runId: RunId, state: string): Promise<void> {
  await vi.waitFor(() => expect(queue.get(runId).run).toMatchObject({ state, live: null }), { timeout: waitMs })
}

async function untilStep(one: Bench, runId: RunId, step: number): Promise<void> {
  await vi.waitFor(() => expect(one.queue.get(runId).run.live?.progress?.step ?? 0).toBeGreaterThanOrEqual(step), {
    timeout: waitMs,
    interval: 5,
  })
}

describe('RunQueue', { timeout: 60_000 }, () => {
  test('carries runs out one after the other, with looks, best step, calibration and metrics to show', async () => {
    const one = bench()
    const first = create(one, 'slow')
    const second = create(one, 'second')
    await untilStep(one, first, 1)
    expect(one.queue.list().map(({ name, state }) => [name, state])).toEqual([
      ['second', 'queued'],
      ['slow', 'running'],
      ['first', 'stopped'],
    ])
    expect(one.queue.get(first).run).toMatchObject({ totalSteps: 4, modelName: 'own' })
    await untilState(one, second, 'complete')
    const { run, looks, bestStep, calibration, metricNames } = one.queue.get(first)
    expect(run).toMatchObject({ state: 'complete', checkpointStep: 4, error: null })
    expect(looks.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4])
    expect([bestStep, calibration?.auroc]).toEqual([4, 0.97])
    expect(metricNames).toEqual(['klNats', 'validation.hallucinationRate'])
    expect(one.queue.metrics(first, ['klNats', 'no such'])).toEqual({
      klNats: [0, 1, 2, 3, 4].map((step) => ({ step, mean: step / 100, low: step / 100, high: step / 100 })),
      'no such': [],
    })
    expect(new Set(one.changed.map(({ runId }) => runId))).toEqual(new Set([first, second]))
    // One after each run.
    expect(one.backedUp).toHaveLength(2)
  })

  test('tells progress as it comes, and apart from it what the workspace may hold more of', async () => {
    const one = bench()
    const runId = create(one, 'slow')
    await untilState(one, runId, 'complete')
    const told = one.changed.map(({ live, isOnlyProgress }) => [live?.progress?.phase ?? live, isOnlyProgress])
    // Each step begins with a rollout, when the one before it is stored; its update is progress and no more.
    expect(told.filter(([phase]) => phase === 'rollout').map(([, isOnly]) => isOnly)).toContain(false)
    expect(told.filter(([phase]) => phase === 'rollout').map(([, isOnly]) => isOnly)).not.toContain(true)
    const updates = told.filter(([phase]) => phase === 'update').map(([, isOnly]) => isOnly)
    expect(updates.length).toBeGreaterThanOrEqual(4)
    expect(updates).not.toContain(false)
    expect(one.changed.at(-1)).toEqual({ runId, live: null, isOnlyProgress: false })
  })

  test('pauses, resumes to the end, stops and deletes', async () => {
    const one = bench()
    const runId = create(one, 'slow', 12)
    await untilStep(one, runId, 2)
    one.queue.pause(runId)
    expect(one.queue.get(runId).run.live).toMatchObject({ wish: 'pause' })
    await untilState(one, runId, 'paused')
    const step = one.queue.get(runId).run.checkpointStep
    expect(step).toBeLessThan(12)
    one.queue.resume(runId, { goOnRefused: false })
    await untilStep(one, runId, 4)
    one.queue.stop(runId)
    await untilState(one, runId, 'stopped')
    one.queue.resume(runId, { goOnRefused: false })
    await untilState(one, runId, 'complete')
    expect(listCheckpoints(one.db, runId).map((checkpoint) => checkpoint.step)).toEqual([...Array(13).keys()])
    expect(() => one.queue.pause(runId)).toThrow(expect.objectContaining({ code: 'run.wrong-state' }))

    const other = create(one, 'slow', 500)
    await untilStep(one, other, 1)
    const before = one.backedUp.length
    await one.queue.delete(other)
    // With the run still in it.
    expect(one.backedUp.slice(before)).toEqual([3])
    expect(one.queue.list().map((run) => run.runId)).not.toContain(other)
    expect(() => one.queue.get(other)).toThrow(expect.objectContaining({ code: 'run.missing' }))
  })

  test('a queued run can be taken out of the queue and put back', async () => {
    const one = bench()
    const first = create(one, 'slow', 20)
    const second = create(one, 'second')
    one.queue.pause(second)
    expect(one.queue.get(second).run.state).toBe('stopped')
    await untilState(one, first, 'complete')
    expect(one.queue.get(second).run.state).toBe('stopped')
    one.queue.resume(second, { goOnRefused: false })
    await untilState(one, second, 'complete')
  })

  test('an engine that ends again and again: the run goes on while it gets further, and is given up when not', async () => {
    const one = bench()
    const further = create(one, 'dies after each step')
    const stuck = create(one, 'dies at 2')
    await untilState(one, stuck, 'failed')
    expect(one.queue.get(further).run).toMatchObject({ state: 'complete', checkpointStep: 4 })
    const { error, checkpointStep } = one.queue.get(stuck).run
    expect([error?.code, checkpointStep]).toEqual(['run.engine-ended', 1])
    expect(error?.remedy).toContain('Everything up to the last checkpoint is kept.')
    // Five checkpoints of the one, four ends of the other.
    expect(one.engine.status.restarts).toBe(9)
  })

  test('a refused verifier fails the run with its reason; a person may go on knowingly', async () => {
    const one = bench()
    const runId = create(one, 'refused')
    await untilState(one, runId, 'failed')
    expect(one.queue.get(runId).run.error?.code).toBe('run.verifier-cannot-tell')
    one.queue.resume(runId, { goOnRefused: true })
    await untilState(one, runId, 'complete')
    expect(one.queue.get(runId)).toMatchObject({ run: { error: null }, config: { calibration: { goOnRefused: true } } })
  })

  test('a workspace that closes keeps its run running, and the next opening goes on with it', async () => {
    const one = bench()
    const runId = create(one, 'slow', 12)
    await untilStep(one, runId, 2)
    await one.queue.suspend()
    expect(one.queue.get(runId).run).toMatchObject({ state: 'running', live: null })
    one.queue.look()
    expect(one.queue.get(runId).run.live).toBeNull()
    one.setKey('second')
    one.queue.look()
    await untilState(one, runId, 'complete')
    expect(listCheckpoints(one.db, runId)).toHaveLength(13)
  })

  test('a run whose last checkpoint is damaged goes on from the one before when a person resumes it', () => {
    const one = bench()
    const runId = create(one, 'damaged')
    for (const step of [1, 2]) addCheckpoint(one.db, runId, step)
    const error = { code: 'run.damaged-checkpoint' as const, message: 'It is damaged.', remedy: 'Resume.' }
    if (one.queue.get(runId).run.state === 'queued') setRunState(one.db, runId, 'running', 1)
    setRunState(one.db, runId, 'failed', 2, error)
    one.queue.resume(runId, { goOnRefused: false })
    expect(lastCheckpoint(one.db, runId)?.step).toBe(1)
  })

  test('a check that is under way has ended before a run begins, be it new, resumed or a placebo', async () => {
    const one = bench()
    const runId = create(one, 'slow', 12)
    await untilStep(one, runId, 1)
    one.queue.pause(runId)
    await untilState(one, runId, 'paused')
    const begun: (() => RunId)[] = [
      () => create(one, 'new', 2),
      () => one.queue.createPlacebo(runId).runId,
      () => {
        one.queue.resume(runId, { goOnRefused: false })
        return runId
      },
    ]
    for (const begin of begun) {
      let checkEnds: () => void = () => undefined
      const { asked } = one.way
      one.way.free = new Promise((resolve) => {
        checkEnds = resolve
      })
      const began = begin()
      await vi.waitFor(() => expect(one.way.asked).toBe(asked + 1), { timeout: 20_000 })
      await delay(50)
      expect(one.queue.get(began).run).toMatchObject({ state: 'queued', live: null })
      checkEnds()
      await untilState(one, began, 'complete')
    }
  })

  test('a checkpoint can be used in the place of the best one: it is pinned, and unpinning gives it up', async () => {
    const one = bench()
    const runId = create(one, 'one')
    await untilState(one, runId, 'complete')
    const shown = () => checkpointViews(one.db, runId).filter(({ isUsed, isPinned }) => isUsed || isPinned)
    one.queue.use(runId, 2)
    expect(shown()).toMatchObject([{ step: 2, isUsed: true, isPinned: true, isBest: false }])
    one.queue.use(runId, 4)
    expect(shown().map(({ step, isUsed }) => [step, isUsed])).toEqual([
      [2, false],
      [4, true],
    ])
    one.queue.pin(runId, 4, false)
    expect(shown().map(({ step, isUsed }) => [step, isUsed])).toEqual([[2, false]])
    one.queue.use(runId, 2)
    one.queue.use(runId, null)
    expect(shown()).toMatchObject([{ step: 2, isUsed: false, isPinned: true }])
    expect(() => one.queue.use(runId, 9)).toThrow(expect.objectContaining({ code: 'run.no-checkpoint' }))
    one.queue.use(runId, 2)
    await one.queue.delete(runId)
    // A run that gets its number later begins without a choice.
    expect(usedStep(one.db, runId)).toBeNull()
  })

  test('makes one placebo of a run, which differs in nothing but its verifier, and none of a placebo', () => {
    const one = bench()
    const runId = create(one, 'n'.repeat(120))
    const { runId: placebo } = one.queue.createPlacebo(runId)
    expect(one.queue.createPlacebo(runId)).toEqual({ runId: placebo })
    const [own, control] = [one.queue.get(runId), one.queue.get(placebo)]
    expect(control.run).toMatchObject({ isPlacebo: true, name: `${'n'.repeat(111)}, placebo`, seed: own.run.seed })
    expect({ ...control.config, reward: own.config?.reward }).toEqual(own.config)
    expect([own.counterpart?.run.runId, control.counterpart?.run.runId]).toEqual([placebo, runId])
    expect(() => one.queue.createPlacebo(placebo)).toThrow(expect.objectContaining({ code: 'run.is-placebo' }))
  })

  test('refuses settings out of range, models without an encoder and models that are gone, by name', () => {
    const one = bench()
    const ask = (modelId: ModelId, changes: object) =>
      one.queue.create({ modelId, name: 'x', preset: 'paper', changes, seed: 1 })
    expect(() => ask(one.model, { optimiser: { gamma: 2 } })).toThrow(
      expect.objectContaining({ code: 'run.bad-config', where: 'optimiser.gamma' }),
    )
    expect(() => ask(one.modelId, {})).toThrow(expect.objectContaining({ code: 'run.no-companion' }))
    expect(() => ask(99 as ModelId, {})).toThrow(expect.objectContaining({ code: 'run.no-model' }))
  })
})

describe('ModelLibrary', () => {
  test('stores what the engine found, says where the towers part, and keeps a model that runs need', async () => {
    const one = bench()
    const { model, difference } = await one.models.add('/models/a', '/models/a/encoder')
    expect([model.name, model.encoderVerified, difference]).toEqual(['tiny', true, null])
    const other = await one.models.add('/models/b', '/models/other')
    expect([other.model.encoderVerified, other.difference]).toEqual([false, 'layer 0: 8 here, 16 there'])
    expect((await one.models.add('/models/c', null)).model.encoderVerified).toBeNull()
    expect(one.models.list()).toHaveLength(5)
    one.models.remove(model.modelId)
    expect(one.models.list()).toHaveLength(4)
    const [run] = listRuns(one.db)
    const refusal = { code: 'model.in-use', message: expect.stringContaining(`“${run?.name}”`) }
    expect(() => one.models.remove(one.modelId)).toThrow(expect.objectContaining(refusal))
  })

  test('a model that was moved is found again by its weights, and no other is taken for it', async () => {
    const one = bench()
    const { model } = await one.models.add('/models/a', '/models/a/encoder')
    const details = await one.models.details(model.modelId)
    expect(details).toMatchObject({ description: null, problem: { code: 'model.missing-file' }, runs: [] })
    const relink = (folder: string, companion: string | null) => one.models.relink(model.modelId, folder, companion)
    await expect(relink('/models/another', null)).rejects.toMatchObject({ code: 'model.other-weights' })
    await expect(relink('/models/moved', '/models/other')).rejects.toMatchObject({ code: 'model.other-encoder' })
    await one.models.add('/models/known', null)
    await expect(relink('/models/known', null)).rejects.toMatchObject({ code: 'model.known-folder' })
    expect(one.models.list().find(({ modelId }) => modelId === model.modelId)).toEqual(model)
    expect(await relink('/models/moved', '/models/moved/encoder')).toMatchObject({
      ...{ modelId: model.modelId, folder: '/models/moved', companionFolder: '/models/moved/encoder' },
    })
    expect((await one.models.details(one.modelId)).runs).toMatchObject([{ name: listRuns(one.db)[0]?.name }])
    await expect(one.models.details(999 as ModelId)).rejects.toMatchObject({ code: 'model.missing' })
  })

  test('says that a build has no demo model', async () => {
    await expect(bench().models.addDemo()).rejects.toMatchObject({ code: 'model.no-demo' })
  })
})
