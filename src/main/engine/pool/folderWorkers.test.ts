// A run shared through a folder: the same responses as without, whoever answers, who is lost in the middle, and what hostile
// answers lie there; and nothing is left behind.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Claims, makeTokens } from '../../files/claims.ts'
import { sha256OfText } from '../folder/hashes.ts'
import { floatsOf, type Tensor } from '../graph/tensor.ts'
import { openSequenceCase } from '../models/testing/sequenceCase.ts'
import { Rng } from '../rng.ts'
import {
  type GenerationSettings,
  type GeneratorGraphs,
  generatorGraphs,
  type Response,
  type RolloutRequest,
} from '../rollout/generate.ts'
import { FolderWorkers } from './folderWorkers.ts'
import { answerShards } from './shardWorker.ts'
import { emptyParts, readPolicy, writePolicy } from './sharedFiles.ts'
import { thisThread, type Workers } from './workers.ts'

const onCpu = { device: 'cpu', threads: 1 } as const
const home = mkdtempSync(join(tmpdir(), 'fisao-shards-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

let graphs: GeneratorGraphs
let requests: () => RolloutRequest[]
let expected: Response[]
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
  expected = await (await thisThread.openResponder(graphs, onCpu)).generate(requests(), settings)
})

const settings: GenerationSettings = {
  sampling: { greedy: false, temperature: 0.8, topK: 5, topP: 1, repetitionPenalty: 1 },
  stop: { endTokenIds: [], stopStrings: [], maxNewTokens: 12 },
  batchSize: 2,
}
const shareId = '00000000-0000-4000-8000-000000000001'
let folders = 0

async function newFolder(): Promise<string> {
  const folder = join(home, String(++folders))
  await emptyParts(folder)
  makeTokens(folder, 0)
  return folder
}

interface Said {
  readonly responses: Response[]
  readonly notes: readonly string[]
  readonly figures: Readonly<Record<string, number>>
}

/** What a learner comes to while something else happens in the folder. */
async function learn(
  folder: string,
  { own = thisThread, staleMs = 60_000, meanwhile = async () => undefined as unknown, notes = [] as string[] } = {},
): Promise<Said> {
  const claims = new Claims(folder)
  const note = (text: string) => void notes.push(text)
  const learner = new FolderWorkers(own, { folder, shareId, claims, staleMs, note, leave: async () => claims.leave() })
  const responder = await learner.openResponder(graphs, onCpu)
  const [responses] = await Promise.all([responder.generate(requests(), settings, { adapter: {} }), meanwhile()])
  const figures = learner.takeFigures()
  await responder.release()
  await learner.release()
  return { responses, notes, figures }
}

/** A worker that goes on until it is stopped. @returns what stops it, and how many responses it gave */
async function startWorker(folder: string) {
  const abort = new AbortController()
  const responder = await thisThread.openResponder(graphs, onCpu)
  const claims = new Claims(folder)
  let given = 0
  const ended = answerShards({
    ...{ folder, shareId, claims, responder, atOnce: 1, signal: abort.signal },
    ...{ isOver: async () => false, note: () => undefined },
    onAnswered: (responses) => {
      given += responses
    },
  })
  return {
    given: () => given,
    stop: async () => {
      abort.abort()
      await ended
      claims.leave()
    },
  }
}

/** A learner that computes nothing by itself before something has happened, but draws a token of an answer again. */
const waitingFor = (happened: () => boolean): Workers => ({
  ...thisThread,
  openResponder: async (...args) => {
    const own = await thisThread.openResponder(...args)
    return {
      generate: async (asked, how, options) => {
        const isCheck = how.stop.maxNewTokens === 1
        while (!isCheck && !happened() && !options?.signal?.aborted) await delay(5)
        return await own.generate(asked, how, options)
      },
      release: () => own.release(),
    }
  },
})

/** What is asked for, and who has it. An answer that comes late goes with the next step, as the policy does, or at the end. */
const left = (folder: string) => ['shards', 'open', 'claimed'].flatMap((part) => readdirSync(join(folder, part)))

