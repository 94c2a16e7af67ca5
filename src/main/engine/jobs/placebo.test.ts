// A placebo of the demo model in a workspace: each response is scored by another image, looks are not, and its run is
// judged beside it at the same step.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunId } from '../../../shared/domain.ts'
import { pinnedCheckpoints } from '../../db/checkpoints.ts'
import { everyImage } from '../../db/images.ts'
import { looksUntil } from '../../db/looks.ts'
import { createWorkspace, openWorkspace } from '../../db/open.ts'
import { setRunState } from '../../db/runs.ts'
import { newPolicy } from '../align/policy.ts'
import { Rng } from '../rng.ts'
import { AlignmentModels } from '../run/models.ts'
import { readLexicon } from './readLexicon.ts'
import { imagesOfRun } from './storedRun.ts'
import { addDemoRun, addSampleScenes, contentOf, demoLexicon, demoModel, shortConfig } from './testing/demoRun.ts'
import { alignRun, evaluateRun } from './workspaceJobs.ts'

const images = 24
const placeboConfig = { ...shortConfig, reward: { ...shortConfig.reward, verifier: 'placebo' } } as const

describe('a placebo', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'fisao-placebo-'))
  createWorkspace(join(folder, 'work.fisao'))
  const db = openWorkspace(join(folder, 'work.fisao'))
  const run = addDemoRun(db, images)
  const placebo = addDemoRun(db, images, { config: placeboConfig })
  const toItsEnd = async (runId: RunId) => {
    setRunState(db, runId, 'running', 1)
    const end = await alignRun(db, { runId, device: 'cpu', threads: 1, lexicon: demoLexicon }, () => undefined)
    setRunState(db, runId, 'complete', 2)
    return end
  }
  let bestStep = 0

  beforeAll(async () => {
    bestStep = (await toItsEnd(run)).bestStep
    // Images that come between the two are none of either's.
    addSampleScenes(db, 4, images)
    await toItsEnd(placebo)
  }, 120_000)

  afterAll(() => {
    db.close()
    rmSync(folder, { recursive: true, force: true })
  })

  interface Scored {
    readonly imageId: number
    readonly word: string
    readonly score: number
  }
  const scoresOf = (runId: RunId, purpose: string) =>
    db
      .prepare<[number, string], Scored>(
        `SELECT image_id AS imageId, word.text AS word, span.score FROM rollout JOIN span USING (rollout_id) JOIN word USING (word_id)
         WHERE run_id = ? AND purpose = ? ORDER BY rollout_id, start_position`,
      )
      .all(runId, purpose)

  /** How many of the scores are those of the response's own image. */
  async function ownScores(scored: readonly Scored[]): Promise<number> {
    const models = await AlignmentModels.open(
      { model: demoModel, companion: join(demoModel, 'encoder') },
      { device: 'cpu', threads: 1, config: shortConfig, lexicon: await readLexicon(demoLexicon) },
    )
    try {
      const byId = new Map(everyImage(db).map((image) => [image.imageId, image]))
      let own = 0
      for (const { imageId, word, score } of scored) {
        const image = byId.get(imageId as never)
        if (image && Math.abs((await models.verifier.score(models.verified(image), word)) - score) < 1e-6) own++
      }
      return own
    } finally {
      await models.release()
    }
  }

  test('rewards each word by another image, and looks with what knows', async () => {
    const [trained, looked, ofRun] = [
      scoresOf(placebo, 'training'),
      scoresOf(placebo, 'evaluation'),
      scoresOf(run, 'training'),
    ]
    expect(Math.min(trained.length, looked.length, ofRun.length)).toBeGreaterThan(20)
    expect(await ownScores(trained)).toBe(0)
    // An object that was said by another word is stored by its name, whose score is another.
    expect((await ownScores(looked)) / looked.length).toBeGreaterThan(0.9)
    expect((await ownScores(ofRun)) / ofRun.length).toBeGreaterThan(0.9)
  })

  test('begins as its run: the same images, first responses and first look', () => {
    expect(imagesOfRun(db, placebo)).toEqual(imagesOfRun(db, run))
    expect(imagesOfRun(db, run)).toHaveLength(images)
    const first = (runId: RunId) => looksUntil(db, runId, 0)
    expect(first(placebo)).toEqual(first(run))
    const texts = (runId: RunId) =>
      (contentOf(db, runId)['responses'] as { step: number; purpose: string; text: string }[])
        .filter(({ step, purpose }) => step === 1 && purpose === 'training')
        .map(({ text }) => text)
    expect(texts(placebo)).toEqual(texts(run))
  })

  test('goes to its end and keeps the step that its run is judged at', async () => {
    expect(pinnedCheckpoints(db, placebo)).toHaveLength(1)
    const report = await evaluateRun(
      db,
      {
        ...({ runId: run, device: 'cpu', threads: 1, lexicon: demoLexicon, strength: 1, withPlacebo: true } as const),
        ...{ beforeStep: 0, afterStep: bestStep, mostImages: 8 },
        imageFolder: join(demoModel, '../samples/images'),
        annotationFile: join(demoModel, '../samples/annotations.json'),
      },
      () => undefined,
    )
    const { figures, placebo: control } = report
    expect(control?.figures.recall.before).toEqual(figures.recall.before)
    expect(control?.beyond.recall.after).toEqual(figures.recall.after)
    expect(control?.beyond.recall.before).toEqual(control?.figures.recall.after)
  })

  test('leaves out an image whose judging image cannot be read, and names that one', async () => {
    const [first, second] = everyImage(db)
    if (!first || !second) throw new Error('there are images')
    const gone = { imageId: 900 as typeof first.imageId, sha256: 'f'.repeat(64), path: join(folder, 'gone.jpg') }
    const models = await AlignmentModels.open(
      { model: demoModel, companion: join(demoModel, 'encoder') },
      {
        ...{ device: 'cpu', threads: 1, config: shortConfig, lexicon: await readLexicon(demoLexicon) },
        judgingImage: (image) => (image.sha256 === first.sha256 ? gone : first),
      },
    )
    try {
      const policy = newPolicy(models.source, shortConfig, new Rng({ seed: 1 }))
      const { responses, skipped } = await models.respond([first, second], policy, { rng: null })
      expect(responses.map(({ image }) => image.path)).toEqual([second.path])
      expect(skipped).toEqual([{ imageId: gone.imageId, path: gone.path, code: 'image.missing' }])
    } finally {
      await models.release()
    }
  })

  test('that was not made is not judged', async () => {
    const alone = addDemoRun(db, images, { seed: 8 })
    const request = {
      ...({ runId: alone, device: 'cpu', threads: 1, lexicon: demoLexicon, strength: 1, withPlacebo: true } as const),
      ...{ beforeStep: 0, afterStep: 1, mostImages: 2 },
      imageFolder: join(demoModel, '../samples/images'),
      annotationFile: join(demoModel, '../samples/annotations.json'),
    }
    await expect(evaluateRun(db, request, () => undefined)).rejects.toMatchObject({ code: 'run.no-checkpoint' })
  })
})
