// The main process starts here: one instance, locked down, one window, or the demo run without a person.
import './startCheck.ts'
import { join, resolve } from 'node:path'
import { app, type BrowserWindow, session } from 'electron'
import type { EventPayload } from '../shared/contract.ts'
import { runDemo } from './app/demo/demo.ts'
import { demoOptions } from './app/demo/demoOptions.ts'
import { RunWatch } from './app/runWatch.ts'
import { pictureOf } from './app/savePicture.ts'
import { SettingsFile } from './app/settingsFile.ts'
import { Studio } from './app/studio.ts'
import { broadcast, handleChannels } from './ipc.ts'
import { askToStop, endInOrder, type Leaving } from './leaving.ts'
import { removeSingletonFolder, singletonFolder } from './leftBehind.ts'
import { logger, openLog } from './log.ts'
import { installMenu, type MenuActions } from './menu.ts'
import { portableFolder } from './portable.ts'
import { declareSchemes, serveApp, serveImages } from './protocols.ts'
import { lockContents, lockSession, showFolder, silenceChromium } from './security.ts'
import { removeTelemetryRemains, telemetryFolders } from './telemetryRemains.ts'
import { loadPage, openWindow } from './window.ts'
import { careFor, survivesHelpers } from './windowCare.ts'

// Beside the program when that is portable, unless the command line names another folder.
const portable = app.isPackaged && !app.commandLine.hasSwitch('user-data-dir') ? portableFolder(process.execPath) : null
if (portable !== null) app.setPath('userData', portable)
// A demo run has settings of its own, so that it neither reads nor changes a person's.
const isDemoRun = app.commandLine.hasSwitch('demo')
const demo = demoOptions(
  (name) => app.commandLine.hasSwitch(name),
  (name) => app.commandLine.getSwitchValue(name),
)
if (isDemoRun) app.setPath('userData', join(demo.out, 'app-data'))

const logFolder = join(app.getPath('userData'), 'logs')
const resources = app.isPackaged ? join(process.resourcesPath, 'resources') : join(app.getAppPath(), 'resources')

silenceChromium()
declareSchemes()
// Root, as in a container, has no user namespaces to build a sandbox from; there it was switched off by hand.
if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox()

const leftFolder = singletonFolder(app.getPath('userData'))
if (app.requestSingleInstanceLock()) {
  app.whenReady().then(start, (thrown: unknown) => logger.error('the app could not start', thrown))
} else {
  // The other instance has been told, and shows its window.
  app.quit()
}

async function start(): Promise<void> {
  openLog(logFolder)
  logger.info(`FiSAO Studio ${app.getVersion()} on Electron ${process.versions.electron}, ${process.platform}`)
  removeSingletonFolder(leftFolder, app.getPath('userData'))
  process.on('unhandledRejection', (reason) => logger.error('unhandled rejection', reason))
  const settings = new SettingsFile(join(app.getPath('userData'), 'settings.json'), logger.warn)
  let window: BrowserWindow | null = null
  const studio = new Studio({
    settings,
    logFolder,
    resources,
    device: isDemoRun ? demo.device : null,
    broadcast: (event, payload) => broadcast(window?.webContents, event, payload),
    onStateChanged: () => updateMenu(studio, menuActions),
    onRunsChanged: () => watch.look(),
    picture: (area) => pictureOf(window, area),
    // Nobody is there to answer in a demo run.
    askToStop: (run, purpose) => (isDemoRun ? Promise.resolve(true) : askToStop(window, run, purpose)),
  })
  keepGoing(studio)
  const leaving = endInOrder(studio, isDemoRun)
  const show = (): BrowserWindow => {
    window ??= openCaredFor(settings, studio, leaving).on('closed', () => {
      window = null
    })
    return window
  }
  const watch = new RunWatch({
    ...{ settings, hasPerson: !isDemoRun, window: () => window },
    ...{ runs: studio.runs, workspaces: studio.workspaces, notices: studio.notices },
    showRuns: () => {
      if (show().isMinimized()) show().restore()
      show().focus()
      broadcast(show().webContents, 'menu.command', { command: 'showRuns' })
    },
  })
  const menuActions = actionsOf(studio, leaving, () => window)

  lockSession(session.defaultSession)
  app.on('web-contents-created', (_event, contents) => lockContents(contents))
  serveApp(session.defaultSession, join(import.meta.dirname, '../renderer'))
  serveImages(session.defaultSession, studio.images)
  handleChannels(studio.handlers, (thrown) => studio.workspaces.explain(thrown))
  updateMenu(studio, menuActions)
  survivesHelpers()
  app.on('second-instance', (_event, argv) => {
    if (window?.isMinimized()) window.restore()
    show().focus()
    openNamed(studio, argv)
  })
  app.on('open-file', (event, path) => {
    event.preventDefault()
    openNamed(studio, [path])
  })
  app.on('activate', show)

  const first = show()
  studio.start()
  first.once('show', () => void forgetTelemetry())
  openNamed(studio, process.argv)
  if (isDemoRun) app.exit(await runDemo(studio, first, resources, demo))
}