test('alone, and with two workers, it says what it says without a folder, and leaves nothing there', async () => {
  const alone = await newFolder()
  expect((await learn(alone)).responses).toEqual(expected)
  expect(left(alone)).toEqual([])
  const folder = await newFolder()
  const workers = [await startWorker(folder), await startWorker(folder)]
  const said = await learn(folder, { own: waitingFor(() => workers.some(({ given }) => given() > 0)) })
  await Promise.all(workers.map(({ stop }) => stop()))
  expect(said.responses).toEqual(expected)
  expect(said.notes).toEqual([])
  const given = workers.reduce((sum, worker) => sum + worker.given(), 0)
  expect(said.figures['sharing.responsesByOthers']).toBe(given)
  expect(given).toBeGreaterThan(0)
  // One kind of processor: the very same numbers, up to the order of sums in a longer pass.
  expect(said.figures['sharing.logProbDifferenceNats']).toBeLessThan(1e-5)
  expect(left(folder)).toEqual([])
})

test('a worker that takes a shard and is never heard of again costs time and nothing else', async () => {
  const folder = await newFolder()
  const gone = new Claims(folder)
  // It takes all that it finds at first, as one that is killed between two files.
  const meanwhile = async () => {
    while (gone.take() === null) await delay(1)
  }
  // Its heartbeat would count for a minute; what this machine does itself is done after a moment.
  const said = await learn(folder, { meanwhile })
  expect([said.responses, said.notes, said.figures['sharing.responsesByOthers']]).toEqual([expected, [], 0])
})

test('one that shows no change is gone, and others take its shards', async () => {
  const folder = await newFolder()
  const gone = new Claims(folder)
  let worker: Awaited<ReturnType<typeof startWorker>> | undefined
  const meanwhile = async () => {
    const taken = new Set<number>()
    while (taken.size < 2) {
      const number = gone.take()
      if (number === null) await delay(1)
      else taken.add(number)
    }
    worker = await startWorker(folder)
  }
  const said = await learn(folder, { own: waitingFor(() => (worker?.given() ?? 0) > 0), staleMs: 200, meanwhile })
  await worker?.stop()
  expect(said.responses).toEqual(expected)
  expect(worker?.given()).toBeGreaterThan(0)
  expect(left(folder)).toEqual([])
})

interface Answer {
  shardSha256: string
  responses: Record<string, unknown>[]
  [field: string]: unknown
}

/** What somebody else may have made of an answer, and what is said of it. */
const hostile: readonly (readonly [name: string, change: (answer: Answer) => unknown, said: string])[] = [
  [
    'another token, which is as well formed',
    (one) => change(one, 'tokens', (tokens) => [...tokens.slice(0, -1), 7]),
    'drawn from',
  ],
  [
    'all log-probabilities of other numbers',
    (one) => change(one, 'logProbsAtTemperature', (all) => all.map((x) => x - 0.01)),
    'nats',
  ],
  ['a log-probability above 0', (one) => change(one, 'logProbs', (all) => [0.1, ...all.slice(1)]), 'that is none'],
  ['a token less', (one) => change(one, 'tokens', (tokens) => tokens.slice(1)), 'ends where'],
  [
    'a token of another vocabulary',
    (one) => change(one, 'tokens', (tokens) => [1e6, ...tokens.slice(1)]),
    'vocabulary',
  ],
  ['a response less', (one) => ({ ...one, responses: one.responses.slice(1) }), 'responses to'],
  ['the answer to another shard', (one) => ({ ...one, shardSha256: '0'.repeat(64) }), 'another shard'],
  ['another version', (one) => ({ ...one, version: 2 }), 'version'],
  ['a field too many', (one) => ({ ...one, more: 1 }), 'more'],
  [
    'another stream',
    (one) => ({
      ...one,
      responses: one.responses.map((r) => ({ ...r, rngState: { seed: 5, stream: 1, counter: 12 } })),
    }),
    'stream',
  ],
  [
    'no cut of the vocabulary',
    (one) => ({ ...one, responses: one.responses.map((r) => ({ ...r, kept: null })) }),
    'cut',
  ],
  ['no object', () => [], 'expected object'],
]

function change(answer: Answer, name: string, to: (values: number[]) => number[]): Answer {
  return { ...answer, responses: answer.responses.map((one) => ({ ...one, [name]: to(one[name] as number[]) })) }
}

