// The queue of questions over a real workspace file and a real process behind the real supervisor: what comes before what,
// what waits and says why, what a cancel and the end of the engine leave.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, inject, test, vi } from 'vitest'
import { type DescribeView, describeViewSchema, greedy, type Question } from '../../shared/describe.ts'
import { allImages, type ModelId, type RunId } from '../../shared/domain.ts'
import { engineMethods } from '../../shared/workerProtocol.ts'
import { dropLastWeights } from '../db/checkpoints.ts'
import { countDescribed } from '../db/rollouts.ts'
import { tagImages } from '../db/tags.ts'
import { addCheckpoint, type TemporaryWorkspace, temporaryWorkspace } from '../db/testing/temporaryWorkspace.ts'
import { WorkerClient } from '../worker/workerClient.ts'
import { Describes } from './describes.ts'
import type { Current } from './workspaces.ts'

let stop: (() => Promise<void>) | null = null

afterEach(async () => {
  await stop?.()
  stop = null
})

interface Bench extends TemporaryWorkspace {
  readonly describes: Describes
  readonly told: DescribeView[]
  readonly ask: (prompt: string, change?: Partial<Question>) => number
  readonly view: (describeId: number) => DescribeView
  readonly until: (describeId: number, state: string) => Promise<DescribeView>
  setRun(name: string | null): void
}

const step = 4

function refuse(): never {
  throw new Error('open for reading only')
}

/** A run of six images whose checkpoint can be asked, and an engine that answers. */
function bench({ reads = false } = {}): Bench {
  const workspace = temporaryWorkspace(6)
  const { db, path, runId } = workspace
  addCheckpoint(db, runId, step)
  const current: Current = { path, key: 'first', db, isDemo: false, ownerToken: null }
  // As a workspace that another app works on when `reads` is set: it can be shown and no more.
  const workspaces = reads ? { current: null, require: refuse } : { current, require: () => current }
  const children = new Set<ReturnType<typeof fork>>()
  const told: DescribeView[] = []
  let run: string | null = null
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
    onStatus: () => describes.look(),
  })
  const describes: Describes = new Describes({
    ...{ engine, workspaces: { ...workspaces, requireShown: () => current } },
    ...{ device: () => 'cpu', threads: () => 3, lexicon: () => '/lexicon.json' },
    runUnderWay: () => run,
    onChanged: (view) => void told.push(describeViewSchema.parse(view)),
  })
  engine.start()
  stop = async () => {
    await describes.suspend()
    engine.stop()
    await Promise.all([...children].map((child) => once(child, 'exit')))
  }
  const view = (describeId: number): DescribeView =>
    describes.list().find((one) => one.describeId === describeId) as DescribeView
  return {
    ...{ ...workspace, describes, told, view },
    ask: (prompt, change = {}) => {
      const policy = { from: 'run', runId, step, strength: 1 } as const
      return describes.ask({ imageId: 1, policy, prompt, decoding: greedy, region: null, ...change }).describeId
    },
    until: async (describeId, state) => {
      await vi.waitFor(() => expect(view(describeId).state).toBe(state), { timeout: 20_000, interval: 5 })
      return view(describeId)
    },
    setRun: (name) => {
      run = name
      describes.look()
    },
  }
}

