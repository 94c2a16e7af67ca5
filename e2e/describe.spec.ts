// A question to the demo model over the bridge of the real window: the answer grows in events, is stored with scores, and
// each of its words can be found in the picture.
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../scripts/runProgram.ts'
import { createWorkspace, expect, test } from './studio.ts'

test('a model answers while its text grows, and shows where it saw its words', async ({ studio, folder }) => {
  test.setTimeout(120_000)
  const { page } = studio
  const samples = join(projectRoot, 'resources/samples/images')
  const pictures = join(folder, 'pictures')
  mkdirSync(pictures)
  for (const name of readdirSync(samples).slice(0, 2)) copyFileSync(join(samples, name), join(pictures, name))
  await createWorkspace(studio, join(folder, 'work.fisao'))
  await page.evaluate((path) => window.studio.request('images.importFolder', { folder: path }), pictures)
  await expect
    .poll(async () => (await page.evaluate(() => window.studio.request('app.state', {}))) as unknown)
    .toMatchObject({ value: { workspace: { imageCount: 2 } } })

  const said = await page.evaluate(async () => {
    const { studio } = window
    const value = async <T>(answer: Promise<{ ok: true; value: T } | { ok: false; error: unknown }>): Promise<T> => {
      const got = await answer
      if (!got.ok) throw new Error(JSON.stringify(got.error))
      return got.value
    }
    const { modelId } = await value(studio.request('models.addDemo', {}))
    const texts: string[] = []
    const policy = { from: 'model' as const, modelId }
    const ended = new Promise<number>((resolve, reject) => {
      studio.subscribe('describe.changed', (view) => {
        if (view.about !== 'image') return
        texts.push(view.text)
        if (view.state === 'failed') reject(new Error(view.error?.message))
        if (view.rolloutId !== null) resolve(view.rolloutId)
      })
    })
    const decoding = { kind: 'greedy' as const }
    await value(studio.request('describe.start', { imageId: 1, policy, prompt: null, decoding, region: null }))
    const rolloutId = (await ended) as never
    const response = await value(studio.request('responses.get', { rolloutId }))
    const word = response.words[0]?.word ?? ''
    const asked = { imageId: 1, word, encoder: policy, region: null }
    const evidence = await value(studio.request('evidence.get', asked))
    const { responses } = await value(studio.request('responses.toImage', { imageId: 1 }))
    return { texts, response, evidence, responses }
  })
  const { texts, response, evidence, responses } = said
  expect(response.text.length).toBeGreaterThan(10)
  expect(
    texts.some((text) => text !== '' && text !== response.text && response.text.trim().startsWith(text.trim())),
  ).toBe(true)
  expect(response.judging).toEqual({ judged: false, because: 'no-run' })
  expect(response.words[0]).toMatchObject({ label: null, reward: null })
  expect(response.tokens.every(({ referenceLogProb }) => referenceLogProb !== null)).toBe(true)
  expect(evidence.values).toHaveLength(evidence.side ** 2)
  expect(evidence.score).toBeCloseTo(response.words[0]?.score as number, 4)
  expect(responses.map(({ rolloutId }) => rolloutId)).toEqual([response.rolloutId])
})
