// What lies in a folder that machines share the responses of one run through: the policy, the shards that are asked for and
// their answers, each read as something that anybody may have written. Before it stand folderWorkers.ts, which asks, and
// shardWorker.ts, which answers.
//
//   policies/SHA256.safetensors     the feeds of an adapter, under the hash of the file
//   shards/7/asked.json             what shard 7 asks for; its SHA-256 is the key that an answer names
//   shards/7/features.safetensors   the image features that it asks about, each once
//   answers/7-SHA256.json           what was answered, under the hash of the file
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { publishText, unfinishedName } from '../../files/publish.ts'
import { openRegularFile } from '../../files/regularFile.ts'
import { sha256Of, sha256OfText } from '../folder/hashes.ts'
import { readSafetensors, readTensorBytes, streamSafetensors } from '../folder/safetensors.ts'
import { tensor } from '../graph/tensor.ts'
import type { Feeds } from '../models/shared/sequenceFeeds.ts'
import type { GenerationSettings } from '../rollout/generate.ts'
import { samplingSettingsSchema } from '../rollout/sampler.ts'
import type { SentRequest, SentResponse } from './messages.ts'

const policyFile = (folder: string, sha256: string) => join(folder, 'policies', `${sha256}.safetensors`)
const shardFolder = (folder: string, number: number) => join(folder, 'shards', String(number))
const askedFile = (folder: string, number: number) => join(shardFolder(folder, number), 'asked.json')
const featuresFile = (folder: string, number: number) => join(shardFolder(folder, number), 'features.safetensors')
const answersIn = (folder: string) => join(folder, 'answers')
const answerName = /^(\d{1,6})-[0-9a-f]{64}\.json$/
const parts = ['policies', 'shards', 'answers'] as const

/** Far above what a batch of long responses takes with all that a cut vocabulary kept. */
const longestBytes = 256 * 1024 * 1024
/** A drive that does not answer is as good as a file that is not there. */
const longestReadMs = 60_000

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.int().nonnegative().max(Number.MAX_SAFE_INTEGER)
const rngState = z.strictObject({ seed: count, stream: count, counter: count })
const ids = z.array(count.max(0x7fffffff)).max(1_000_000)

const shardSchema = z.strictObject({
  ...{ format: z.literal('fisao-shard'), version: z.literal(1) },
  /** Of the learner's start. */
  shareId: z.uuid(),
  number: count,
  ...{ policySha256: sha256, featuresSha256: sha256 },
  settings: z.strictObject({
    sampling: samplingSettingsSchema,
    stop: z.strictObject({
      endTokenIds: ids,
      stopStrings: z.array(z.string()).max(0),
      maxNewTokens: z.int().positive(),
    }),
    batchSize: z.int().positive(),
  }),
  /** `images` are places in the file of features. The stream of `rng` follows from seed, step and index. */
  requests: z
    .array(z.strictObject({ promptIds: ids, images: z.array(count), rng: rngState }))
    .min(1)
    .max(10_000),
})
type ShardRecord = z.infer<typeof shardSchema>

const kept = z.strictObject({ ids: ids.nullable(), bits: z.base64().nullable() })
const answerSchema = z.strictObject({
  ...{ format: z.literal('fisao-shard-answer'), version: z.literal(1) },
  shardSha256: sha256,
  /** Of the machine, for a person. */
  host: z.string().max(255),
  responses: z.array(
    z.strictObject({
      tokens: ids.min(1),
      ...{ logProbs: z.array(z.number()), logProbsAtTemperature: z.array(z.number()) },
      kept: z.array(kept).nullable(),
      text: z.literal(''),
      reason: z.enum(['end', 'length']),
      rngState,
    }),
  ),
})

/** What is asked of whoever takes a shard. */
export interface Shard {
  readonly requests: readonly SentRequest[]
  readonly settings: GenerationSettings
}

/** A shard as a worker reads it. */
export interface ReadShard extends Shard {
  /** Of what was asked. */
  readonly sha256: string
  readonly policySha256: string
  readonly shareId: string
}

