// The demo model and its encoder, described: counts worked by hand from config.json, sizes from the files themselves; and
// folders that are taken for one another.
import { cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { ModelNeed } from '../../../shared/modelDetails.ts'
import { changedFolder, type Fields } from '../models/testing/changedFolder.ts'
import { fixtureRoot } from '../models/testing/parityFixtures.ts'
import { describeModel } from './describeModel.ts'
import { inspectModel } from './inspectModel.ts'
import { openPlanner } from './jobWorkers.ts'
import { memoryNeeds, plannedConfig } from './modelNeeds.ts'
import { demoModel } from './testing/demoRun.ts'

const encoder = join(demoModel, 'encoder')
const folder = mkdtempSync(join(tmpdir(), 'fisao-describe-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a model described', () => {
  test('part by part, and the parts are all of its file', async () => {
    const { model, encoder: companion } = await describeModel(demoModel, encoder)
    const { parameters } = await inspectModel(demoModel, null)
    expect(model.architecture).toBe('LLaVA')
    expect(model.parts.map(({ part }) => part)).toEqual(['tower', 'projector', 'decoder', 'head'])
    expect(model.parameters).toBe(parameters)
    // CLIP's temperature, which nothing here reads, is all that is left over.
    expect(companion?.parts.map(({ part }) => part)).toEqual(['tower', 'text', 'projections', 'other'])
    expect(companion?.parts.at(-1)?.parameters).toBe(1)
    for (const { parts, weightBytes, parameters: all } of [model, companion!]) {
      expect(parts.reduce((sum, part) => sum + part.parameters, 0)).toBe(all)
      expect(parts.flatMap(({ stored }) => stored).reduce((sum, { bytes }) => sum + bytes, 0)).toBe(weightBytes)
    }
    // The file is its weights and a header of some kilobytes.
    const file = statSync(join(demoModel, 'model.safetensors')).size
    expect(file - model.weightBytes).toBeGreaterThan(0)
    expect(file - model.weightBytes).toBeLessThan(100_000)
  })

  test('with its sizes, files and licence', async () => {
    const { model } = await describeModel(demoModel, null)
    const { default: config } = await import('../../../../resources/demo-model/config.json', { with: { type: 'json' } })
    expect([model.imageSize, model.patchSize]).toEqual([
      config.vision_config.image_size,
      config.vision_config.patch_size,
    ])
    expect(model.imageTokens).toBe((config.vision_config.image_size / config.vision_config.patch_size) ** 2)
    expect(model.contextTokens).toBe(config.text_config.max_position_embeddings)
    const decoder = model.parts.find(({ part }) => part === 'decoder')
    expect([decoder?.layers, decoder?.width]).toEqual([
      config.text_config.num_hidden_layers,
      config.text_config.hidden_size,
    ])
    const weights = model.files.find(({ kind }) => kind === 'weights')
    expect(weights).toMatchObject({
      name: 'model.safetensors',
      sizeBytes: statSync(join(demoModel, 'model.safetensors')).size,
    })
    expect(model.files.find(({ name }) => name === 'README.md')?.kind).toBe('other')
    expect(model.licence).toEqual({ name: 'apache-2.0', file: null, text: null, isCut: false })
  })

  test('what it needs: more to align than to describe', async () => {
    const { needs, model } = await describeModel(demoModel, encoder)
    const of = (task: string) => needs.find((one) => one.task === task)!.bytes
    expect(of('describe')).toBeGreaterThan(4 * model.parameters)
    expect(of('align')).toBeGreaterThan(of('describe'))
    // As much as the check of a run plans with the same settings.
    const planner = await openPlanner({ model: demoModel, companion: encoder }, plannedConfig, 256)
    expect(of('align')).toBe(Math.round(planner.plan(plannedConfig).totalBytes))
    expect(needs.map(({ how }) => how)[1]).toMatch(/^240 MB for the program, [\d.]+ MB for what training keeps, .*\.$/)
  })

  test('where a run of usual settings is too large, what smaller ones need', async () => {
    const planner = await openPlanner({ model: demoModel, companion: encoder }, plannedConfig, 256)
    const { model } = await describeModel(demoModel, encoder)
    const needsOn = (machineBytes: number) => memoryNeeds(planner, model, machineBytes)[1] as ModelNeed
    const usual = needsOn(64e9)
    expect(usual.how).not.toContain('proposes')
    const proposed = /A new run proposes settings that need ([\d.]+) MB\.$/.exec(needsOn(0.9 * usual.bytes).how)?.[1]
    expect(Number(proposed)).toBeGreaterThan(100)
    expect(Number(proposed)).toBeLessThan((0.9 * usual.bytes) / 1e6)
  })

  test('scores that are capped are kept beside the weights of attention', async () => {
    const model = join(fixtureRoot, 'llava-gemma2')
    const plain = join(folder, 'uncapped')
    const uncap = (fields: Fields) => Object.assign(fields['text_config'] as Fields, { attn_logit_softcapping: null })
    await changedFolder(model, plain, { json: { 'config.json': uncap } })
    const align = async (one: string) =>
      (await describeModel(one, null)).needs.find(({ task }) => task === 'align')!.bytes
    expect(await align(model)).toBeGreaterThan(await align(plain))
  })

  test('a licence of its own is shown, a long one cut', async () => {
    const copy = join(folder, 'licensed')
    cpSync(demoModel, copy, { recursive: true })
    writeFileSync(join(copy, 'LICENSE.txt'), 'x'.repeat(30_000))
    const { licence } = (await describeModel(copy, null)).model
    expect(licence).toMatchObject({ name: 'apache-2.0', file: 'LICENSE.txt', isCut: true })
    expect(licence?.text).toHaveLength(20_000)
  })

  test('a folder that is gone is told', async () => {
    await expect(describeModel(join(folder, 'gone'), null)).rejects.toMatchObject({
      ...{
        code: 'model.missing-file',
        message: expect.stringContaining('no longer there'),
        where: join(folder, 'gone'),
      },
    })
  })
})

describe('folders taken for one another', () => {
  test('swapped ones are recognised, and work the other way round', async () => {
    await expect(inspectModel(encoder, demoModel)).rejects.toMatchObject({
      ...{ code: 'model.swapped', expected: demoModel, found: encoder },
    })
    expect((await inspectModel(demoModel, encoder)).encoder?.outcome).not.toBe('different')
  })

  test('an encoder alone is no model, and a model no encoder', async () => {
    await expect(inspectModel(encoder, null)).rejects.toMatchObject({ code: 'model.is-encoder' })
    await expect(inspectModel(demoModel, demoModel)).rejects.toMatchObject({ code: 'model.not-encoder' })
  })
})
