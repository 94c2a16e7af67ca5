// Builds the app, and its command without a window, into out/ unless the last build was made from the very same sources.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { projectRoot, runEntry, runProgram } from './runProgram.ts'
import { withLock } from './setup/cache.ts'
import { runtimeEnvironment, setUp } from './setup.ts'

const stampFile = join(projectRoot, 'out', '.stamp')
const inputs = [
  'src',
  'electron.vite.config.ts',
  'headless.vite.config.ts',
  'package.json',
  'package-lock.json',
  'tsconfig.base.json',
]

/** Path of a package's command, so that it can be run by Node without a shell. */
export function packageBin(name: string, command = name): string {
  const folder = join(projectRoot, 'node_modules', name)
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return join(folder, typeof bin === 'string' ? bin : bin[command])
}

/** The app; and out/headless, which plain Node runs. */
const builds: readonly (readonly string[])[] = [
  [packageBin('electron-vite'), 'build'],
  [packageBin('vite'), 'build', '-c', join(projectRoot, 'headless.vite.config.ts')],
]

/**
 * Builds when needed. Of two commands at once, one builds and the other waits for it.
 * @param env as `runtimeEnvironment` gives it: it names the Electron to build for
 * @returns whether it built
 * @throws Error when the build failed; its output has been printed
 */
export async function build(env: NodeJS.ProcessEnv): Promise<boolean> {
  const isCurrent = () => existsSync(stampFile) && readFileSync(stampFile, 'utf8') === fingerprint(env)
  if (isCurrent()) return false
  const checkout = createHash('sha256').update(projectRoot).digest('hex').slice(0, 12)
  return await withLock(`build-${checkout}`, async () => {
    if (isCurrent()) return false
    // Taken before the build, so that a file that changes meanwhile leads to another one.
    const stamp = fingerprint(env)
    rmSync(stampFile, { force: true })
    for (const args of builds) {
      const code = await runProgram(process.execPath, [...args, '--logLevel', 'warn'], { env })
      if (code !== 0) throw new Error('the build failed; the lines above say where')
    }
    writeFileSync(stampFile, stamp)
    return true
  })
}

/** Names, sizes and times of everything that goes into a build, and the Electron it is for. */
function fingerprint(env: NodeJS.ProcessEnv): string {
  const hash = createHash('sha256').update(`Electron ${env.ELECTRON_MAJOR_VER}\n`)
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
  await runEntry(async () => {
    const hasBuilt = await build(runtimeEnvironment(await setUp()))
    process.stdout.write(hasBuilt ? 'built out/\n' : 'out/ is up to date\n')
    return 0
  })
}