/** Makes the folder ready for a learner: nothing is left in it of an earlier one. */
export async function emptyParts(folder: string): Promise<void> {
  for (const part of parts) {
    await rm(join(folder, part), { recursive: true, force: true })
    await mkdir(join(folder, part), { recursive: true })
  }
}

export async function removeParts(folder: string): Promise<void> {
  for (const part of parts) await rm(join(folder, part), { recursive: true, force: true })
}

/** @returns the SHA-256 of the file, which is its name */
export async function writePolicy(folder: string, adapter: Feeds): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256')
  let bytes = 0
  const tensors = Object.entries(adapter).map(([name, { shape, values }]) => {
    const { buffer, byteOffset, byteLength } = values as Float32Array
    bytes += byteLength
    return { name, dtype: 'F32' as const, shape, pieces: () => [new Uint8Array(buffer, byteOffset, byteLength)] }
  })
  const unfinished = join(folder, 'policies', 'next')
  await streamSafetensors(unfinished, tensors, {}, hash)
  const sha256 = hash.digest('hex')
  await rename(unfinished, policyFile(folder, sha256))
  return { sha256, bytes }
}

/** Takes away all policies but one. */
export async function removeOtherPolicies(folder: string, sha256: string): Promise<void> {
  const names = await readdir(join(folder, 'policies'))
  for (const name of names)
    if (name !== `${sha256}.safetensors`) await rm(join(folder, 'policies', name), { force: true })
}

/** @throws StudioError of what is no such file; Error where it is another one */
export async function readPolicy(folder: string, sha256: string): Promise<Feeds> {
  return await readFloats(policyFile(folder, sha256), sha256)
}

/** Writes what a shard asks for. @returns its key, and the bytes of its features */
export async function writeShard(
  folder: string,
  number: number,
  { requests, settings, ...of }: Shard & Pick<ShardRecord, 'shareId' | 'policySha256'>,
): Promise<{ sha256: string; bytes: number }> {
  // Requests about one image share its array, so that its prompt is read once; it is written once too.
  const features = [...new Set(requests.flatMap(({ imageFeatures }) => imageFeatures))]
  const hash = createHash('sha256')
  const tensors = features.map(({ buffer, byteOffset, byteLength, length }, i) => {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength)
    return { name: String(i), dtype: 'F32' as const, shape: [length], pieces: () => [bytes] }
  })
  await mkdir(shardFolder(folder, number), { recursive: true })
  await streamSafetensors(featuresFile(folder, number), tensors, {}, hash)
  const record: ShardRecord = {
    ...{ format: 'fisao-shard', version: 1, number, settings, ...of, featuresSha256: hash.digest('hex') },
    requests: requests.map(({ promptIds, imageFeatures, rng }) => ({
      ...{ promptIds: [...promptIds], images: imageFeatures.map((one) => features.indexOf(one)), rng },
    })),
  } as ShardRecord
  const text = JSON.stringify(record)
  await publishText(askedFile(folder, number), text)
  return { sha256: sha256OfText(text), bytes: features.reduce((sum, { byteLength }) => sum + byteLength, text.length) }
}

/** Null for one that is wanted no more. @throws Error, StudioError of what is none */
export async function readShard(folder: string, number: number): Promise<ReadShard | null> {
  const text = await readText(askedFile(folder, number))
  if (text === null) return null
  const { requests, settings, featuresSha256, policySha256, shareId } = shardSchema.parse(JSON.parse(text))
  const features = await readFloats(featuresFile(folder, number), featuresSha256)
  const featuresAt = (place: number): Float32Array => {
    const found = features[String(place)]
    if (found) return found.values as Float32Array
    throw new Error(`The shard ${number} asks about features ${place}, which it does not have.`)
  }
  return {
    ...{ sha256: sha256OfText(text), settings, policySha256, shareId },
    requests: requests.map(({ images, ...request }) => ({ ...request, imageFeatures: images.map(featuresAt) })),
  }
}

/** Whether somebody still waits for a shard. */
export function isWanted(folder: string, number: number): boolean {
  return existsSync(askedFile(folder, number))
}

