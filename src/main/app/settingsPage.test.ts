// The settings of the app in a real file: old and damaged ones, what is in use of what was chosen, and the cache.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { DeviceReport, HardwareReport } from '../../shared/hardware.ts'
import { SettingsFile } from './settingsFile.ts'
import { deviceInUse, SettingsPage } from './settingsPage.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const device = (name: DeviceReport['device'], state: DeviceReport['state']): DeviceReport => ({
  ...{ device: name, state, gemmGflops: null, relativeError: null, reason: `${name} is ${state}.` },
})
const hardware: HardwareReport = {
  ...{
    chosen: 'webgpu',
    reason: '',
    devices: [device('webgpu', 'right'), device('cpu', 'right'), device('cuda', 'wrong')],
  },
  ...{ cpuModel: '', cpuCores: 2, memoryBytes: 1, onnxruntimeVersion: '', measuredAtMs: 1 },
}

function bench(
  stored?: string,
  { found = hardware as HardwareReport | null, isRunUnderWay = false, isModelInUse = (): boolean => false } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'fisao-settings-'))
  folders.push(folder)
  const path = join(folder, 'settings.json')
  if (stored !== undefined) writeFileSync(path, stored)
  const problems: string[] = []
  const settings = new SettingsFile(path, (problem) => problems.push(problem))
  const page = new SettingsPage({
    ...{ settings, hardware: () => found, isRunUnderWay: () => isRunUnderWay, dataFolder: folder },
    isModelInUse,
    clearBrowserCache: async () => rmSync(join(folder, 'Cache'), { recursive: true, force: true }),
    onChange: () => undefined,
  })
  return { folder, path, page, problems, reopened: () => new SettingsFile(path, () => undefined).get() }
}

describe('settings', () => {
  test('a file of before is read, and what it does not know falls to the app', () => {
    const { page, problems } = bench('{"appearance":"dark","recentWorkspaces":[]}')
    expect(page.view().chosen).toEqual({ appearance: 'dark', device: null, threads: null })
    expect(page.view()).toMatchObject({ deviceInUse: 'webgpu', deviceNote: null, devices: ['webgpu', 'cpu'] })
    expect(problems).toEqual([])
  })

  test('bad values cost no others, and a damaged file is survived and told', () => {
    const bad = bench('{"appearance":"dark","device":"abacus","threads":-3}')
    expect(bad.page.view().chosen).toEqual({ appearance: 'dark', device: null, threads: null })
    const damaged = bench('{"appearance":"da')
    expect(damaged.page.view().chosen.appearance).toBe('system')
    expect(damaged.problems).toHaveLength(1)
  })

  test('what is chosen is stored, and what is not given stays', () => {
    const { page, reopened } = bench()
    page.set({ device: 'cpu', threads: 3 })
    page.set({ appearance: 'light' })
    expect(reopened()).toMatchObject({ appearance: 'light', device: 'cpu', threads: 3 })
    expect(page.set({ device: null }).settings).toMatchObject({
      chosen: { device: null, threads: 3 },
      deviceInUse: 'webgpu',
    })
  })

  test('a device that is not right is refused with the reason', () => {
    const { page, reopened } = bench()
    expect(() => page.set({ device: 'cuda' })).toThrow('cuda is wrong.')
    expect(() => page.set({ device: 'dml' })).toThrow('cannot be used')
    expect(reopened().device).toBeNull()
    expect(() => bench(undefined, { found: null }).page.set({ device: 'cpu' })).toThrow('still being measured')
  })

  test('one that is right no longer gives way to the fastest that is, and it is said', () => {
    expect(deviceInUse('cuda', hardware)).toEqual({
      ...{ deviceInUse: 'webgpu', deviceNote: 'cuda was chosen and cannot be used now. cuda is wrong.' },
    })
    expect(deviceInUse('cuda', null)).toEqual({ deviceInUse: null, deviceNote: null })
  })

  test('during a run it says that device and threads come with the next one, and appearance at once', () => {
    const { page } = bench(undefined, { isRunUnderWay: true })
    expect(page.set({ threads: 2 }).note).toContain('next one')
    expect(page.set({ threads: 2 }).note).toBeNull()
    expect(page.set({ appearance: 'dark' }).note).toBeNull()
    expect(bench().page.set({ threads: 2 }).note).toBeNull()
  })

  test('the cache is what can be made again, and clearing says what it gave back', async () => {
    const { page, folder } = bench()
    expect(await page.cacheSize()).toBe(0)
    mkdirSync(join(folder, 'Cache/deep'), { recursive: true })
    mkdirSync(join(folder, 'GPUCache'))
    writeFileSync(join(folder, 'Cache/deep/a'), Buffer.alloc(1000))
    writeFileSync(join(folder, 'GPUCache/b'), Buffer.alloc(50))
    writeFileSync(join(folder, 'kept'), Buffer.alloc(7))
    expect(await page.cacheSize()).toBe(1050)
    expect(await page.clearCache()).toBe(1000)
    expect(await page.cacheSize()).toBe(50)
  })

  test('models that were made ready are emptied too, unless one may be open', async () => {
    let isOpen = true
    const { page, folder } = bench(undefined, { isModelInUse: () => isOpen })
    const model = join(folder, 'ModelCache/0123-int8')
    mkdirSync(model, { recursive: true })
    writeFileSync(join(model, 'model.safetensors'), Buffer.alloc(300))
    expect(await page.cacheSize()).toBe(300)
    expect(await page.clearCache()).toBe(0)
    isOpen = false
    expect(await page.clearCache()).toBe(300)
    expect(existsSync(join(folder, 'ModelCache'))).toBe(false)
  })
})
