// What the renderer may not do: no network, no permissions, no navigation, no new windows.
import { app, type Session, shell, type WebContents } from 'electron'
import { logger } from './log.ts'
import { appScheme, imageScheme } from './protocols.ts'

/** Where the development server of `npm run dev` serves the renderer; undefined in a built app. */
export const devServerUrl = app.isPackaged ? undefined : process.env.ELECTRON_RENDERER_URL

const ownSchemes = new Set([`${appScheme}:`, `${imageScheme}:`, 'data:', 'blob:', 'devtools:'])

/** True for addresses that stay inside the app; what is no address at all does not. */
export function isOwnAddress(address: string): boolean {
  const url = URL.parse(address)
  if (url === null) return false
  if (ownSchemes.has(url.protocol)) return true
  if (devServerUrl === undefined) return false
  const dev = new URL(devServerUrl)
  return url.host === dev.host && ['http:', 'ws:'].includes(url.protocol)
}

/** True when a message's sender is the app's own page; a frame without an address (yet) is not. */
export function isOwnPage(address: string): boolean {
  const url = URL.parse(address)
  if (url?.protocol === `${appScheme}:` && url.host === 'studio') return true
  return devServerUrl !== undefined && url?.host === new URL(devServerUrl).host
}

/** Chromium switches that keep its own services off the network; set before `ready`. */
export function silenceChromium(): void {
  for (const name of [
    'disable-background-networking',
    'disable-component-update',
    'disable-domain-reliability',
    'no-pings',
  ]) {
    app.commandLine.appendSwitch(name)
  }
  // Not even a hint in the page (`<link rel=dns-prefetch>`) reaches the resolver.
  app.commandLine.appendSwitch('blink-settings', 'dnsPrefetchingEnabled=false')
  // Neither a proxy of the system nor a search for one (WPAD) is asked.
  app.commandLine.appendSwitch('no-proxy-server')
  // Whatever else wants to look a name up is told that there is none, before a packet is sent.
  app.commandLine.appendSwitch('host-resolver-rules', 'MAP * ~NOTFOUND, EXCLUDE localhost')
  app.commandLine.appendSwitch(
    'disable-features',
    'SpareRendererForSitePerProcess,MediaRouter,OptimizationHints,WebRtcHideLocalIpsWithMdns',
  )
}

/** Addresses outside the app that something asked for; all were refused. */
export const refusedAddresses: string[] = []

/** Refuses every request that is not the app's own, and every permission. */
export function lockSession(session: Session): void {
  session.webRequest.onBeforeRequest((details, decide) => {
    const cancel = !isOwnAddress(details.url)
    if (cancel) {
      refusedAddresses.push(details.url)
      logger.warn(`refused a request to ${details.url}`)
    }
    decide({ cancel })
  })
  session.setPermissionRequestHandler((_contents, _permission, decide) => decide(false))
  session.setPermissionCheckHandler(() => false)
  session.setDevicePermissionHandler(() => false)
  // A spelling dictionary would be downloaded.
  session.setSpellCheckerLanguages([])
  session.setSpellCheckerEnabled(false)
}

/** Refuses navigation, new windows and embedded pages. */
export function lockContents(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }))
  // A call would send packets past `webRequest`; without a proxy, and there is none, this leaves it no way to send.
  contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp')
  contents.on('will-navigate', (event) => {
    if (!isOwnPage(event.url)) event.preventDefault()
  })
  contents.on('will-frame-navigate', (event) => {
    if (!isOwnPage(event.url)) event.preventDefault()
  })
  contents.on('will-attach-webview', (event) => event.preventDefault())
}

/** Opens a folder of the app's own in the file manager. */
export async function showFolder(folder: string): Promise<void> {
  const problem = await shell.openPath(folder)
  if (problem) logger.warn(`could not show ${folder}: ${problem}`)
}
