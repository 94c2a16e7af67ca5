// Which images have their turn when, and how long a run says that it will take.
import { describe, expect, test } from 'vitest'
import { presetConfig } from '../../../shared/runConfig.ts'
import type { RunProgress } from '../../../shared/runProgress.ts'
import { Rng } from '../rng.ts'
import { chosenImages, StopWatch } from './schedule.ts'

const images = Array.from({ length: 10 }, (_, i) => i)
const rng = () => new Rng({ seed: 3 })

describe('images of a step', () => {
  const config = presetConfig('quick-look', { rollout: { responsesPerStep: 4 } })

  test('each has its turn before one comes again, in another order in each pass', () => {
    const drawn = [0, 1, 2, 3, 4].flatMap((step) => chosenImages(images, config, rng(), step))
    expect([...drawn.slice(0, 10)].sort((a, b) => a - b)).toEqual(images)
    expect([...drawn.slice(10)].sort((a, b) => a - b)).toEqual(images)
    expect(drawn.slice(0, 10)).not.toEqual(drawn.slice(10))
  })

  test('follow from seed and step alone, and more than there are come several times', () => {
    expect(chosenImages(images, config, rng(), 3)).toEqual(chosenImages(images, config, rng(), 3))
    expect(chosenImages(images, config, rng(), 0, 25).filter((image) => image === 7).length).toBeGreaterThanOrEqual(2)
  })

  test('DPO asks several times about each', () => {
    const dpo = presetConfig('quick-look', {
      ...{ rollout: { responsesPerStep: 12 }, reward: { method: 'dpo' }, optimiser: { dpoResponses: 4 } },
    })
    const drawn = chosenImages(images, dpo, rng(), 0)
    expect(drawn.length).toBe(12)
    expect(new Set(drawn).size).toBe(3)
    expect(drawn.slice(0, 4)).toEqual(new Array(4).fill(drawn[0]))
  })
})

test('the rest of a run is told only after a twentieth of its steps', async () => {
  const seen: RunProgress[] = []
  const watch = new StopWatch(40, (progress) => seen.push(progress))
  watch.enter('opening', 0)
  watch.resume(0)
  watch.takeTimes()
  for (let step = 0; step < 4; step++)
    await watch.time('rollout', step, () => new Promise((done) => setTimeout(done, 20)))
  expect(seen.map(({ remainingMs }) => remainingMs !== null)).toEqual([false, false, false, true, true])
  const last = seen.at(-1)?.remainingMs as number
  // Three steps of 20 ms are done, and 37 are left.
  expect(last).toBeGreaterThan(37 * 20 * 0.9)
  expect(last).toBeLessThan(37 * 20 * 3)
  const times = watch.takeTimes()
  expect(times.rollout).toBeGreaterThan(70)
  expect(watch.takeTimes().rollout).toBe(0)
})
