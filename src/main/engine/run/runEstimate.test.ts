// A whole run from a measured part of it, worked by hand.
import { describe, expect, test } from 'vitest'
import { presetConfig } from '../../../shared/runConfig.ts'
import type { Policy } from '../align/policy.ts'
import {
  estimateDisk,
  estimateTime,
  expectedBytes,
  mixed,
  perResponse,
  type RunMeasurement,
  verifierOutcome,
} from './runEstimate.ts'

const config = presetConfig('quick-look', {
  rollout: { responsesPerStep: 10, batchSize: 10 },
  calibration: { responses: 20 },
  optimiser: { stepsPerRound: 8, microBatchSize: 5 },
  evaluation: { everySteps: 4, images: 6, keepLast: 3 },
})
const ones = (length: number) => new Float32Array(length)
const policy: Policy = {
  adapter: { rank: 1, alpha: 1, layers: new Map([['l', { a: ones(3), b: ones(2), inFeatures: 3, outFeatures: 2 }]]) },
  valueHead: new Map([['v', ones(5)]]),
  optimisers: {},
}
const measured = {
  openingMs: 100,
  rollout: [
    { responses: 4, ms: 999 },
    { responses: 10, ms: 100 },
    { responses: 10, ms: 60 },
  ],
  reward: [
    { responses: 4, ms: 50 },
    { responses: 10, ms: 10 },
  ],
  calibrated: [
    { responses: 4, ms: 70 },
    { responses: 14, ms: 14 },
  ],
  warmUp: [{ responses: 10, ms: 20 }],
  update: [
    { responses: 10, ms: 90 },
    { responses: 10, ms: 30 },
  ],
  look: [
    { responses: 6, ms: 60 },
    { responses: 6, ms: 30 },
  ],
  ...{ policy, responses: 14, tokens: 140, mentions: 28, featureBytes: 1000 },
  memory: { startBytes: 10_000, openedBytes: 50_000, peakBytes: 60_000 },
} as unknown as RunMeasurement

describe('the estimate of a run', () => {
  test('leaves the first sample out where there are others, and drifts by a fifth', () => {
    expect(perResponse(measured.update)).toEqual({ value: 3, low: 2.4000000000000004, high: 3.5999999999999996 })
    expect(perResponse([])).toEqual({ value: 0, low: 0, high: 0 })
    expect(perResponse([{ responses: 2, ms: 10 }]).value).toBe(5)
  })

  test('what is new costs more than the same again', () => {
    // 10 ms new, 6 ms again, half of each.
    expect(mixed(measured.rollout[1], measured.rollout[2], 0.5)).toMatchObject({ value: 8, low: 6 * 0.8, high: 12 })
  })

  test('adds opening, calibration, steps and looks', () => {
    const { totalSteps, stepMs, totalMs } = estimateTime(measured, config, { training: 25, validation: 6 })
    expect(totalSteps).toBe(8)
    // 100 responses to 25 images: a quarter is new, 0.25 * 10 + 0.75 * 6 = 7; score 1, update 3.
    expect(stepMs.value).toBeCloseTo(10 * (7 + 1 + 3), 9)
    // Looks at steps 0, 4, 8: the first at 10 ms an image, two at 5.
    const looks = 6 * (10 + 5 + 5)
    expect(totalMs.value).toBeCloseTo(100 + 20 * (7 + 1 + 1 + 2) + 8 * 110 + looks, 6)
    expect(totalMs.low).toBeLessThan(totalMs.value)
    expect(totalMs.high).toBeGreaterThan(totalMs.value)
  })

  test('memory grows with what is decoded or trained together, and with the features of a step', () => {
    expect(expectedBytes(measured, config)).toBe(60_000)
    const larger = { ...config, rollout: { ...config.rollout, responsesPerStep: 40, batchSize: 20 } }
    // 10,000 above for 10 responses, 20,000 for 20; features of 30 more responses.
    expect(expectedBytes(measured, larger)).toBe(50_000 + 20_000 + 30 * 1000)
  })

  test('the disk holds the last checkpoints, the best and the first, and all responses', () => {
    const disk = estimateDisk(measured, config, 6)
    expect([disk.checkpointBytes, disk.checkpoints]).toEqual([4 * (3 + 2 + 5), 5])
    // 80 trained and 18 looked at, each 420 + 10 tokens at 50 + 2 words at 75.
    expect(disk.responseBytes).toBe(98 * (420 + 500 + 150))
    expect(disk.totalBytes).toBe(200 + disk.responseBytes)
    expect(estimateDisk(measured, { ...config, reward: { ...config.reward, method: 'none' } }, 6).checkpoints).toBe(1)
  })

  test('an interval that holds the limit tells nothing, one below it that the verifier cannot', () => {
    const outcome = (value: number, low: number, high: number, { scores = 100, refused = value < 0.75 } = {}) => {
      const estimate = { auroc: { value, low, high } }
      const refusals = refused ? [{ reason: 'overlapping', expected: '', found: '' }] : []
      return verifierOutcome({ estimate, refusals, scores } as unknown as RunMeasurement['calibration'], config).outcome
    }
    expect(outcome(0.9, 0.8, 0.95)).toBe('can-tell')
    expect(outcome(0.6, 0.55, 0.7)).toBe('cannot-tell')
    expect(outcome(0.7, 0.6, 0.8)).toBe('not-enough')
    expect(outcome(0.9, 0.8, 0.95, { scores: 63 })).toBe('not-enough')
  })
})
