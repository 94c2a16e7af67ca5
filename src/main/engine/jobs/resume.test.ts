// A run that is killed at random moments ends, byte for byte, where one without a break ends: the processes are real, and
// so are the model, the database file and the kills.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, inject, test } from 'vitest'
import type { RunId } from '../../../shared/domain.ts'
import { lastCheckpoint } from '../../db/checkpoints.ts'
import { everyImage } from '../../db/images.ts'
import { temporaryWorkspace } from '../../db/testing/temporaryWorkspace.ts'
import { Rng } from '../rng.ts'
import { addDemoRun, addSampleScenes, contentOf } from './testing/demoRun.ts'

/** Kills of the engine; FISAO_KILLS asks for more, FISAO_KILL_SEED for other moments. */
const kills = Number(process.env.FISAO_KILLS ?? 3)
const seed = Number(process.env.FISAO_KILL_SEED ?? 20265)
const images = 24

function startEngine(path: string, runId: RunId) {
  return spawn(process.execPath, [inject('scripts').alignWorkspace, path, String(runId)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** Lets the engine work to its end. @returns how long it took */
async function finish(path: string, runId: RunId): Promise<number> {
  const startMs = performance.now()
  const engine = startEngine(path, runId)
  engine.stdout.resume()
  const [code] = await once(engine, 'close')
  expect(code).toBe(0)
  return performance.now() - startMs
}

test(`${kills} kills -9 in the middle of runs: each ends byte for byte as without them`, {
  timeout: 120_000 + kills * 60_000,
}, async () => {
  const whole = temporaryWorkspace(0)
  const wholeRun = addDemoRun(whole.db, images)
  const durationMs = await finish(whole.path, wholeRun)
  const expected = contentOf(whole.db, wholeRun)
  const rng = new Rng({ seed })
  process.stdout.write(`kills by the seed ${seed}, a whole run takes ${(durationMs / 1000).toFixed(1)} s\n`)
  for (let killed = 0; killed < kills; ) {
    const broken = temporaryWorkspace(0)
    const runId = addDemoRun(broken.db, images)
    // Up to four kills in one run, then it may end.
    const times = Math.min(kills - killed, 1 + rng.below(4))
    for (let time = 0; time < times; time++) {
      const engine = startEngine(broken.path, runId)
      engine.stdout.resume()
      const ended = once(engine, 'close')
      const isOver = await Promise.race([ended.then(() => true), delay(rng.uniform() * durationMs).then(() => false)])
      if (isOver) break
      engine.kill('SIGKILL')
      await ended
      killed++
      // Images that are added to the workspace meanwhile are not the run's.
      const isNew = everyImage(broken.db).length === images
      if (isNew && lastCheckpoint(broken.db, runId)) addSampleScenes(broken.db, 8, images)
    }
    await finish(broken.path, runId)
    const content = contentOf(broken.db, runId)
    expect(content).toEqual(expected)
    // The order of keys too.
    expect(JSON.stringify(content) === JSON.stringify(expected)).toBe(true)
  }
})
