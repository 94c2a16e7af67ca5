// The application menu and its shortcuts, as each platform expects them.
import { app, Menu, type MenuItemConstructorOptions } from 'electron'
import type { Appearance, RecentWorkspace } from '../shared/settings.ts'
import { shortcuts } from '../shared/shortcuts.ts'

/** What the menu can set off. */
export interface MenuActions {
  newWorkspace(): void
  openWorkspace(): void
  openRecent(path: string): void
  openDemo(): void
  closeWorkspace(): void
  quit(): void
  importFolder(): void
  showHome(): void
  showImages(): void
  showRuns(): void
  showModels(): void
  showSettings(): void
  showShortcuts(): void
  find(): void
  setAppearance(appearance: Appearance): void
  showLogs(): void
  showLicences(): void
}

export interface MenuState {
  readonly workspaceOpen: boolean
  readonly appearance: Appearance
  readonly recentWorkspaces: readonly RecentWorkspace[]
}

/** Builds and installs the menu; called again whenever its state changes. */
export function installMenu(state: MenuState, actions: MenuActions): void {
  const onMac = process.platform === 'darwin'
  const template: MenuItemConstructorOptions[] = [
    ...(onMac ? [{ role: 'appMenu' } as const] : []),
    fileMenu(state, actions, onMac),
    { role: 'editMenu' },
    viewMenu(state, actions),
    { role: 'windowMenu' },
    {
      role: 'help',
      submenu: [
        { label: 'Keyboard Shortcuts', click: actions.showShortcuts },
        { label: 'Show Logs', click: actions.showLogs },
        { label: 'Licences', click: actions.showLicences },
        ...(onMac ? [] : [{ type: 'separator' } as const, { role: 'about' } as const]),
      ],
    },
  ]
  Menu.setApplicationMenu(Menu.buildFromTemplate(template))
}

function fileMenu(state: MenuState, actions: MenuActions, onMac: boolean): MenuItemConstructorOptions {
  const { workspaceOpen, recentWorkspaces } = state
  return {
    label: '&File',
    submenu: [
      { label: 'New Workspace…', accelerator: shortcuts.newWorkspace.keys[0], click: actions.newWorkspace },
      { label: 'Open Workspace…', accelerator: shortcuts.openWorkspace.keys[0], click: actions.openWorkspace },
      {
        label: 'Open Recent',
        enabled: recentWorkspaces.length > 0,
        submenu: recentWorkspaces.map(({ name, path }) => ({
          label: name.replaceAll('&', '&&'),
          toolTip: path,
          click: () => actions.openRecent(path),
        })),
      },
      { label: 'Open the Demo', click: actions.openDemo },
      { type: 'separator' },
      {
        label: 'Add a Folder of Images…',
        accelerator: shortcuts.importFolder.keys[0],
        enabled: workspaceOpen,
        click: actions.importFolder,
      },
      { type: 'separator' },
      { label: 'Settings', accelerator: shortcuts.settings.keys[0], click: actions.showSettings },
      { type: 'separator' },
      {
        label: 'Close Workspace',
        accelerator: shortcuts.closeWorkspace.keys[0],
        enabled: workspaceOpen,
        click: actions.closeWorkspace,
      },
      onMac
        ? { role: 'close' }
        : {
            label: process.platform === 'win32' ? 'Exit' : 'Quit',
            ...(process.platform !== 'win32' && { accelerator: 'CmdOrCtrl+Q' }),
            click: actions.quit,
          },
    ],
  }
}

function viewMenu({ workspaceOpen, appearance }: MenuState, actions: MenuActions): MenuItemConstructorOptions {
  const labels = { system: 'As the System', light: 'Light', dark: 'Dark' } as const
  return {
    label: '&View',
    submenu: [
      { label: 'Home', accelerator: shortcuts.home.keys[0], click: actions.showHome },
      { label: 'Images', accelerator: shortcuts.images.keys[0], enabled: workspaceOpen, click: actions.showImages },
      { label: 'Runs', accelerator: shortcuts.runs.keys[0], enabled: workspaceOpen, click: actions.showRuns },
      { label: 'Models', accelerator: shortcuts.models.keys[0], enabled: workspaceOpen, click: actions.showModels },
      { label: 'Search Images', accelerator: shortcuts.find.keys[0], enabled: workspaceOpen, click: actions.find },
      { type: 'separator' },
      {
        label: 'Appearance',
        submenu: (['system', 'light', 'dark'] as const).map((choice) => ({
          label: labels[choice],
          type: 'radio',
          checked: appearance === choice,
          click: () => actions.setAppearance(choice),
        })),
      },
      { type: 'separator' },
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      { type: 'separator' },
      { role: 'togglefullscreen' },
      ...(app.isPackaged ? [] : ([{ role: 'reload' }, { role: 'toggleDevTools' }] as const)),
    ],
  }
}
