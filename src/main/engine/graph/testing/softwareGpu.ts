// Runs a script with WebGPU on the software adapter that the development runtime carries: a process of its own,
// because the adapter must be named in the environment before ONNX Runtime looks for one.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const distPath = process.env.FISAO_RUNTIME_DIST ?? ''
const adapter = join(distPath, 'vk_swiftshader_icd.json')
const root = join(import.meta.dirname, '../../../../..')

/** Whether this machine's runtime brings the adapter. */
export const hasSoftwareGpu = process.platform === 'linux' && existsSync(adapter)

/** The JSON lines that the script printed. @throws Error when it fails or takes longer */
export function linesOf<Line>(script: string, args: readonly string[], timeoutMs: number): Line[] {
  const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/esm/index.mjs')).href
  const output = execFileSync(process.execPath, ['--import', tsx, script, ...args], {
    env: { ...process.env, VK_ICD_FILENAMES: adapter, LD_LIBRARY_PATH: distPath },
    encoding: 'utf8',
    timeout: timeoutMs,
  })
  return output
    .trim()
    .split('\n')
    .map((line): Line => JSON.parse(line))
}
