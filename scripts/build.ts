// Builds the app into out/ unless the last build was made from the very same sources.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export const projectRoot = join(import.meta.dirname, '..')
const stampFile = join(projectRoot, 'out', '.stamp')
const inputs = ['src', 'electron.vite.config.ts', 'package-lock.json', 'tsconfig.base.json']

/** Path of a package's command, so that it can be run by Node without a shell. */
export function packageBin(name: string, command = name): string {
  const folder = join(projectRoot, 'node_modules', name)
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return join(folder, typeof bin === 'string' ? bin : bin[command])
}

/**
 * Builds when needed.
 * @returns whether it built
 * @throws Error when the build failed; its output has been printed
 */
export function build(env: NodeJS.ProcessEnv = process.env): boolean {
  const stamp = fingerprint()
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return false
  const { status } = spawnSync(process.execPath, [packageBin('electron-vite'), 'build', '--logLevel', 'warn'], {
    cwd: projectRoot,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0) throw new Error('the build failed; the lines above say where')
  writeFileSync(stampFile, stamp)
  return true
}

/** Names, sizes and times of everything that goes into a build. */
function fingerprint(): string {
  const hash = createHash('sha256')
  for (const file of inputs.flatMap((input) => filesUnder(join(projectRoot, input))).sort()) {
    const { size, mtimeMs } = statSync(file)
    hash.update(`${file}\0${size}\0${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

function filesUnder(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdout.write(build() ? 'built out/\n' : 'out/ is up to date\n')
}
