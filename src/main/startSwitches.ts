// Which words of the command line the packaged app starts with. Before it: nothing; after it startCheck.ts, which acts.

/** The demo's own switches (demo.ts), and the folder for settings of its own. */
const ofTheProduct = [
  ...['demo', 'out', 'seed', 'preset', 'reward', 'calibration', 'images', 'steps', 'held-out', 'model', 'device'],
  ...['resume', 'force', 'placebo', 'user-data-dir'],
]

/** What desktops, packagers and people with a troublesome display put on the command line; no more than a picture. */
const ofTheDesktop = [
  ...['ozone-platform', 'ozone-platform-hint', 'gtk-version', 'enable-wayland-ime', 'wayland-text-input-version'],
  ...['force-device-scale-factor', 'high-dpi-support', 'force-renderer-accessibility', 'lang', 'class'],
  ...['disable-gpu', 'disable-gpu-compositing', 'disable-software-rasterizer', 'original-process-start-time'],
]

/** Features that `.desktop` files switch on; any other could be one that opens a door. */
const desktopFeatures = new Set(['UseOzonePlatform', 'WaylandWindowDecorations', 'WaylandLinuxDrmSyncobj'])

const byPlatform: Partial<Record<NodeJS.Platform, RegExp>> = {
  // The process serial number that older Finders hand over.
  darwin: /^-psn_\d+_\d+$/,
  win32: /^--squirrel-(install|updated|obsolete|uninstall|firstrun)$/,
}

export interface StartedBy {
  readonly platform: NodeJS.Platform
  /** Root on Linux has no user namespaces to build a sandbox from. */
  readonly isRoot: boolean
}

/**
 * The first word that the packaged app does not start with, or null. An allow-list, because Chromium has hundreds of
 * switches and a new one with each version: one that attaches a debugger, loads code, lifts the sandbox, names a proxy
 * or logs what the app does looks like any other.
 * @param words of the command line, without the executable
 */
export function refusedWord(words: readonly string[], startedBy: StartedBy): string | null {
  return words.find((word) => !isAllowed(word, startedBy)) ?? null
}

function isAllowed(word: string, { platform, isRoot }: StartedBy): boolean {
  // Chromium takes one dash for two, and on Windows a slash, in any case. A lone dash or two name no switch, but what
  // stands behind two is no longer read as one by Chromium, and by others it is.
  const prefix = (platform === 'win32' ? /^(--?|\/)/ : /^--?/).exec(word)?.[0]
  if (prefix === undefined) return true
  if (byPlatform[platform]?.test(word)) return true
  const [name = '', value = ''] = word.slice(prefix.length).split(/=(.*)/s)
  if (prefix !== '--') return false
  if (name === 'no-sandbox') return platform === 'linux' && isRoot
  if (name === 'enable-features') return value.split(',').every((feature) => desktopFeatures.has(feature))
  return ofTheProduct.includes(name) || ofTheDesktop.includes(name)
}

/** The sentence for a person. */
export function refusalOf(word: string): string {
  const name = word.split('=')[0]?.slice(0, 80)
  return `FiSAO Studio did not start: "${name}" is not one of its switches, and such a switch could open it to other programs. Start it without "${name}".`
}
