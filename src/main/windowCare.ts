// Brings the window back when its page ended, did not load or does not answer: main loads it again, and the page finds
// its way to where it was (renderer/src/place.ts). After several ends in a row a person decides. Used by index.ts.
import { app, type BrowserWindow, dialog } from 'electron'
import { logger } from './log.ts'

/** So many ends within {@link shortlyMs} are drawn again; the next one asks. */
const mostRedrawn = 3
const shortlyMs = 60_000
/** Chromium's ERR_ABORTED: another load took its place. */
const aborted = -3
const noLimit = 'disable-gpu-process-crash-limit'

export interface WindowCareOptions {
  /** Loads the page anew. */
  readonly load: (window: BrowserWindow) => void
  /** Called when the page that ended was loaded again. */
  readonly onRedrawn: () => void
  readonly logFolder: string
  /** Whether somebody is there to answer; if not, the page is loaded again each time. */
  readonly mayAsk: boolean
  /** Ends the app in order; `again`: to start it afresh. */
  readonly end: (again: boolean) => void
}

/** Watches over the page of this window for as long as the window lives. */
export function careFor(window: BrowserWindow, options: WindowCareOptions): void {
  const { load, onRedrawn, mayAsk } = options
  const contents = window.webContents
  let endedAtMs: number[] = []
  let isAsking = false

  const failed = (what: string): void => {
    if (window.isDestroyed() || isAsking) return
    const nowMs = performance.now()
    endedAtMs = [...endedAtMs.filter((ms) => nowMs - ms < shortlyMs), nowMs]
    logger.warn(`the window ${what} (${endedAtMs.length} within a minute)`)
    if (mayAsk && endedAtMs.length > mostRedrawn) {
      isAsking = true
      void askHowToGoOn(options).finally(() => {
        isAsking = false
      })
      return
    }
    // Once the event is over: Chromium still takes the old page apart.
    setTimeout(() => {
      if (window.isDestroyed()) return
      contents.once('did-finish-load', onRedrawn)
      load(window)
    }, 100 * endedAtMs.length)
  }

  contents.on('render-process-gone', (_event, { reason, exitCode }) => {
    if (reason !== 'clean-exit') failed(`ended: ${reason}, exit code ${exitCode}`)
  })
  contents.on('did-fail-load', (_event, code, description, _address, isMainFrame) => {
    if (isMainFrame && code !== aborted) failed(`did not load: ${description} (${code})`)
  })
  contents.on('preload-error', (_event, _path, error) => {
    logger.error('the preload script failed', error)
    failed('did not get its bridge')
  })
  if (mayAsk) askWhenStuck(window)
}

/** Says when the page does not answer; one that answers again meanwhile takes the question back. */
function askWhenStuck(window: BrowserWindow): void {
  let answersAgain: AbortController | null = null
  window.on('responsive', () => answersAgain?.abort())
  window.on('unresponsive', () => {
    if (answersAgain) return
    const asked = new AbortController()
    answersAgain = asked
    logger.warn('the window does not answer')
    dialog
      .showMessageBox(window, {
        ...{ type: 'warning', title: 'FiSAO Studio', buttons: ['Wait', 'Draw it again'], defaultId: 0, cancelId: 0 },
        message: 'The window does not answer.',
        detail: 'Work in the background goes on either way; drawing the window again loses nothing that is stored.',
        ...{ noLink: true, signal: asked.signal },
      })
      .then(({ response }) => {
        // Its end is what `render-process-gone` hears of.
        if (response === 1 && !asked.signal.aborted) window.webContents.forcefullyCrashRenderer()
      })
      .catch((thrown: unknown) => logger.error('a question could not be asked', thrown))
      .finally(() => {
        answersAgain = null
      })
  })
}

async function askHowToGoOn({ logFolder, end }: WindowCareOptions): Promise<void> {
  // Without a parent: the window has nothing to show it on.
  const { response } = await dialog.showMessageBox({
    ...{ type: 'error', title: 'FiSAO Studio', buttons: ['Restart', 'Quit'], defaultId: 0, cancelId: 1, noLink: true },
    message: 'The window stopped working several times in a row.',
    detail: `What is stored is safe, and a run goes on where it was. The log is in ${logFolder}.`,
  })
  end(response === 0)
}

/**
 * Logs the ends of Chromium's own processes, which it starts again by itself. The one for graphics it gives up after
 * some ends: first the graphics card, for drawing on the processor, and then the whole app. That last step is not
 * taken: an app that draws badly still does its work.
 */
export function survivesHelpers(): void {
  app.on('child-process-gone', (_event, { type, name = type, reason, exitCode }) => {
    if (reason !== 'clean-exit') logger.warn(`the process "${name}" ended: ${reason}, exit code ${exitCode}`)
  })
  const keepDrawing = (): void => {
    if (app.commandLine.hasSwitch(noLimit) || app.getGPUFeatureStatus().gpu_compositing === 'enabled') return
    // Chromium looks for it at each end, so that it can be set once there is nothing left to fall back to.
    app.commandLine.appendSwitch(noLimit)
  }
  // Before the first of these the status says nothing.
  app.on('gpu-info-update', keepDrawing)
}
