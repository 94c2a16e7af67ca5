// A short run of the demo model in a workspace: that it reads no annotation, and that what is exported of it is what was
// trained. The files, the database and the sessions are real.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunId } from '../../../shared/domain.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import { dropLastWeights } from '../../db/checkpoints.ts'
import type { WritableDb } from '../../db/connection.ts'
import { everyImage } from '../../db/images.ts'
import { createWorkspace, openWorkspace } from '../../db/open.ts'
import { runById } from '../../db/runs.ts'
import type { ModelFolders } from '../folder/modelIdentity.ts'
import { readAdapter } from '../folder/peft.ts'
import { openVlm } from '../models/vlm.ts'
import { AlignmentModels } from '../run/models.ts'
import type { RunCalibration } from '../run/rewards.ts'
import { openPolicy } from './jobInputs.ts'
import type { JobStore } from './jobStore.ts'
import { readLexicon } from './readLexicon.ts'
import { policyAtStep } from './storedRun.ts'
import { addDemoRun, contentOf, demoLexicon, demoModel, shortConfig } from './testing/demoRun.ts'
import { alignRun, exportRun } from './workspaceJobs.ts'

const images = 24
const missing = '/nowhere/annotations.json'
const withCalibration = (calibration: Partial<RunConfig['calibration']>): RunConfig => ({
  ...shortConfig,
  calibration: { ...shortConfig.calibration, ...calibration },
})

async function runToItsEnd(db: WritableDb, runId: RunId): Promise<{ steps: number; bestStep: number }> {
  return await alignRun(db, { runId, device: 'cpu', threads: 1, lexicon: demoLexicon }, () => undefined)
}

describe('a run of the demo model', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'fisao-workspace-runs-'))
  const workspace = join(folder, 'work.fisao')
  createWorkspace(workspace)
  const db = openWorkspace(workspace)
  const config = withCalibration({ method: 'free', annotationFile: missing })
  const runId = addDemoRun(db, images, { config })
  let steps = 0

  beforeAll(async () => {
    steps = (await runToItsEnd(db, runId)).steps
  }, 60_000)

  afterAll(() => {
    db.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('reads no annotation when it calibrates without: the file it names does not exist', () => {
    expect(existsSync(missing)).toBe(false)
    expect(steps).toBe(shortConfig.optimiser.stepsPerRound)
  })

  test('reads them when it calibrates with them, and names the file that is missing', async () => {
    const annotated = addDemoRun(db, images, {
      config: withCalibration({ method: 'annotated', annotationFile: missing }),
    })
    await expect(runToItsEnd(db, annotated)).rejects.toMatchObject({ code: 'run.annotations', where: missing })
  })

  test('its adapter leaves as a PEFT folder, its strength taken into alpha', async () => {
    const out = join(folder, 'half')
    await exportRun(db, { runId, step: steps, strength: 0.5, folder: out, merged: false })
    const written = await readAdapter(join(out, 'adapter'))
    const { adapter } = policyAtStep(db, runId, steps, config, await openVlm(demoModel))
    expect([written.rank, written.alpha]).toEqual([adapter.rank, adapter.alpha / 2])
    const named = [...adapter.layers].map(([path, factors]) => [`model.language_model.${path}`, factors] as const)
    expect(written.layers).toEqual(new Map(named))
    const bundle = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'))
    expect(bundle).toMatchObject({ format: 'fisao-run', step: steps, strength: 0.5, config, seed: 3 })
    expect(bundle.images.length + bundle.validationImages.length).toBe(images)
  })

  test('the merged model opens as any other and gives the same greedy responses', async () => {
    const out = join(folder, 'whole')
    await exportRun(db, { runId, step: steps, strength: 1, folder: out, merged: true })
    const companion = join(demoModel, 'encoder')
    const beside = await greedyResponses({ model: demoModel, companion }, steps)
    expect(await greedyResponses({ model: join(out, 'merged'), companion }, 0)).toEqual(beside)
    expect(await greedyResponses({ model: demoModel, companion }, 0)).not.toEqual(beside)
  })

  test('goes on from the checkpoint before a damaged one when it is told to, to the very same end', async () => {
    const before = contentOf(db, runId)
    db.exec(`UPDATE checkpoint_blob SET bytes = CAST(x'00' || substr(bytes, 2) AS BLOB)
      WHERE part GLOB 'adapter/*' AND checkpoint_id = (SELECT max(checkpoint_id) FROM checkpoint)`)
    const refusal = { code: 'run.damaged-checkpoint', remedy: expect.stringContaining(`step ${steps - 1}`) }
    await expect(runToItsEnd(db, runId)).rejects.toMatchObject(refusal)
    // Nor is it exported or evaluated as if nothing were wrong.
    const request = { runId, step: steps, strength: 1, folder: join(folder, 'damaged'), merged: false }
    await expect(exportRun(db, request)).rejects.toMatchObject({ code: 'run.damaged-checkpoint' })
    dropLastWeights(db, runId)
    await runToItsEnd(db, runId)
    const after = contentOf(db, runId)
    expect(after).toEqual(before)
    expect(JSON.stringify(after) === JSON.stringify(before)).toBe(true)
  })

  test('finds annotated images in a folder of another name, and keeps with its calibration what found no partner', async () => {
    const samples = JSON.parse(readFileSync(join(demoModel, '../samples/annotations.json'), 'utf8'))
    const listed = samples.images.slice(0, 20).map((image: { file_name: string }) => ({
      ...{ ...image, file_name: `val2014/${image.file_name.toUpperCase()}` },
    }))
    const annotationFile = join(folder, 'some.json')
    writeFileSync(annotationFile, JSON.stringify({ ...samples, images: listed }))
    const untrained = { ...shortConfig, reward: { ...shortConfig.reward, method: 'none' as const } }
    const { calibration } = withCalibration({ method: 'annotated', annotationFile })
    const annotated = addDemoRun(db, images, { config: { ...untrained, calibration } })
    await runToItsEnd(db, annotated)
    const stored = runById(db, annotated)?.calibration as unknown as RunCalibration
    expect(stored.calibration.method).toBe('annotated')
    expect(stored.calibration.scores).toBeGreaterThan(60)
    expect(stored.annotations).toMatchObject({
      ...{ listed: 20, found: 20, otherFolder: { count: 20 } },
      ...{ unlisted: { count: images - 20 }, unknownCategories: { count: 0 }, unjudgedObjects: { count: 0 } },
    })
    expect(stored.annotations?.strayAnnotations).toBeGreaterThan(0)
  })

  async function greedyResponses(folders: ModelFolders, step: number): Promise<string[]> {
    const options = { device: 'cpu', threads: 1, config, lexicon: await readLexicon(demoLexicon) } as const
    const models = await AlignmentModels.open(folders, options)
    try {
      const store: Pick<JobStore, 'policyAt'> = {
        policyAt: ({ step: at }, ...of) => policyAtStep(db, runId, at, ...of),
      }
      const policy = await openPolicy({ from: 'run', step }, config, models.source, store)
      const { responses } = await models.respond(everyImage(db), policy, { rng: null })
      return responses.map(({ tokens }) => tokens.join(' '))
    } finally {
      await models.release()
    }
  }
})
