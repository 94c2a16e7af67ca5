// The check before a run: what is known at once, and then a small measurement by the engine. One at a time, and none while
// a run is under way, which would make both slower and the figures wrong.
import type { NewRunRequest } from '../../shared/contract.ts'
import { allImages, type ModelRecord } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import type { DeviceName } from '../../shared/hardware.ts'
import type { RunCheck, RunCheckProgress, RunPrecheck } from '../../shared/runCheck.ts'
import { presetConfig } from '../../shared/runConfig.ts'
import type { engineMethods } from '../../shared/workerProtocol.ts'
import { countImages } from '../db/images.ts'
import { modelById } from '../db/models.ts'
import type { ChannelHandlers } from '../ipc.ts'
import type { WorkerClient } from '../worker/workerClient.ts'
import type { Activities } from './activities.ts'
import { measuredFindings } from './checkFindings.ts'
import { precheckRun, worst } from './runPrecheck.ts'
import type { Current, Workspaces } from './workspaces.ts'

export interface RunChecksOptions {
  readonly engine: WorkerClient<typeof engineMethods>
  readonly workspaces: Pick<Workspaces, 'require'>
  readonly activities: Pick<Activities, 'during'>
  /** Device and threads of the next run; null while the devices are measured. */
  readonly device: () => DeviceName | null
  readonly threads: () => number | null
  readonly lexicon: (current: Current) => string
  readonly isRunUnderWay: () => boolean
  readonly onProgress: (progress: RunCheckProgress) => void
}

interface UnderWay {
  readonly abort: AbortController
  readonly done: Promise<unknown>
}

export class RunChecks {
  readonly #options: RunChecksOptions
  #underWay: UnderWay | null = null

  constructor(options: RunChecksOptions) {
    this.#options = options
  }

  /** What can be told at once. */
  precheck(request: NewRunRequest): RunPrecheck {
    return this.#precheck(request).known
  }

  #precheck(request: NewRunRequest): { known: RunPrecheck; model: ModelRecord | undefined; current: Current } {
    const current = this.#options.workspaces.require()
    const model = modelById(current.db, request.modelId)
    return { known: precheckRun(request, model, countImages(current.db, allImages)), model, current }
  }

  /**
   * All that can be told before a run begins. What is refused at once is not measured.
   * @throws StudioError `run.check-busy`, `run.cancelled`, `device.not-ready`, and what models and images throw
   */
  async check(request: NewRunRequest): Promise<RunCheck> {
    const { known, model, current } = this.#precheck(request)
    if (known.verdict === 'refused' || !model?.companionFolder) return { ...known, measured: null }
    if (this.#options.isRunUnderWay()) throw busy('a run is under way', 'Pause the run first, or wait for its end.')
    if (this.#underWay) throw busy('another check is under way', 'Cancel it, or wait for its end.')
    const { engine, threads, lexicon, activities, onProgress } = this.#options
    const device = this.#options.device()
    if (device === null) throw notReady()
    const abort = new AbortController()
    const config = presetConfig(request.preset, request.changes)
    const cancel = () => abort.abort()
    const done = activities.during({ kind: 'check', title: `Check of “${request.name}”`, cancel }, (entry) =>
      engine.request(
        'checkRun',
        {
          ...{ workspace: current.path, modelId: request.modelId, config, seed: request.seed },
          ...{ device, threads: threads(), lexicon: lexicon(current) },
        },
        {
          signal: abort.signal,
          onProgress: (progress) => {
            entry.progress(progress.share)
            onProgress(progress)
          },
        },
      ),
    )
    const underWay = { abort, done: done.catch(() => undefined) }
    this.#underWay = underWay
    try {
      const measured = await done
      const findings = [...known.findings, ...measuredFindings(measured, config)]
      return { ...known, verdict: worst(findings), findings, measured }
    } catch (thrown) {
      throw abort.signal.aborted ? cancelled(thrown) : thrown
    } finally {
      this.#underWay = null
    }
  }

  /** Ends the check that is under way; answers once it has. */
  async cancel(): Promise<void> {
    this.#underWay?.abort.abort()
    await this.#underWay?.done
  }

  handlers(): Pick<ChannelHandlers, 'runs.precheck' | 'runs.check' | 'runs.cancelCheck'> {
    return {
      'runs.precheck': (request) => this.precheck(request),
      'runs.check': (request) => this.check(request),
      'runs.cancelCheck': async () => {
        await this.cancel()
        return {}
      },
    }
  }
}

function busy(what: string, remedy: string): StudioError {
  return new StudioError({
    code: 'run.check-busy',
    message: `Nothing can be measured now, because ${what}: both would be slower, and the figures wrong.`,
    remedy,
  })
}

/** Whatever it was doing, also waiting for the engine. */
function cancelled(cause: unknown): StudioError {
  return new StudioError(
    { code: 'run.cancelled', message: 'The check was cancelled.', remedy: 'Check again when you want it.' },
    { cause },
  )
}

function notReady(): StudioError {
  return new StudioError({
    code: 'device.not-ready',
    message: 'The devices of this machine are still being measured.',
    remedy: 'Wait a moment, then check again.',
  })
}
