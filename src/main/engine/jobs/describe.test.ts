// Asking the demo model about images of a workspace: what is kept equals what a look of the run kept, what is covered changes
// the answer, nothing is asked twice, a cancel keeps what was done. Files, database and sessions are real.
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { greedy, type Question } from '../../../shared/describe.ts'
import {
  allImages,
  type CheckpointId,
  type Json,
  type ModelId,
  type ResponseDetail,
  type RunId,
} from '../../../shared/domain.ts'
import { checkpointAtStep, dropLastWeights } from '../../db/checkpoints.ts'
import type { WritableDb } from '../../db/connection.ts'
import { everyImage } from '../../db/images.ts'
import { createWorkspace, openWorkspace } from '../../db/open.ts'
import { imagesToDescribe, responseById, responsesToImage, shownResponse } from '../../db/rollouts.ts'
import { runById, setRunConfig } from '../../db/runs.ts'
import { tagImages } from '../../db/tags.ts'
import { answerQuestion, describeLibrary } from './describeWorkspace.ts'
import { WarmEncoder } from './evidence.ts'
import { addDemoRun, demoLexicon, sampleScenes, shortConfig } from './testing/demoRun.ts'
import { WarmModels } from './warmModels.ts'
import { alignRun } from './workspaceJobs.ts'

const images = 24
const step = shortConfig.optimiser.stepsPerRound
const engine = { device: 'cpu', threads: 1, lexicon: demoLexicon, ownerToken: null } as const
/** Boxes of the sample scenes' objects, in pixels of 384. */
function readAnnotations(): {
  readonly images: readonly { readonly id: number; readonly file_name: string }[]
  readonly annotations: readonly { readonly image_id: number; readonly category_id: number; readonly bbox: number[] }[]
  readonly categories: readonly { readonly id: number; readonly name: string }[]
} {
  return JSON.parse(readFileSync(join(sampleScenes, '../annotations.json'), 'utf8'))
}

const everything = { x: 0, y: 0, width: 1, height: 1 }

