// What the computer is told of runs: stay awake, how far it is, that one has ended; and, for the next start, which
// workspace had one under way. Looks at the queue whenever something changed.
import { type BrowserWindow, Notification, powerSaveBlocker } from 'electron'
import type { RunId } from '../../shared/domain.ts'
import { outcomeSentence } from '../../shared/look.ts'
import type { RunView } from '../../shared/runView.ts'
import type { UnfinishedRun } from '../../shared/settings.ts'
import { logger } from '../log.ts'
import type { Notices } from './notices.ts'
import type { RunQueue } from './runQueue.ts'
import type { SettingsFile } from './settingsFile.ts'
import type { Workspaces } from './workspaces.ts'

const mostRemembered = 12

export interface RunWatchOptions {
  readonly runs: RunQueue
  readonly workspaces: Workspaces
  readonly settings: SettingsFile
  readonly notices: Notices
  readonly window: () => BrowserWindow | null
  /** Brings the window to the front, with its runs. */
  readonly showRuns: () => void
  /** Whether a person is there to be told. */
  readonly hasPerson: boolean
}

interface Watched {
  readonly workspaceKey: string
  readonly runId: RunId
}

export class RunWatch {
  readonly #options: RunWatchOptions
  /** Electron's id of the request to stay awake. */
  #awakeId: number | null = null
  #watched: Watched | null = null
  #shownProgress = -1

  constructor(options: RunWatchOptions) {
    this.#options = options
  }

  /** Never throws: it comes along with every change, also with those of a disk that is full. */
  look(): void {
    try {
      const run = this.#options.runs.underWay()
      this.#stayAwake(run !== null)
      this.#showProgress(run)
      this.#follow(run)
    } catch (thrown) {
      logger.error('the state of the runs could not be passed on', thrown)
    }
  }

  #stayAwake(isNeeded: boolean): void {
    if (isNeeded && this.#awakeId === null) {
      // The screen may go dark; the work may not stop.
      this.#awakeId = powerSaveBlocker.start('prevent-app-suspension')
    } else if (!isNeeded && this.#awakeId !== null) {
      powerSaveBlocker.stop(this.#awakeId)
      this.#awakeId = null
    }
  }

  #showProgress(run: RunView | null): void {
    const step = Math.max(run?.live?.progress?.step ?? 0, run?.checkpointStep ?? 0)
    const share = run ? Math.min(1, step / (run.totalSteps || 1)) : -1
    if (share === this.#shownProgress) return
    this.#shownProgress = share
    this.#options.window()?.setProgressBar(share)
  }

  #follow(run: RunView | null): void {
    const { current } = this.#options.workspaces
    const before = this.#watched
    if (before && before.workspaceKey === current?.key && before.runId !== run?.runId) this.#tellEnd(before.runId)
    this.#watched = run && current ? { workspaceKey: current.key, runId: run.runId } : null
    if (!current) return
    const known = this.#unfinished().find(({ path }) => path === current.path)
    if (run && known?.runName !== run.name) {
      const { path, isDemo } = current
      this.#remember(path, { path, isDemo, runName: run.name, sinceMs: Date.now() })
    } else if (!run && known && !this.#hasInterrupted()) this.#remember(current.path, null)
  }

  /** A run that closing interrupts stays `running` in its file, and goes on at the next opening. */
  #hasInterrupted(): boolean {
    return this.#options.runs.list().some(({ state }) => state === 'running')
  }

  #unfinished(): readonly UnfinishedRun[] {
    return this.#options.settings.get().unfinishedRuns
  }

  #remember(path: string, entry: UnfinishedRun | null): void {
    const others = this.#unfinished().filter((one) => one.path !== path)
    const unfinishedRuns = [...(entry ? [entry] : []), ...others].slice(0, mostRemembered)
    this.#options.settings.update({ unfinishedRuns })
  }

  #outcomeOf(runId: RunId): string {
    const { looks, bestStep } = this.#options.runs.get(runId)
    return bestStep ? 'Its page shows what changed.' : outcomeSentence(looks, 0, true)
  }

  /** Only what nobody asked for is news: a run that was paused, stopped or deleted ended by the person's own hand. */
  #tellEnd(runId: RunId): void {
    const { runs, notices, hasPerson } = this.#options
    const run = runs.list().find((one) => one.runId === runId)
    logger.info(
      `run ${runId} ended: ${run ? [run.state, run.error?.code, run.error?.message].filter(Boolean).join(', ') : 'deleted'}`,
    )
    if (!run || !hasPerson || (run.state !== 'complete' && run.state !== 'failed')) return
    const title = run.state === 'complete' ? `“${run.name}” is complete` : `“${run.name}” cannot go on`
    const text = run.error ? `${run.error.message} ${run.error.remedy}` : this.#outcomeOf(runId)
    notices.tell({ about: 'runs', title, text })
    const window = this.#options.window()
    if (window?.isFocused()) return
    window?.flashFrame(true)
    window?.once('focus', () => window.flashFrame(false))
    if (!Notification.isSupported()) return
    const notification = new Notification({ title, body: text })
    notification.on('click', this.#options.showRuns)
    notification.show()
  }
}