/** Takes away what ONNX Runtime's telemetry wrote before it was switched off. */
async function forgetTelemetry(): Promise<void> {
  const gone = await removeTelemetryRemains(telemetryFolders(app.getPath('home'), app.getPath('temp')))
  if (gone.length > 0) logger.info(`removed what the telemetry of ONNX Runtime had left: ${gone.join(', ')}`)
}

/** What nobody caught is logged and shown; without this Electron halts everything, runs included, for a stack in a dialog. */
function keepGoing(studio: Studio): void {
  // A reader of the output that has gone (`npm run demo | head`) is no reason to end, and none to log into that output.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  process.on('uncaughtException', (thrown) => {
    logger.error('uncaught exception', thrown)
    studio.attempt(() => Promise.reject(thrown))
  })
}

/** The window, brought back when its page ends, and not closed without a question while a run is under way. */
function openCaredFor(settings: SettingsFile, studio: Studio, leaving: Leaving): BrowserWindow {
  const window = openWindow(settings)
  leaving.guard(window)
  careFor(window, {
    ...{ load: loadPage, logFolder, mayAsk: !isDemoRun, end: leaving.end },
    onRedrawn: () =>
      studio.notices.tell({
        about: 'window',
        title: 'The window had to be drawn again.',
        text: studio.runs.underWay() ? 'Your run went on meanwhile; nothing was lost.' : 'Nothing stored was lost.',
      }),
  })
  return window
}

/** Opens the workspace file that the app was started with, by a double click on it for example. */
function openNamed(studio: Studio, argv: readonly string[]): void {
  const path = argv.find((argument) => argument.endsWith('.fisao'))
  if (path !== undefined) studio.attempt(() => studio.openWorkspace(resolve(path)))
}

let menuShows = ''

/** Builds the menu again when what it shows has changed. */
function updateMenu(studio: Studio, actions: MenuActions): void {
  const { workspace, appearance, recentWorkspaces } = studio.state()
  const state = { workspaceOpen: workspace !== null, appearance, recentWorkspaces }
  if (JSON.stringify(state) === menuShows) return
  menuShows = JSON.stringify(state)
  installMenu(state, actions)
}

function actionsOf(studio: Studio, leaving: Leaving, window: () => BrowserWindow | null): MenuActions {
  const tell = (command: EventPayload<'menu.command'>['command']) => () =>
    broadcast(window()?.webContents, 'menu.command', { command })
  return {
    newWorkspace: () => studio.attempt(() => studio.pickNewWorkspace()),
    openWorkspace: () => studio.attempt(() => studio.pickWorkspace()),
    openRecent: (path) => studio.attempt(() => studio.openWorkspace(path)),
    openDemo: () => studio.attempt(() => studio.openDemo()),
    closeWorkspace: () => studio.attempt(() => studio.closeWorkspace()),
    quit: leaving.quit,
    importFolder: tell('importFolder'),
    showHome: tell('showHome'),
    showImages: tell('showImages'),
    showRuns: tell('showRuns'),
    showModels: tell('showModels'),
    showSettings: tell('showSettings'),
    showShortcuts: tell('showShortcuts'),
    find: tell('find'),
    setAppearance: (appearance) => studio.setAppearance(appearance),
    showLogs: () => void showFolder(logFolder),
    showLicences: () => void showFolder(join(resources, 'NOTICE')),
  }
}