describe('the demo model, asked', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'fisao-describe-'))
  const workspace = join(folder, 'work.fisao')
  createWorkspace(workspace)
  const db = openWorkspace(workspace)
  const runId = addDemoRun(db, images)
  const modelId = runById(db, runId)?.modelId as ModelId
  const warm = new WarmModels()

  beforeAll(async () => {
    await alignRun(db, { runId, ...engine }, () => undefined)
  }, 180_000)

  afterAll(async () => {
    await warm.release()
    db.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const checkpointOf = (at: number): CheckpointId => checkpointAtStep(db, runId, at)?.checkpointId as CheckpointId
  const lookedAt = (at: number): number =>
    everyImage(db).find(({ imageId }) => shownResponse(db, checkpointOf(at), imageId))?.imageId as number
  const ask = async (question: Partial<Question>, on = db): Promise<ResponseDetail> => {
    const policy = { from: 'run', runId, step, strength: 1 } as const
    const asked = { imageId: 1, policy, prompt: null, decoding: greedy, region: null, ...question }
    const { rolloutId } = await answerQuestion(on, { ...engine, question: asked }, warm, () => undefined)
    return responseById(on, rolloutId) as ResponseDetail
  }

  test('says what the look at this checkpoint said, token for token, with the same verdicts', async () => {
    const imageId = lookedAt(step)
    const looked = shownResponse(db, checkpointOf(step), imageId) as ResponseDetail
    db.prepare('DELETE FROM rollout WHERE rollout_id = ?').run(looked.rolloutId)
    const said = await ask({ imageId })
    expect(said).toMatchObject({ purpose: 'evaluation', checkpointId: looked.checkpointId, text: looked.text })
    expect(said.tokens.map(({ tokenId, textStart, textEnd }) => [tokenId, textStart, textEnd])).toEqual(
      looked.tokens.map(({ tokenId, textStart, textEnd }) => [tokenId, textStart, textEnd]),
    )
    expect(said.spans.length).toBeGreaterThan(0)
    expect(said.spans.map(({ word, label }) => [word, label])).toEqual(
      looked.spans.map(({ word, label }) => [word, label]),
    )
    const close = (digits: number) => (value: number) => expect.closeTo(value, digits)
    expect(said.spans.map(({ score }) => score)).toEqual(looked.spans.map(({ score }) => score).map(close(6)))
    expect(said.tokens.map(({ logProb }) => logProb)).toEqual(looked.tokens.map(({ logProb }) => logProb).map(close(4)))
    // The adapter has moved, so policy and reference differ somewhere.
    expect(said.tokens.some((token) => Math.abs(token.logProb - (token.referenceLogProb as number)) > 1e-3)).toBe(true)
  })

  test('at strength 0 is the model as it came, whose own reference it is', async () => {
    const imageId = lookedAt(0)
    const came = shownResponse(db, checkpointOf(0), imageId) as ResponseDetail
    const off = await ask({ imageId, policy: { from: 'run', runId, step, strength: 0 } })
    const alone = await ask({ imageId, policy: { from: 'model', modelId } })
    for (const said of [off, alone]) {
      expect(said.tokens.map(({ tokenId }) => tokenId)).toEqual(came.tokens.map(({ tokenId }) => tokenId))
      for (const token of said.tokens) expect(token.logProb).toBeCloseTo(token.referenceLogProb as number, 4)
    }
    expect([off.purpose, off.isJudged, off.strength]).toEqual(['trial', true, 0])
    // A model by itself has nothing to judge by: scores, and no verdict.
    expect([alone.purpose, alone.isJudged, alone.runId, alone.modelId]).toEqual(['trial', false, null, modelId])
    expect(alone.spans.map(({ score }) => score)).toEqual(off.spans.map(({ score }) => expect.closeTo(score, 6)))
    expect(alone.spans.every(({ label, reward }) => label === 'neutral' && reward === 0)).toBe(true)
  })

  test('a model that has to be made ready first tells how far that is, once', async () => {
    vi.stubEnv('FISAO_MODEL_CACHE', join(folder, 'made ready'))
    setRunConfig(db, runId, { ...shortConfig, base: { format: 'int8' } } as unknown as Json)
    const told: (number | null)[] = []
    const policy = { from: 'run', runId, step, strength: 1 } as const
    for (const prompt of ['Ready?', 'Again?']) {
      const question = { imageId: 4, policy, prompt, decoding: greedy, region: null }
      const cold = new WarmModels()
      await answerQuestion(db, { ...engine, question }, cold, ({ readied }) => told.push(readied))
      await cold.release()
    }
    setRunConfig(db, runId, shortConfig as unknown as Json)
    vi.unstubAllEnvs()
    const shares = told.filter((share) => share !== null)
    expect(shares.length).toBeGreaterThan(3)
    expect([shares.at(-1), shares]).toEqual([1, [...new Set(shares)].sort((a, b) => a - b)])
    expect(told.slice(shares.length).every((share) => share === null)).toBe(true)
  })

  test('what is answered already is not asked again: the models are not even opened', async () => {
    const first = await ask({ imageId: 3, prompt: 'What is here?' })
    const cold = new WarmModels()
    const policy = { from: 'run', runId, step, strength: 1 } as const
    const question = { imageId: 3, policy, prompt: 'What is here?', decoding: greedy, region: null }
    const used = cold.use.bind(cold)
    let uses = 0
    cold.use = (...all) => {
      uses++
      return used(...all)
    }
    const again = await answerQuestion(db, { ...engine, question }, cold, () => undefined)
    expect([again.rolloutId, uses]).toEqual([first.rolloutId, 0])
    expect(first.purpose).toBe('trial')
  })

  test('a picture of which all is covered is told from the picture, and its scores are its own', async () => {
    const seen = await ask({ imageId: 2, prompt: shortConfig.rollout.question })
    const hidden = await ask({ imageId: 2, region: everything })
    expect([seen.purpose, hidden.purpose, hidden.region]).toEqual(['evaluation', 'trial', everything])
    expect(hidden.text).not.toBe(seen.text)
    // The uncovered picture is not mistaken for the covered one afterwards.
    db.prepare('DELETE FROM rollout WHERE rollout_id = ?').run(seen.rolloutId)
    const again = await ask({ imageId: 2 })
    expect([again.text, again.spans]).toEqual([seen.text, seen.spans])
  })

  test('draws by its seed, and tells the text as it grows', async () => {
    const decoding = (seed: number) => ({ kind: 'sampled', temperature: 1.5, topP: 1, seed }) as const
    const one = await ask({ imageId: 5, decoding: decoding(1) })
    const two = await ask({ imageId: 5, decoding: decoding(2) })
    expect(one.text).not.toBe(two.text)
    db.prepare('DELETE FROM rollout WHERE rollout_id = ?').run(one.rolloutId)
    const texts: string[] = []
    const policy = { from: 'run', runId, step, strength: 1 } as const
    const question = { imageId: 5, policy, prompt: null, decoding: decoding(1), region: null }
    const { rolloutId } = await answerQuestion(db, { ...engine, question }, warm, ({ text }) => texts.push(text))
    const again = responseById(db, rolloutId) as ResponseDetail
    expect(again.text).toBe(one.text)
    expect(texts.length).toBeGreaterThan(0)
    expect(texts.every((text) => again.text.trim().startsWith(text.trim()))).toBe(true)
  })

  test('describes the library: goes on after a cancel where it was, passes over what is there', async () => {
    const { db: copy, counts } = copied()
    const abort = new AbortController()
    const seen: number[] = []
    const asked = { ...engine, runId, step: 2, query: null }
    await expect(
      describeLibrary(
        copy,
        asked,
        warm,
        ({ done }) => {
          seen.push(done)
          if (done > 8) abort.abort()
        },
        abort.signal,
      ),
    ).rejects.toMatchObject({ code: 'run.cancelled' })
    const kept = counts()
    // The look has described 8 images before, and one batch came after it.
    expect(kept).toBe(8 + shortConfig.rollout.batchSize)
    const before = copy.prepare('SELECT max(rollout_id) FROM rollout').pluck().get() as number
    const end = await describeLibrary(copy, asked, warm, () => undefined)
    expect(end).toEqual({ done: images, total: images, skipped: 0 })
    expect(counts()).toBe(images)
    expect(copy.prepare('SELECT count(*) FROM rollout WHERE rollout_id > ?').pluck().get(before)).toBe(images - kept)
    copy.close()
  })

  test('describes what a query finds, and nothing else', async () => {
    const { db: copy, counts } = copied()
    tagImages(copy, 'night', { imageIds: [1, 20, 21] })
    const query = { ...allImages, tag: 'night' }
    const kept = counts()
    const told: number[] = []
    const end = await describeLibrary(copy, { ...engine, runId, step: 2, query }, warm, ({ done }) => told.push(done))
    expect(end).toEqual({ done: 3, total: 3, skipped: 0 })
    expect(counts() - kept).toBe(3 - (told[0] ?? 0))
    expect(imagesToDescribe(copy, checkpointOf(2), 0, 99, query)).toEqual([])
    copy.close()
  })

  test('an image that is gone is counted and the rest is described; asked about it alone, it is named', async () => {
    const { db: copy, counts } = copied()
    copy.exec("UPDATE image SET path = '/nowhere/a.jpg' WHERE image_id = 24")
    copy.exec("DELETE FROM rollout WHERE image_id = 24 AND purpose = 'evaluation'")
    // Models that are warm have seen it.
    await warm.release()
    const end = await describeLibrary(copy, { ...engine, runId, step: 2, query: null }, warm, () => undefined)
    expect(end).toEqual({ done: images - 1, total: images, skipped: 1 })
    expect(counts()).toBe(images - 1)
    const gone = ask({ imageId: 24, prompt: 'What is gone?' }, copy)
    await expect(gone).rejects.toMatchObject({ code: 'image.missing', where: '/nowhere/a.jpg' })
    copy.close()
  })

  test('refuses in sentences: no such image, step, run or model, and weights that were dropped', async () => {
    const at = (of: number, run = runId) => ask({ policy: { from: 'run', runId: run, step: of, strength: 1 } })
    await expect(ask({ imageId: 999 })).rejects.toMatchObject({ code: 'image.not-here' })
    await expect(at(99)).rejects.toMatchObject({ code: 'run.no-checkpoint' })
    await expect(at(0, 99 as RunId)).rejects.toMatchObject({ code: 'run.missing' })
    const model = ask({ policy: { from: 'model', modelId: 99 as ModelId } })
    await expect(model).rejects.toMatchObject({ code: 'model.missing' })
    const { db: copy } = copied()
    dropLastWeights(copy, runId)
    await expect(ask({ prompt: 'Without?' }, copy)).rejects.toMatchObject({ code: 'run.no-weights' })
    // What it said while it had them stays.
    expect(responsesToImage(copy, lookedAt(step)).length).toBeGreaterThan(0)
    copy.close()
  })

  test('shows where a word is, alike for a run and its model, and tells a covered picture from it', async () => {
    const encoder = new WarmEncoder()
    const asked = { imageId: 1, encoder: { from: 'run', runId }, device: 'cpu', threads: 1 } as const
    const said = await ask({ imageId: 1, prompt: 'Which?' })
    const word = said.spans[0]?.word as string
    const map = await encoder.evidence(db, { ...asked, word, region: null })
    expect(map.frame).toEqual({ x: 0, y: 0, width: 1, height: 1 })
    expect(map.values).toHaveLength(map.side ** 2)
    expect(map.score).toBeCloseTo(said.spans[0]?.score as number, 5)
    const again = await encoder.evidence(db, { ...asked, word, region: null })
    expect(again).toEqual(map)
    const hidden = await encoder.evidence(db, { ...asked, word, region: everything })
    expect(hidden.values).not.toEqual(map.values)
    const alone = await encoder.evidence(db, { ...asked, encoder: { from: 'model', modelId }, word, region: null })
    expect(alone.values).toEqual(map.values)
    await encoder.release()
  })

  test('finds annotated objects where they are: the patches in their boxes fit their words better than the others', async () => {
    const { images: listed, annotations, categories } = readAnnotations()
    const encoder = new WarmEncoder()
    const found = { inside: 0, turned: 0, objects: 0 }
    for (const { imageId, path } of everyImage(db).slice(0, 8)) {
      const { id } = listed.find(({ file_name: name }) => path.endsWith(name)) as { id: number }
      for (const { bbox, category_id: category } of annotations.filter(({ image_id: image }) => image === id)) {
        const word = categories.find((one) => one.id === category)?.name as string
        const request = { imageId, word, encoder: { from: 'run', runId }, region: null } as const
        const { side, values } = await encoder.evidence(db, { ...request, device: 'cpu', threads: 1 })
        const [left, top, width, height] = bbox.map((edge) => edge / 384) as [number, number, number, number]
        const gain = (rowOf: (at: number) => number, columnOf: (at: number) => number): number => {
          const isIn = values.map((_, at) => {
            const [x, y] = [(columnOf(at) + 0.5) / side, (rowOf(at) + 0.5) / side]
            return x >= left && x < left + width && y >= top && y < top + height
          })
          const mean = (part: boolean): number => {
            const chosen = values.filter((_, at) => isIn[at] === part)
            return chosen.reduce((sum, value) => sum + value, 0) / Math.max(1, chosen.length)
          }
          return mean(true) - mean(false)
        }
        found.objects++
        found.inside += gain(
          (at) => Math.floor(at / side),
          (at) => at % side,
        )
        found.turned += gain(
          (at) => at % side,
          (at) => Math.floor(at / side),
        )
      }
    }
    await encoder.release()
    expect(found.objects).toBeGreaterThan(15)
    // Measured 0.29 a word; rows taken for columns come to 0.08.
    expect(found.inside / found.objects).toBeGreaterThan(0.15)
    expect(found.inside).toBeGreaterThan(2 * found.turned)
  })

  function copied(): { db: WritableDb; counts: () => number } {
    const path = join(mkdtempSync(join(folder, 'copy-')), 'copy.fisao')
    db.pragma('wal_checkpoint(TRUNCATE)')
    copyFileSync(workspace, path)
    const copy = openWorkspace(path)
    const counts = () =>
      copy
        .prepare("SELECT count(*) FROM rollout WHERE checkpoint_id = ? AND purpose = 'evaluation'")
        .pluck()
        .get(checkpointOf(2)) as number
    return { db: copy, counts }
  }
})