/** Commits the answer to a shard. */
export async function writeAnswer(
  folder: string,
  number: number,
  shardSha256: string,
  { host, responses }: { host: string; responses: readonly SentResponse[] },
): Promise<void> {
  const answer: z.infer<typeof answerSchema> = {
    ...{ format: 'fisao-shard-answer', version: 1, shardSha256, host: host.slice(0, 255) },
    responses: responses.map(({ tokens, logProbs, logProbsAtTemperature, kept, text, reason, rngState }) => ({
      ...{ tokens: [...tokens], logProbs: [...logProbs], logProbsAtTemperature: [...logProbsAtTemperature] },
      kept:
        kept?.map(({ ids, bits }) => ({
          ...{ ids: ids && [...ids], bits: bits && Buffer.from(bits).toString('base64') },
        })) ?? null,
      ...{ text: text as '', reason: reason as 'end' | 'length', rngState },
    })),
  }
  const text = JSON.stringify(answer)
  await publishText(join(answersIn(folder), `${number}-${sha256OfText(text)}.json`), text)
}

/** Answers that lie in the folder, by their names. */
export async function answersAt(folder: string): Promise<{ name: string; number: number }[]> {
  const names = await readdir(answersIn(folder))
  return names.flatMap((name) => {
    const number = answerName.exec(name)?.[1]
    return number === undefined ? [] : [{ name, number: Number(number) }]
  })
}

/** What a worker may have left after the end of a run, who answered at that moment: answers and nothing else. */
export async function areOnlyAnswers(folder: string): Promise<boolean> {
  const names = await readdir(answersIn(folder))
  return names.every((name) => answerName.test(name) || unfinishedName.test(name))
}

/** @throws Error of what is no answer to this very shard */
export async function readAnswer(folder: string, name: string, shardSha256: string): Promise<SentResponse[]> {
  const text = await readText(join(answersIn(folder), name))
  if (text === null) throw new Error('it is not there')
  if (!name.endsWith(`-${sha256OfText(text)}.json`)) throw new Error('its bytes are not those of its name')
  const answer = answerSchema.parse(JSON.parse(text))
  if (answer.shardSha256 !== shardSha256) throw new Error('it answers another shard')
  return answer.responses.map(({ logProbs, logProbsAtTemperature, kept, ...response }) => ({
    ...response,
    logProbs: Float32Array.from(logProbs),
    logProbsAtTemperature: Float32Array.from(logProbsAtTemperature),
    kept:
      kept?.map(({ ids, bits }) => ({
        ids: ids && Int32Array.from(ids),
        bits: bits === null ? null : Uint8Array.from(Buffer.from(bits, 'base64')),
      })) ?? null,
  }))
}

export async function removeAnswer(folder: string, name: string): Promise<void> {
  await rm(join(answersIn(folder), name), { recursive: true, force: true })
}

/** Takes away what a shard asked for. */
export async function removeShard(folder: string, number: number): Promise<void> {
  await rm(shardFolder(folder, number), { recursive: true, force: true })
}

/** All tensors of a file that has this hash, as float32. */
async function readFloats(path: string, expected: string): Promise<Feeds> {
  if ((await sha256Of([path])) !== expected) throw new Error(`${path} is not what its hash says.`)
  const feeds: Record<string, Feeds[string]> = {}
  for (const stored of await readSafetensors(path)) {
    if (stored.dtype !== 'float32') throw new Error(`${path} holds ${stored.dtype}.`)
    // A copy begins where numbers of four bytes may begin.
    const bytes = Uint8Array.from(await readTensorBytes(stored))
    feeds[stored.name] = tensor('float32', stored.shape, new Float32Array(bytes.buffer))
  }
  return feeds
}

/** Null for a file that is not there. */
export async function readText(path: string): Promise<string | null> {
  try {
    const { file, stats } = await openRegularFile(path, longestReadMs)
    try {
      if (stats.size > longestBytes) throw new Error(`it has ${stats.size} bytes`)
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw thrown
  }
}
