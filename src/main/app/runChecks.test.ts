// The check of a run over a real workspace file and a real process behind the real supervisor: one at a time, none beside a
// run, a cancel, and what is refused before the engine is asked.
import { fork } from 'node:child_process'
import { afterEach, expect, inject, test, vi } from 'vitest'
import type { NewRunRequest } from '../../shared/contract.ts'
import type { ModelId } from '../../shared/domain.ts'
import type { RunCheckProgress } from '../../shared/runCheck.ts'
import { engineMethods } from '../../shared/workerProtocol.ts'
import { saveModel } from '../db/models.ts'
import { temporaryWorkspace } from '../db/testing/temporaryWorkspace.ts'
import { addSampleScenes } from '../engine/jobs/testing/demoRun.ts'
import { WorkerClient } from '../worker/workerClient.ts'
import { Activities } from './activities.ts'
import { RunChecks } from './runChecks.ts'
import type { Current } from './workspaces.ts'

let stop: () => void = () => undefined
afterEach(() => stop())

function bench() {
  const { db, path } = temporaryWorkspace()
  addSampleScenes(db, 4)
  const current: Current = { path, key: 'one', db, isDemo: false, ownerToken: null }
  const engine = new WorkerClient({
    ...{ name: 'engine', area: 'engine' as const, methods: engineMethods },
    spawn: () => {
      const child = fork(inject('scripts').alignmentWorker, [], { serialization: 'advanced', silent: true })
      return {
        get pid() {
          return child.pid
        },
        postMessage: (message) => void child.send(message),
        onMessage: (listener) => child.on('message', listener),
        onExit: (listener) => child.on('exit', listener),
        kill: () => child.kill('SIGKILL'),
      }
    },
  })
  const activities = new Activities({ onChange: () => undefined })
  const told: RunCheckProgress[] = []
  const state = { isRunUnderWay: false }
  const checks = new RunChecks({
    ...{ engine, activities, workspaces: { require: () => current } },
    ...{ device: () => 'cpu' as const, threads: () => 1, lexicon: () => '/lexicon.json' },
    isRunUnderWay: () => state.isRunUnderWay,
    onProgress: (progress) => told.push(progress),
  })
  const here = import.meta.dirname
  const model = { folder: here, name: 'own', config: {}, weightsSha256: Buffer.alloc(32) }
  const modelId = saveModel(db, { ...model, companionFolder: here, encoderVerified: true }, 1)
  engine.start()
  stop = () => {
    engine.stop()
    activities.stop()
  }
  const request: NewRunRequest = { modelId, name: 'one', preset: 'quick-look', changes: {}, seed: 1 }
  return { checks, activities, told, state, request }
}

test('joins what is known at once with what was measured', async () => {
  const { checks, told, request, activities } = bench()
  const check = await checks.check(request)
  expect(check.measured?.time.totalSteps).toBe(64)
  expect(check.findings.map(({ about }) => about)).toEqual([
    ...['model', 'images', 'settings', 'time', 'memory', 'disk', 'verifier'],
  ])
  // Four images are few.
  expect(check.verdict).toBe('warning')
  expect(told[0]).toEqual({ phase: 'opening', share: 0 })
  expect(activities.list()).toEqual([])
})

test('is refused beside a run or another check, and can be cancelled', async () => {
  const { checks, request, state, activities } = bench()
  state.isRunUnderWay = true
  await expect(checks.check(request)).rejects.toMatchObject({ code: 'run.check-busy' })
  state.isRunUnderWay = false
  const first = checks.check(request)
  const ended = expect(first).rejects.toMatchObject({ code: 'run.cancelled' })
  await expect(checks.check(request)).rejects.toMatchObject({ code: 'run.check-busy' })
  await vi.waitFor(() => expect(activities.list()).toMatchObject([{ kind: 'check', canCancel: true }]), {
    timeout: 20_000,
  })
  await checks.cancel()
  await ended
  expect((await checks.check(request)).measured).not.toBeNull()
})

test('what is refused at once asks nothing of the engine', async () => {
  const { checks, request, told } = bench()
  const annotated = { ...request, changes: { calibration: { method: 'annotated' } } }
  expect(await checks.check(annotated)).toMatchObject({ verdict: 'refused', measured: null })
  expect(await checks.check({ ...request, modelId: 99 as ModelId })).toMatchObject({
    verdict: 'refused',
    measured: null,
  })
  expect(told).toEqual([])
})