describe('Describes', { timeout: 60_000 }, () => {
  test('answers questions one after the other, tells the growing text, and names the response', async () => {
    const one = bench()
    const first = one.ask('slow')
    const second = one.ask('What is here?')
    await one.until(first, 'running')
    // Its model was made ready before.
    expect(one.told).toContainEqual(expect.objectContaining({ describeId: first, state: 'opening', readied: 0.5 }))
    expect(one.view(second)).toMatchObject({ state: 'waiting', waitsFor: 'Waits for the answers before it.' })
    const done = await one.until(second, 'done')
    expect(done).toMatchObject({ about: 'image', rolloutId: 2, waitsFor: null, error: null })
    const texts = one.told.flatMap((told) => (told.about === 'image' && told.describeId === first ? [told.text] : []))
    expect(texts).toEqual(expect.arrayContaining(['', 'a', 'a zebra']))
    expect(one.describes.list().map(({ describeId, state }) => [describeId, state])).toEqual([
      [first, 'done'],
      [second, 'done'],
    ])
  })

  test('a library makes way for a question and for a run, goes on afterwards, and describes each image once', async () => {
    const one = bench()
    const { describeId } = one.describes.describeLibrary({ runId: one.runId, step, query: null })
    await one.until(describeId, 'running')
    // The same is not begun twice.
    expect(one.describes.describeLibrary({ runId: one.runId, step, query: null }).describeId).toBe(describeId)
    const question = one.ask('What is here?')
    await one.until(describeId, 'waiting')
    await one.until(question, 'done')
    one.setRun('Long run')
    const waiting = await one.until(describeId, 'waiting')
    expect(waiting.waitsFor).toBe('Waits until the run “Long run” has ended or is paused.')
    expect(one.view(one.ask('Later'))).toMatchObject({ state: 'waiting', waitsFor: waiting.waitsFor })
    one.setRun(null)
    expect(await one.until(describeId, 'done')).toMatchObject({ done: 6, total: 6, remainingMs: 0 })
    expect(one.db.prepare("SELECT count(*) FROM rollout WHERE purpose = 'evaluation'").pluck().get()).toBe(6)
    expect(one.told.some((told) => told.about === 'library' && (told.remainingMs ?? 0) > 0)).toBe(true)
  })

  test('a cancel keeps what was described; the same asked again goes on from there', async () => {
    const one = bench()
    const checkpointId = one.db.prepare('SELECT checkpoint_id FROM checkpoint').pluck().get() as never
    const { describeId } = one.describes.describeLibrary({ runId: one.runId, step, query: null })
    await vi.waitFor(() => expect(countDescribed(one.db, checkpointId)).toBeGreaterThan(1), {
      timeout: 20_000,
      interval: 5,
    })
    one.describes.cancel(describeId)
    await one.until(describeId, 'cancelled')
    const kept = countDescribed(one.db, checkpointId)
    expect(kept).toBeLessThan(6)
    const again = one.describes.describeLibrary({ runId: one.runId, step, query: null })
    expect(one.view(again.describeId)).toMatchObject({ done: kept, total: 6 })
    await one.until(again.describeId, 'done')
    expect(one.describes.coverage({ runId: one.runId, step })).toEqual({ described: 6, images: 6 })
    const waits = one.ask('slow')
    const never = one.ask('never')
    one.describes.cancel(never)
    expect(one.view(never).state).toBe('cancelled')
    await one.until(waits, 'done')
  })

  test('what the grid shows can be described alone, beside the whole library and not as the same', async () => {
    const one = bench()
    tagImages(one.db, 'night', { imageIds: [2, 5] })
    const query = { ...allImages, tag: 'night' }
    const all = one.describes.describeLibrary({ runId: one.runId, step, query: null }).describeId
    const some = one.describes.describeLibrary({ runId: one.runId, step, query }).describeId
    expect(some).not.toBe(all)
    expect(one.describes.describeLibrary({ runId: one.runId, step, query }).describeId).toBe(some)
    one.describes.cancel(all)
    expect(await one.until(some, 'done')).toMatchObject({ done: 2, total: 2 })
    expect(one.describes.coverage({ runId: one.runId, step, query })).toEqual({ described: 2, images: 2 })
  })

  test('questions and evidence keep to the threads of the settings', async () => {
    const one = bench()
    expect(await one.until(one.ask('threads'), 'done')).toMatchObject({ text: '3' })
    const encoder = { from: 'run', runId: one.runId } as const
    const { values } = await one.describes.evidence({ imageId: 1, word: 'zebra', encoder, region: null })
    expect(values).toEqual([3])
  })

  test('evidence is shown of a workspace that is open for reading only, where nothing can be asked', async () => {
    const one = bench({ reads: true })
    const encoder = { from: 'run', runId: one.runId } as const
    expect((await one.describes.evidence({ imageId: 1, word: 'zebra', encoder, region: null })).side).toBe(1)
    expect(() => one.ask('What is here?')).toThrow('for reading only')
  })

  test('a question during which the engine ends has failed, and the next one is answered', async () => {
    const one = bench()
    const lost = one.ask('die')
    expect((await one.until(lost, 'failed')).error).toMatchObject({ code: 'engine.crashed' })
    await one.until(one.ask('What is here?'), 'done')
  })

  test('refuses at once what cannot be asked, by name', async () => {
    const one = bench()
    const { runId, db, describes } = one
    const at = (of: number, run = runId) => ({ policy: { from: 'run', runId: run, step: of, strength: 1 } as const })
    expect(() => one.ask('x', { imageId: 99 })).toThrow(expect.objectContaining({ code: 'image.not-here' }))
    expect(() => one.ask('x', at(5))).toThrow(expect.objectContaining({ code: 'run.no-checkpoint' }))
    expect(() => one.ask('x', at(0, 99 as RunId))).toThrow(expect.objectContaining({ code: 'run.missing' }))
    const model = { from: 'model', modelId: 99 as ModelId } as const
    expect(() => one.ask('x', { policy: model })).toThrow(expect.objectContaining({ code: 'model.missing' }))
    dropLastWeights(db, runId)
    expect(() => describes.describeLibrary({ runId, step, query: null })).toThrow(
      expect.objectContaining({ code: 'run.no-weights' }),
    )
    one.setRun('busy')
    for (let i = 0; i < 32; i++) one.ask(`${i}`)
    expect(() => one.ask('one more')).toThrow(expect.objectContaining({ code: 'engine.too-many-questions' }))
    expect(describes.list()).toHaveLength(32)
  })
})