describe('an answer that is not what was asked for is told, and computed here', () => {
  let answers: Map<number, string>
  beforeAll(async () => {
    // What a worker answers to these very requests: they, and so their keys, are the same in each learner of this id.
    const folder = await newFolder()
    const worker = await startWorker(folder)
    answers = new Map()
    const meanwhile = async () => {
      while (answers.size < 2) {
        for (const name of readdirSync(join(folder, 'answers')).filter((one) => /^\d/.test(one)))
          answers.set(Number(name.split('-')[0]), readFileSync(join(folder, 'answers', name), 'utf8'))
        await delay(1)
      }
    }
    await learn(folder, { own: waitingFor(() => answers.size >= 2), meanwhile })
    await worker.stop()
  })

  /** Puts files there as soon as it is asked, in place of a worker. */
  async function learnWith(put: (folder: string, number: number, text: string) => void): Promise<Said> {
    const folder = await newFolder()
    const claims = new Claims(folder)
    let isPut = false
    const meanwhile = async () => {
      while (!isPut) {
        const number = claims.take()
        const text = number === null ? undefined : answers.get(number)
        if (number !== null && text !== undefined) {
          put(folder, number, text)
          isPut = true
        }
        await delay(1)
      }
    }
    // Told of, or taken and gone.
    const notes: string[] = []
    const isSeen = () => isPut && (notes.length > 0 || readdirSync(join(folder, 'answers')).length === 0)
    return await learn(folder, { own: waitingFor(isSeen), meanwhile, notes })
  }
  const named = (folder: string, number: number, text: string) =>
    join(folder, 'answers', `${number}-${sha256OfText(text)}.json`)

  test('and one that is, is taken', async () => {
    const said = await learnWith((folder, number, text) => writeFileSync(named(folder, number, text), text))
    expect(said).toMatchObject({ responses: expected, notes: [], figures: { 'sharing.refusedShards': 0 } })
    expect(said.figures['sharing.responsesByOthers']).toBe(2)
  })

  test.each(hostile)('%s', async (_name, change, words) => {
    const said = await learnWith((folder, number, text) => {
      const made = JSON.stringify(change(JSON.parse(text)))
      writeFileSync(named(folder, number, made), made)
    })
    expect(said).toMatchObject({ responses: expected, figures: { 'sharing.refusedShards': 1 } })
    expect(said.notes).toEqual([expect.stringContaining(words)])
  })

  test.each([
    ['cut short', (path: string, text: string) => [writeFileSync(path, text), truncateSync(path, 100)]],
    ['not of its name', (path: string, text: string) => writeFileSync(path, text.replace('1', '2'))],
    ['a folder', (path: string) => mkdirSync(path)],
    ['endless', (path: string) => [writeFileSync(path, ''), truncateSync(path, 2 ** 40)]],
  ])('a file that is %s', async (_name, put) => {
    const said = await learnWith((folder, number, text) => void put(named(folder, number, text), text))
    expect(said).toMatchObject({ responses: expected, figures: { 'sharing.refusedShards': 1 } })
    expect(said.notes).toHaveLength(1)
  })
})

test('a folder that is lost in the middle leaves the learner alone, and it says so', async () => {
  const folder = await newFolder()
  const said = await learn(folder, { meanwhile: async () => rmSync(folder, { recursive: true }) })
  expect(said.responses).toEqual(expected)
  expect(said.notes.length).toBeGreaterThan(0)
})

test('who is stopped while others are at work waits for nobody', async () => {
  const folder = await newFolder()
  const claims = new Claims(folder)
  const learner = new FolderWorkers(
    waitingFor(() => false),
    {
      ...{ folder, shareId, claims, staleMs: 60_000, note: () => undefined, leave: async () => undefined },
    },
  )
  const responder = await learner.openResponder(graphs, onCpu)
  const abort = new AbortController()
  const said = responder.generate(requests(), settings, { adapter: {}, signal: abort.signal })
  setTimeout(() => abort.abort(), 50)
  await expect(said).rejects.toMatchObject({ code: 'run.cancelled' })
})

test('a policy comes back bit for bit, and one that was changed does not', async () => {
  const folder = await newFolder()
  const a: Tensor = { dtype: 'float32', shape: [2, 1], values: Float32Array.of(0.1, -0) }
  const scale: Tensor = { dtype: 'float32', shape: [], values: Float32Array.of(2) }
  const { sha256 } = await writePolicy(folder, { 'lora.scale': scale, 'lora.x.a': a })
  expect(await readPolicy(folder, sha256)).toEqual({ 'lora.scale': scale, 'lora.x.a': a })
  const path = join(folder, 'policies', `${sha256}.safetensors`)
  const bytes = readFileSync(path)
  bytes[bytes.length - 1] = 1
  writeFileSync(path, bytes)
  await expect(readPolicy(folder, sha256)).rejects.toThrow('hash')
})
