// Electron's fuses, for the packaged app and for the development runtime: switches inside the executable that
// nobody can turn at run time (https://www.electronjs.org/docs/latest/tutorial/fuses).
import { type FuseConfig, FuseV1Options, FuseVersion } from '@electron/fuses'

/**
 * The packaged app: it runs its own archive and nothing else, and no Node debugger attaches to it. Fuses know nothing of
 * Chromium's switches, with which DevTools would attach all the same: those are refused by src/main/startCheck.ts.
 */
export const packagedFuses: FuseConfig = {
  version: FuseVersion.V1,
  [FuseV1Options.RunAsNode]: false,
  [FuseV1Options.EnableCookieEncryption]: true,
  [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
  [FuseV1Options.EnableNodeCliInspectArguments]: false,
  [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
  [FuseV1Options.OnlyLoadAppFromAsar]: true,
  [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
  [FuseV1Options.GrantFileProtocolExtraPrivileges]: false,
}

/** The registry's runtime, as development needs it: Playwright attaches to it, unit tests run on its Node. */
export const developmentFuses: FuseConfig = {
  version: FuseVersion.V1,
  [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
  [FuseV1Options.EnableNodeCliInspectArguments]: true,
  [FuseV1Options.RunAsNode]: true,
}
