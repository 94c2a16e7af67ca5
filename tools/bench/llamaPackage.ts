// node-llama-cpp at one version, with the binary that its makers built for this platform's processor, from the npm registry into
// the user's cache: it serves comparisons only, so the project does not depend on it. Nothing is compiled. Before it stands
// llama.ts.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { modelCache } from '../../src/main/engine/models/modelCache.ts'

export const llamaVersion = '3.21.1'

/** By platform and architecture. */
const binaries: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64',
  'win32-arm64': 'win-arm64',
}

/** What the bench uses of the package's own types. */
export interface LlamaPackage {
  getLlama(options: Record<string, unknown>): Promise<Llama>
}
export interface Llama {
  loadModel(options: { modelPath: string; gpuLayers: number }): Promise<LlamaModel>
  dispose(): Promise<void>
}
export interface LlamaModel {
  createContext(options: Record<string, unknown>): Promise<LlamaContext>
  dispose(): Promise<void>
}
export interface LlamaContext {
  getSequence(): LlamaSequence
}
type Asked = number | [token: number, options: { generateNext: { token: true } }]
export interface LlamaSequence {
  controlledEvaluate(tokens: Asked[]): Promise<({ next: { token: number } } | undefined)[]>
  eraseContextTokenRanges(ranges: { start: number; end: number }[]): Promise<void>
  readonly nextTokenIndex: number
}

/** @throws Error where no binary is built for this platform, and what npm says when it fails */
export async function llamaPackage(): Promise<LlamaPackage> {
  const platform = `${process.platform}-${process.arch}`
  const binary = binaries[platform]
  if (binary === undefined) throw new Error(`node-llama-cpp has no binary for ${platform}.`)
  const folder = join(dirname(modelCache()), 'Bench', `node-llama-cpp-${llamaVersion}`)
  const entry = join(folder, 'node_modules/node-llama-cpp/dist/index.js')
  if (!existsSync(entry)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    // Scripts would compile; the other optional packages are binaries for GPUs.
    const options = [
      '--ignore-scripts',
      '--omit=optional',
      '--no-audit',
      '--no-fund',
      '--save-exact',
      '--no-package-lock',
    ]
    const packages = [`node-llama-cpp@${llamaVersion}`, `@node-llama-cpp/${binary}@${llamaVersion}`]
    execFileSync('npm', ['install', ...options, ...packages], {
      cwd: folder,
      stdio: 'inherit',
      shell: process.platform === 'win32',
    })
  }
  return (await import(pathToFileURL(entry).href)) as LlamaPackage
}
