// Whatever fails while models, learners and files are opened, nothing of what was opened before stays open: live
// sessions and the process's descriptors are counted over failures of each kind. Models, sessions and files are real.
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunId } from '../../../shared/domain.ts'
import { presetConfig } from '../../../shared/runConfig.ts'
import type { WritableDb } from '../../db/connection.ts'
import { closeWorkspace, createWorkspace, openWorkspace } from '../../db/open.ts'
import { DpoLearner } from '../align/dpo/dpoLearner.ts'
import { newPolicy, type Policy } from '../align/policy.ts'
import { PpoLearner } from '../align/ppo/ppoLearner.ts'
import type { ModelFolders } from '../folder/modelIdentity.ts'
import { OrtSession } from '../graph/ortSession.ts'
import { openTogether, releaseAll } from '../graph/resources.ts'
import { openDualEncoder } from '../models/companion/encoder.ts'
import { compareTowers } from '../models/companion/towerComparison.ts'
import { openVlm } from '../models/vlm.ts'
import { Rng } from '../rng.ts'
import { AlignmentModels } from '../run/models.ts'
import { readLexicon } from './readLexicon.ts'
import { addDemoRun, demoLexicon, demoModel, shortConfig } from './testing/demoRun.ts'
import { alignRun } from './workspaceJobs.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-openings-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const folders = { model: demoModel, companion: join(demoModel, 'encoder') }
const repeats = 5

/** Descriptors of this process; empty where the system does not list them. */
function descriptors(): string[] {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd') : []
}

/** Fails in the expected way again and again, and leaves nothing open. */
async function failsWithoutLeaking(work: () => Promise<unknown>, code: string): Promise<void> {
  await expect(work()).rejects.toMatchObject({ code })
  const [sessions, files] = [OrtSession.openCount, descriptors().length]
  for (let time = 0; time < repeats; time++) await expect(work()).rejects.toMatchObject({ code })
  expect(OrtSession.openCount).toBe(sessions)
  expect(sessions).toBe(0)
  expect(descriptors().length).toBeLessThanOrEqual(files)
}

describe('a resumed run that cannot open its checkpoint', () => {
  const whole = join(folder, 'whole.fisao')
  const config = presetConfig('quick-look', {
    ...shortConfig,
    calibration: { responses: 16, goOnRefused: true },
    optimiser: { ...shortConfig.optimiser, stepsPerRound: 1 },
  })
  let runId: RunId

  beforeAll(async () => {
    createWorkspace(whole)
    const db = openWorkspace(whole)
    runId = addDemoRun(db, 24, { config })
    await resume(db)
    closeWorkspace(db)
    expect(OrtSession.openCount).toBe(0)
  }, 60_000)

  test.each([
    ['an adapter of another size', "UPDATE checkpoint_blob SET bytes = zeroblob(8) WHERE part LIKE 'adapter/%'"],
    ['moments of another size', "UPDATE checkpoint_blob SET bytes = zeroblob(8) WHERE part LIKE 'optimiser/%'"],
    ['a cursor of another version', "UPDATE checkpoint SET cursor = '{}'"],
    ['a part that is missing', "DELETE FROM checkpoint_blob WHERE part LIKE 'valueHead/%'"],
  ])('%s', async (name, damage) => {
    const path = join(folder, `${name}.fisao`)
    cpSync(whole, path)
    const db = openWorkspace(path)
    try {
      db.exec(damage)
      await failsWithoutLeaking(() => resume(db), expect.stringMatching(/^run\./))
    } finally {
      db.close()
    }
  })

  const resume = (db: WritableDb) =>
    alignRun(db, { runId, device: 'cpu', threads: 1, lexicon: demoLexicon }, () => undefined)
})

describe('learners whose optimiser does not fit', () => {
  test.each([
    ['PPO', PpoLearner],
    ['DPO', DpoLearner],
  ])('%s', async (_name, learner) => {
    const source = await openVlm(demoModel)
    const rng = new Rng({ seed: 1 })
    const fresh = newPolicy(source, shortConfig, rng)
    const state = { steps: 1, skippedSteps: 0, skippedInARow: 0, firstMoments: {}, secondMoments: {} }
    const policy: Policy = { ...fresh, optimisers: { adapter: state } }
    const options = { device: 'cpu', threads: 1, config: shortConfig, rng } as const
    await failsWithoutLeaking(() => learner.open(source, policy, options), 'run.bad-optimiser-state')
  })
})

describe('models that cannot be opened to the end', () => {
  test('an encoder without its tokenizer', async () => {
    const companion = join(folder, 'no tokenizer')
    cpSync(folders.companion, companion, { recursive: true })
    for (const name of readdirSync(companion)) if (/tokenizer|vocab|merges/.test(name)) rmSync(join(companion, name))
    await failsWithoutLeaking(() => open({ ...folders, companion }), 'tokenizer.missing-file')
  })

  test('a question that the prompt refuses, after all sessions are open', async () => {
    const question = 'Is <image> there?'
    await failsWithoutLeaking(
      () => open(folders, presetConfig('quick-look', { rollout: { question } })),
      'tokenizer.bad-question',
    )
  })

  async function open(of: ModelFolders, config = shortConfig): Promise<AlignmentModels> {
    const options = { device: 'cpu', threads: 1, config, lexicon: await readLexicon(demoLexicon) } as const
    return await AlignmentModels.open(of, options)
  }
})

test('two towers of which one file vanished', async () => {
  const companion = join(folder, 'vanishing')
  cpSync(folders.companion, companion, { recursive: true })
  const [vlm, encoder] = [await openVlm(demoModel), await openDualEncoder(companion)]
  for (const name of readdirSync(companion)) if (name.endsWith('.safetensors')) rmSync(join(companion, name))
  await failsWithoutLeaking(() => compareTowers(vlm, encoder), 'weights.unreadable')
})

describe('openTogether and releaseAll', () => {
  const thing = (name: string, log: string[], fails = false) => ({
    async release() {
      log.push(name)
      if (fails) throw new Error(`${name} stays`)
    },
  })

  test('one that cannot be released keeps none of the others', async () => {
    const log: string[] = []
    await expect(releaseAll([thing('a', log, true), null, thing('b', log), thing('c', log, true)])).rejects.toThrow(
      'a stays',
    )
    expect(log).toEqual(['a', 'b', 'c'])
  })

  test('the failure that is told is the one of opening', async () => {
    const log: string[] = []
    const work = openTogether(async (keep) => {
      await keep(Promise.resolve(thing('a', log, true)))
      await keep(Promise.resolve(thing('b', log)))
      return await keep(Promise.reject<ReturnType<typeof thing>>(new Error('no c')))
    })
    await expect(work).rejects.toThrow('no c')
    expect(log).toEqual(['a', 'b'])
  })
})
