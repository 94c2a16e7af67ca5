// The settings page: what a person chose, what of it is in use, and the cache. Before it stand the settings file and the
// device probe, after it runQueue.ts, describes.ts and evaluations.ts, which ask for device and threads of what comes next.
import { readdir, rm, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { modelCacheFolder } from '../../shared/baseFormat.ts'
import type { Result } from '../../shared/contract.ts'
import { StudioError } from '../../shared/errors.ts'
import type { DeviceName, HardwareReport } from '../../shared/hardware.ts'
import { type ChosenSettings, privacySentence, type SettingsView } from '../../shared/settings.ts'
import type { SettingsFile } from './settingsFile.ts'

/** Folders of the app's data that hold nothing but what is made again: models made ready to be computed with (engine/models/baseFile.ts), pictures,
 * compiled pages and shaders. */
const cacheFolders = [
  modelCacheFolder,
  'Cache',
  'Code Cache',
  'GPUCache',
  'DawnGraphiteCache',
  'DawnWebGPUCache',
  'GrShaderCache',
  'ShaderCache',
]

export interface SettingsPageOptions {
  readonly settings: SettingsFile
  readonly hardware: () => HardwareReport | null
  /** Whether the engine may have a model open whose files are in the cache. */
  readonly isModelInUse: () => boolean
  /** Whether a run is being carried out, which keeps the device and threads that it began with. */
  readonly isRunUnderWay: () => boolean
  /** The app's data, in which the cache lies. */
  readonly dataFolder: string
  /** Empties the parts that the browser engine keeps open. */
  readonly clearBrowserCache: () => Promise<void>
  readonly onChange: (settings: ChosenSettings) => void
}

export class SettingsPage {
  readonly #options: SettingsPageOptions

  constructor(options: SettingsPageOptions) {
    this.#options = options
  }

  view(): SettingsView {
    const { settings, hardware, dataFolder } = this.#options
    const { appearance, device, threads } = settings.get()
    const found = hardware()
    return {
      chosen: { appearance, device, threads },
      devices: rightDevices(found),
      ...deviceInUse(device, found),
      ...{ cores: availableParallelism(), cacheFolder: dataFolder, privacy: privacySentence },
    }
  }

  /** @throws StudioError `device.not-usable` for a device that the probe did not find right */
  set(changes: Partial<ChosenSettings>): Result<'settings.set'> {
    const { settings, hardware, isRunUnderWay, onChange } = this.#options
    const before = settings.get()
    const { appearance = before.appearance, device = before.device, threads = before.threads } = changes
    if (device !== null && device !== before.device) requireRight(device, hardware())
    settings.update({ appearance, device, threads })
    onChange({ appearance, device, threads })
    const concernsRuns = device !== before.device || threads !== before.threads
    return { settings: this.view(), note: concernsRuns && isRunUnderWay() ? laterNote : null }
  }

  async cacheSize(): Promise<number> {
    const sizes = await Promise.all(cacheFolders.map((name) => sizeOf(join(this.#options.dataFolder, name))))
    return sizes.reduce((sum, size) => sum + size, 0)
  }

  /** Models stay where one may be open. @returns bytes that it gave back */
  async clearCache(): Promise<number> {
    const { clearBrowserCache, isModelInUse, dataFolder } = this.#options
    const before = await this.cacheSize()
    await clearBrowserCache()
    // Where a system keeps files that are open, what is left goes the next time.
    if (!isModelInUse())
      await rm(join(dataFolder, modelCacheFolder), { recursive: true, force: true }).catch(() => undefined)
    return Math.max(0, before - (await this.cacheSize()))
  }
}

const laterNote = 'The run that is under way goes on as it began; device and threads change with the next one.'

/** The device for the next run: the chosen one where it is right, else the fastest one that is, with the reason. */
export function deviceInUse(
  chosen: DeviceName | null,
  hardware: HardwareReport | null,
): Pick<SettingsView, 'deviceInUse' | 'deviceNote'> {
  if (!hardware) return { deviceInUse: null, deviceNote: null }
  if (chosen === null || rightDevices(hardware).includes(chosen)) {
    return { deviceInUse: chosen ?? hardware.chosen, deviceNote: null }
  }
  const report = hardware.devices.find(({ device }) => device === chosen)
  const why = report?.reason ?? 'It is not offered on this machine.'
  return { deviceInUse: hardware.chosen, deviceNote: `${chosen} was chosen and cannot be used now. ${why}` }
}

function rightDevices(hardware: HardwareReport | null): DeviceName[] {
  return (hardware?.devices ?? []).filter(({ state }) => state === 'right').map(({ device }) => device)
}

function requireRight(device: DeviceName, hardware: HardwareReport | null): void {
  const right = rightDevices(hardware)
  if (right.includes(device)) return
  const reason = hardware?.devices.find((one) => one.device === device)?.reason
  throw new StudioError({
    code: 'device.not-usable',
    message: hardware
      ? `The device ${device} cannot be used on this machine.${reason === undefined ? '' : ` ${reason}`}`
      : 'The devices of this machine are still being measured.',
    remedy: hardware ? 'Choose another device, or let the app choose.' : 'Wait a moment, then choose again.',
    expected: right.join(', '),
    found: device,
  })
}

/** Bytes of all files below a folder; 0 where there is none. Links are not followed. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const sizes = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return await sizeOf(path)
      // A file that goes away meanwhile takes nothing any more.
      return entry.isFile() ? ((await stat(path).catch(() => null))?.size ?? 0) : 0
    }),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
