// How the app ends: in order, and not without asking while a run is under way. Only what a person does asks; a signal,
// the end of the session or a script that quits the app never waits for an answer. Used by index.ts.
import { app, type BrowserWindow, dialog, powerMonitor } from 'electron'
import type { RunView } from '../shared/runView.ts'
import type { LeavePurpose, Studio } from './app/studio.ts'
import { logger } from './log.ts'

const stopWords: Readonly<Record<LeavePurpose, string>> = {
  quit: 'Stop for now and quit',
  close: 'Stop for now and close',
  open: 'Stop for now and open',
}

/** Asks whether the run may stop for now. */
export async function askToStop(window: BrowserWindow | null, run: RunView, purpose: LeavePurpose): Promise<boolean> {
  const question = {
    ...{ type: 'question' as const, title: 'FiSAO Studio', message: 'A run is under way.' },
    detail: `“${run.name}” will stop after the current step and goes on when you open the workspace again.`,
    buttons: ['Keep it running', stopWords[purpose]],
    ...{ defaultId: 0, cancelId: 0, noLink: true },
  }
  const { response } = await (window ? dialog.showMessageBox(window, question) : dialog.showMessageBox(question))
  return response === 1
}

export interface Leaving {
  /** Quits as a person does: after a question when a run is under way. */
  readonly quit: () => void
  /** Quits without a question, to start again if so wished. */
  readonly end: (again: boolean) => void
  /** Lets this window close only when the app may end. */
  readonly guard: (window: BrowserWindow) => void
}

/** Quits after the workspace is closed; a second attempt while that is under way changes nothing. */
export function endInOrder(studio: Studio, isDemoRun: boolean): Leaving {
  let state: 'running' | 'ending' | 'ended' = 'running'
  // On macOS the menu, the dock and Command-Q all say no more than that the app is about to quit.
  let mayAsk = process.platform === 'darwin' && !isDemoRun
  const end = (again: boolean): void => {
    mayAsk = false
    if (again) app.relaunch()
    app.quit()
  }
  const quit = (): void => {
    studio
      .mayLeave('quit')
      .then((mayQuit) => {
        if (mayQuit) end(false)
      })
      .catch((thrown: unknown) => logger.error('the app could not be asked to quit', thrown))
  }
  if (mayAsk) {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => end(false))
    powerMonitor.on('shutdown', () => end(false))
  }
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin' && !isDemoRun) app.quit()
  })
  app.on('before-quit', (event) => {
    if (state === 'ended') return
    event.preventDefault()
    if (state === 'ending') return
    if (mayAsk && studio.runs.underWay()) {
      quit()
      return
    }
    state = 'ending'
    studio
      .shutDown()
      .catch((thrown: unknown) => logger.error('the app did not end in order', thrown))
      .finally(() => {
        state = 'ended'
        app.quit()
      })
  })
  const guard = (window: BrowserWindow): void => {
    // On macOS the app outlives its window, and so does the run.
    if (process.platform === 'darwin' || isDemoRun) return
    window.on('close', (event) => {
      if (state !== 'running' || !studio.runs.underWay()) return
      event.preventDefault()
      quit()
    })
  }
  return { quit, end, guard }
}
