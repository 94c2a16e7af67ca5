// A model that changes under a run: refused by name, whatever was done to its dates; a copy of the same bytes is not.
// Files, model, workspace and run are real.
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunId } from '../../../shared/domain.ts'
import { presetConfig } from '../../../shared/runConfig.ts'
import { createWorkspace, openWorkspace } from '../../db/open.ts'
import { addDemoRun, contentOf, demoLexicon, demoModel, shortConfig } from './testing/demoRun.ts'
import { alignRun, evaluateRun, exportRun } from './workspaceJobs.ts'

const home = mkdtempSync(join(tmpdir(), 'fisao-identity-'))
const model = join(home, 'model')
const weights = join(model, 'model.safetensors')
const encoderWeights = join(model, 'encoder', 'model.safetensors')
cpSync(demoModel, model, { recursive: true })
// Whole seconds, so that they can be set back exactly.
for (const file of [weights, encoderWeights]) utimesSync(file, 1e9, 1e9)
const path = join(home, 'work.fisao')
createWorkspace(path)
const db = openWorkspace(path)
const config = presetConfig('quick-look', {
  ...shortConfig,
  calibration: { responses: 16, goOnRefused: true },
  optimiser: { ...shortConfig.optimiser, stepsPerRound: 2 },
})
const newRun = () => addDemoRun(db, 12, { config, model })
let runId: RunId
afterAll(() => {
  db.close()
  rmSync(home, { recursive: true, force: true })
})

async function resume(of = runId, stopAt = Number.POSITIVE_INFINITY): Promise<void> {
  const abort = new AbortController()
  const request = { runId: of, device: 'cpu', threads: 1, lexicon: demoLexicon } as const
  await alignRun(db, request, ({ step }) => step >= stopAt && abort.abort(), abort.signal)
}

beforeAll(async () => {
  runId = newRun()
  await expect(resume(runId, 1)).rejects.toMatchObject({ code: 'run.cancelled' })
}, 60_000)

/** Does the work with one bit of the last byte of a file turned over, its size and dates as before. */
async function withBitTurned(file: string, work: () => Promise<void>): Promise<void> {
  const { size, atime, mtime } = statSync(file)
  const turn = async () => {
    const handle = await open(file, 'r+')
    const byte = Buffer.alloc(1)
    await handle.read(byte, 0, 1, size - 1)
    await handle.write(Buffer.of((byte[0] as number) ^ 1), 0, 1, size - 1)
    await handle.close()
    utimesSync(file, atime, mtime)
  }
  await turn()
  try {
    await work()
  } finally {
    await turn()
  }
}

describe('a run whose model changed since its last step', { timeout: 60_000 }, () => {
  test.each([
    ['one bit of the model, its dates set back', weights, model],
    ['one bit of the encoder, its dates set back', encoderWeights, join(model, 'encoder')],
  ])('%s: refused by name', async (_name, file, folder) => {
    await withBitTurned(file, async () => {
      await expect(resume()).rejects.toMatchObject({ code: 'run.model-changed', where: folder })
    })
  })

  test('so are its export and its evaluation', async () => {
    await withBitTurned(weights, async () => {
      const refused = { code: 'run.model-changed', where: model }
      const folder = join(home, 'out')
      await expect(exportRun(db, { runId, step: 0, strength: 1, folder, merged: true })).rejects.toMatchObject(refused)
      const evaluation = {
        ...({
          runId,
          device: 'cpu',
          lexicon: demoLexicon,
          beforeStep: 0,
          afterStep: 0,
          withPlacebo: false,
          strength: 1,
        } as const),
        ...{ imageFolder: home, annotationFile: join(home, 'none.json'), mostImages: null },
      }
      await expect(evaluateRun(db, evaluation, () => undefined)).rejects.toMatchObject(refused)
    })
  })

  test.each(['tokenizer.json', 'preprocessor_config.json', 'chat_template.jinja'])('%s: refused', async (name) => {
    const file = join(model, name)
    const before = readFileSync(file)
    writeFileSync(file, Buffer.concat([before, Buffer.from('\n')]))
    await expect(resume()).rejects.toMatchObject({ code: 'run.model-changed', where: model })
    writeFileSync(file, before)
  })

  test('vanished: refused', async () => {
    renameSync(weights, `${weights}.away`)
    await expect(resume()).rejects.toMatchObject({ code: 'weights.none' })
    renameSync(`${weights}.away`, weights)
  })

  test('but the same bytes, copied anew, go on to the end where an undisturbed run ends', async () => {
    const bytes = readFileSync(weights)
    rmSync(weights)
    writeFileSync(weights, bytes)
    await resume()
    const other = newRun()
    await resume(other)
    const steps = (of: RunId) => {
      const { checkpoints, ...rest } = contentOf(db, of) as { checkpoints: { parts: string[] }[] }
      return [checkpoints.map(({ parts }) => parts), rest]
    }
    expect(steps(runId)).toEqual(steps(other))
  })
})

test('a new run of a model that is no longer the one that was checked is refused', async () => {
  const fresh = newRun()
  await withBitTurned(weights, async () => {
    await expect(resume(fresh)).rejects.toMatchObject({
      code: 'run.model-changed',
      message: expect.stringContaining('checked when it was added'),
    })
  })
})
