// The same forward and backward graphs on WebGPU, through the software adapter that the development runtime carries.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { cases } from './testing/cases.ts'
import type { Comparison } from './testing/compareDevices.ts'

const distPath = process.env.FISAO_RUNTIME_DIST ?? ''
const adapter = join(distPath, 'vk_swiftshader_icd.json')
const root = join(import.meta.dirname, '../../../..')

test.runIf(process.platform === 'linux' && existsSync(adapter))(
  'WebGPU agrees with the CPU to 1e-3 on every rule',
  () => {
    const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/esm/index.mjs')).href
    const script = join(import.meta.dirname, 'testing/compareDevices.ts')
    const env = { ...process.env, VK_ICD_FILENAMES: adapter, LD_LIBRARY_PATH: distPath }
    const output = execFileSync(process.execPath, ['--import', tsx, script], {
      env,
      encoding: 'utf8',
      timeout: 110_000,
    })
    const compared = output
      .trim()
      .split('\n')
      .map((line): Comparison => JSON.parse(line))
    expect(compared.map(({ name }) => name)).toEqual(cases.map(({ name }) => name))
    expect(compared.filter(({ relativeError }) => !(relativeError < 1e-3))).toEqual([])
  },
  120_000,
)
