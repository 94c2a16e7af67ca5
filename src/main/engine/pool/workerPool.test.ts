// Real threads against this one: equal results to the bit, also when threads end in the middle, and errors and cancels that
// arrive as they would without them.
import { beforeAll, expect, test } from 'vitest'
import { StudioError } from '../../../shared/errors.ts'
import { GraphBuilder } from '../graph/graphBuilder.ts'
import { floatsOf, tensor } from '../graph/tensor.ts'
import { tensorOps } from '../graph/tensorOps.ts'
import { openSequenceCase } from '../models/testing/sequenceCase.ts'
import { Rng } from '../rng.ts'
import {
  type GenerationSettings,
  type GeneratorGraphs,
  generatorGraphs,
  type RolloutRequest,
} from '../rollout/generate.ts'
import { PoolThread } from './poolThread.ts'
import { openWorkers, WorkerPool } from './workerPool.ts'
import { thisThread, type Workers } from './workers.ts'

const onCpu = { device: 'cpu', threads: 1 } as const

let graphs: GeneratorGraphs
let requests: () => RolloutRequest[]
beforeAll(async () => {
  const { source, feeds } = await openSequenceCase('clip-llama')
  graphs = generatorGraphs(source, null, 'cpu')
  const features = floatsOf(feeds, 'image_features')
  const image = features.slice(0, features.length / 2)
  const place = new Array(image.length / source.config.decoder.hiddenSize).fill(source.config.imageTokenId)
  requests = () =>
    [13, 20, 21, 30, 13, 40, 41].map((word, row) => ({
      ...{ promptIds: [1, ...place, word], imageFeatures: [image] },
      rng: new Rng({ seed: 5 }).fork(row),
    }))
})

const settings: GenerationSettings = {
  // A cut vocabulary: what each token was drawn from has to pass between threads too.
  sampling: { greedy: false, temperature: 0.8, topK: 5, topP: 1, repetitionPenalty: 1 },
  stop: { endTokenIds: [], stopStrings: [], maxNewTokens: 12 },
  batchSize: 2,
}

async function answers(workers: Workers, meanwhile: () => Promise<unknown> = async () => undefined) {
  const responder = await workers.openResponder(graphs, onCpu)
  try {
    const [said] = await Promise.all([responder.generate(requests(), settings), meanwhile()])
    return said
  } finally {
    await responder.release()
  }
}

async function threadsOf(count: number): Promise<PoolThread[]> {
  const threads = await Promise.all(Array.from({ length: count }, () => PoolThread.start()))
  return threads.map((thread) => thread as PoolThread)
}

test('threads answer as this one does, to the bit and in order', async () => {
  const pool = await openWorkers(2)
  expect(pool.count).toBe(2)
  const [expected, said] = [await answers(thisThread), await answers(pool)]
  expect(said).toEqual(expected)
  expect(said[0]?.kept?.[0]?.data.ids).toHaveLength(5)
  await pool.release()
})

test.each([
  ['one of two', 1],
  ['all', 2],
])('%s threads end in the middle, and the answers are the same', async (_which, ending) => {
  const expected = await answers(thisThread)
  const threads = await threadsOf(2)
  const pool = new WorkerPool(threads)
  const said = await answers(pool, () => Promise.all(threads.slice(0, ending).map((thread) => thread.kill())))
  expect(threads.filter(({ isAlive }) => isAlive)).toHaveLength(2 - ending)
  expect(said).toEqual(expected)
  // And again, from what is left.
  expect(await answers(pool)).toEqual(expected)
  await pool.release()
})

test('a graph runs in each thread, and says what is wrong with its feeds', async () => {
  const g = new GraphBuilder('double')
  const { add } = tensorOps(g)
  const x = g.input('x', 'float32', ['n'])
  g.output('y', add(x, x))
  const pool = await openWorkers(2)
  const runner = await pool.openGraph(g.build(), onCpu)
  const sums = await Promise.all([1, 2, 3, 4].map((n) => runner.compute({ x: tensor('float32', [2], [n, -n]) })))
  expect(sums.map(({ y }) => [...(y?.values ?? [])])).toEqual([1, 2, 3, 4].map((n) => [2 * n, -2 * n]))
  const misfed = runner.compute({ x: tensor('float32', [1, 1], [1]) })
  await expect(misfed).rejects.toMatchObject({ code: 'graph.feed', where: 'x' })
  await expect(misfed).rejects.toBeInstanceOf(StudioError)
  await pool.release()
})

test('a cancel ends what is under way within a step, and what waits does not begin', async () => {
  const pool = await openWorkers(2)
  const responder = await pool.openResponder(graphs, onCpu)
  const abort = new AbortController()
  // A response that would take minutes.
  const long = { ...settings, batchSize: 1, stop: { ...settings.stop, maxNewTokens: 100_000 } }
  const said = responder.generate(requests(), long, { signal: abort.signal })
  setTimeout(() => abort.abort(), 100)
  await expect(said).rejects.toMatchObject({ code: 'run.cancelled' })
  await pool.release()
})
