// The app's one window: restored where it was, sandboxed, shown once it has painted.
import { join } from 'node:path'
import { BrowserWindow, nativeTheme, screen } from 'electron'
import type { WindowState } from '../shared/settings.ts'
import type { SettingsFile } from './app/settingsFile.ts'
import { logger } from './log.ts'
import { devServerUrl, lockContents } from './security.ts'

const smallest = { width: 760, height: 520 }

/** Creates and loads the window; it shows itself on first paint. */
export function openWindow(settings: SettingsFile): BrowserWindow {
  const state = onScreen(settings.get().window)
  const window = new BrowserWindow({
    ...(state.x !== undefined && state.y !== undefined && { x: state.x, y: state.y }),
    width: state.width,
    height: state.height,
    minWidth: smallest.width,
    minHeight: smallest.height,
    show: false,
    title: 'FiSAO Studio',
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#141517' : '#ffffff',
    webPreferences: {
      preload: join(import.meta.dirname, '../preload/index.cjs'),
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
    },
  })
  lockContents(window.webContents)
  if (state.maximized) window.maximize()
  window.once('ready-to-show', () => window.show())
  window.on('close', () => settings.update({ window: stateOf(window) }))
  loadPage(window)
  return window
}

/** Loads the page into the window; one that cannot be loaded is windowCare.ts's business. */
export function loadPage(window: BrowserWindow): void {
  window.loadURL(devServerUrl ?? 'app://studio/index.html').catch((thrown: unknown) => logger.warn(String(thrown)))
}

function stateOf(window: BrowserWindow): WindowState {
  return { ...window.getNormalBounds(), maximized: window.isMaximized() }
}

/** The state, without its position when the screen it was on is gone. */
function onScreen(state: WindowState): WindowState {
  const { x, y, width, height, maximized } = state
  if (x === undefined || y === undefined) return state
  const visible = screen.getAllDisplays().some(({ workArea }) => {
    const overlapX = Math.min(x + width, workArea.x + workArea.width) - Math.max(x, workArea.x)
    return overlapX > 100 && y >= workArea.y - 10 && y < workArea.y + workArea.height - 50
  })
  return visible ? state : { width, height, maximized }
}
