// What is told of a new run at once, and what a measurement means for a person, by hand.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { ModelRecord } from '../../shared/domain.ts'
import type { CheckMeasurement } from '../../shared/runCheck.ts'
import { presetConfig } from '../../shared/runConfig.ts'
import { durationWords, measuredFindings } from './checkFindings.ts'
import { precheckRun } from './runPrecheck.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-precheck-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const model = { folder, companionFolder: folder, encoderVerified: true } as ModelRecord
type Request = Parameters<typeof precheckRun>[0]
const of = (changes: Request['changes'] = {}, images = 300, one: ModelRecord | undefined = model) =>
  precheckRun({ preset: 'quick-look', changes }, one, images)
const finding = (checked: ReturnType<typeof of>, about: string) => checked.findings.find((one) => one.about === about)

describe('a check at once', () => {
  test('all is well', () => {
    const checked = of()
    expect(checked).toMatchObject({ verdict: 'ok', images: { training: 204, validation: 96 }, totalSteps: 64 })
    expect(checked.findings.map(({ about }) => about)).toEqual(['model', 'images', 'settings'])
  })

  test('too few images are refused, few are warned of', () => {
    expect(of({}, 2)).toMatchObject({ verdict: 'refused', images: null })
    expect(of({}, 59)).toMatchObject({ verdict: 'warning', images: { training: 40, validation: 19 } })
    expect(of({}, 60).verdict).toBe('ok')
  })

  test('a setting that cannot be used is named by its title and its field', () => {
    const checked = of({ rollout: { maxNewTokens: 0 } })
    expect(checked).toMatchObject({ verdict: 'refused', totalSteps: null })
    expect(finding(checked, 'settings')).toMatchObject({ field: { section: 'rollout', name: 'maxNewTokens' } })
    expect(finding(checked, 'settings')?.sentence).toContain('“Longest response”')
  })

  test('annotated without its file, or with one that is not there, is refused by its field', () => {
    const field = { section: 'calibration', name: 'annotationFile' }
    expect(finding(of({ calibration: { method: 'annotated' } }), 'annotations')).toMatchObject({
      verdict: 'refused',
      field,
    })
    const named = (annotationFile: string) => of({ calibration: { method: 'annotated', annotationFile } })
    expect(finding(named(join(folder, 'gone.json')), 'annotations')).toMatchObject({ verdict: 'refused', field })
    writeFileSync(join(folder, 'there.json'), '{}')
    expect(named(join(folder, 'there.json')).verdict).toBe('ok')
  })

  test('a model without encoder or whose folder is gone is refused, another encoder warned of', () => {
    expect(precheckRun({ preset: 'paper', changes: {} }, undefined, 300).verdict).toBe('refused')
    expect(of({}, 300, { ...model, companionFolder: null }).verdict).toBe('refused')
    expect(of({}, 300, { ...model, folder: join(folder, 'gone') }).verdict).toBe('refused')
    expect(of({}, 300, { ...model, encoderVerified: false }).verdict).toBe('warning')
  })
})

const config = presetConfig('quick-look')
const measured: CheckMeasurement = {
  ...{ device: 'cpu', durationMs: 1, responses: 12, steps: 2 },
  time: {
    totalSteps: 64,
    stepMs: { value: 2000, low: 1500, high: 2500 },
    totalMs: { value: 300_000, low: 200_000, high: 400_000 },
  },
  memory: { peakBytes: 1e9, expectedBytes: 2e9, machineBytes: 8e9, availableBytes: 4e9, deviceBytes: null },
  disk: { checkpointBytes: 1e6, checkpoints: 5, responseBytes: 2e6, totalBytes: 7e6, freeBytes: 1e9 },
  verifier: { outcome: 'can-tell', auroc: { value: 0.9, low: 0.8, high: 0.95 }, scores: 80, leastScores: 64 },
}
const verdicts = (changes: Partial<CheckMeasurement>) =>
  measuredFindings({ ...measured, ...changes }, config).map(({ verdict }) => verdict)

describe('what a measurement means', () => {
  test('says each figure in one sentence', () => {
    expect(measuredFindings(measured, config).map(({ sentence }) => sentence)).toEqual([
      'It takes about 5 min (3 min to 7 min), 2 s a step.',
      'It needs about 2.0 GB of memory; 4.0 GB of 8.0 GB are free.',
      'It needs about 7.0 MB on the disk, with 5 checkpoints; 1.0 GB are free.',
      'The verifier can tell. A right word scores above a hallucinated one with probability 0.90 (0.80 to 0.95), by 80 words.',
    ])
  })

  test('warns of what is long, tight or not known, and refuses what cannot be', () => {
    const { time, memory, disk, verifier } = measured
    expect(verdicts({})).toEqual(['ok', 'ok', 'ok', 'ok'])
    const long = { ...time, totalMs: { value: 13 * 3600_000, low: 1, high: 2 } }
    expect(verdicts({ time: long })[0]).toBe('warning')
    expect(verdicts({ memory: { ...memory, expectedBytes: 3.5e9 } })[1]).toBe('warning')
    expect(verdicts({ memory: { ...memory, expectedBytes: 9e9 } })[1]).toBe('refused')
    expect(verdicts({ disk: { ...disk, freeBytes: 8e6 } })[2]).toBe('warning')
    expect(verdicts({ disk: { ...disk, freeBytes: 6e6 } })[2]).toBe('refused')
    expect(verdicts({ disk: { ...disk, freeBytes: null } })[2]).toBe('warning')
    expect(verdicts({ verifier: { ...verifier, outcome: 'cannot-tell' } })[3]).toBe('warning')
    expect(verdicts({ verifier: { ...verifier, outcome: 'not-enough', scores: 9 } })[3]).toBe('warning')
  })

  test('durations in words', () => {
    expect([400, 42_000, 90_000, 3_600_000, 7_200_000, 172_800_000].map(durationWords)).toEqual([
      ...['0.4 s', '42 s', '2 min', '60 min', '2.0 h', '2.0 days'],
    ])
  })
})
