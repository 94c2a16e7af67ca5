// The step `install` of `npm test`: builds the .deb packages, installs them into a clean Debian and uses the program there
// as a person would, the sandbox on and without a network. Where that cannot be done it says why and counts nothing.
// `tsx scripts/installers/installTest.ts [--starts N]` runs it alone, and times N starts.
import { spawn } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { networkCalls, systemCalls } from '../../e2e/systemCalls.ts'
import { sceneFolder } from '../../tools/scenes/sceneFolder.ts'
import { projectRoot, runEntry } from '../runProgram.ts'
import { cached } from '../setup/cache.ts'
import { runCommand } from '../setup/runCommand.ts'
import { installPackages, isOnPath, runtimePackages } from '../setup/systemLibraries.ts'
import { printSetUp } from '../setup.ts'
import { dist } from './dist.ts'

/** What a step came to, as scripts/test.ts counts. */
interface Count {
  readonly passed: number
  readonly failed: number
}

const suite = 'bookworm'
const mirror = 'http://deb.debian.org/debian'
/** A clean Debian with the libraries that the package names, and what a test looks with. */
const inside = [...runtimePackages, 'xvfb', 'xdotool', 'strace', 'desktop-file-utils', 'procps']
const rootTimeoutMs = 240_000
const testTimeoutMs = 240_000

/** Why the test cannot be run here, or null. */
async function reasonAgainst(): Promise<string | null> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'it needs Linux on x64'
  if (process.getuid?.() !== 0) return 'only root can make the root directory of a clean Debian'
  if (!existsSync('/etc/debian_version')) return 'it needs Debian or Ubuntu'
  const works = await runCommand('unshare', ['--mount', '--pid', '--net', '--fork', 'true']).catch((e: unknown) => e)
  return works instanceof Error
    ? `this machine lets nobody make namespaces: ${works.message.split('\n')[1] ?? ''}`
    : null
}

/** Clean Debian, made once and kept in the cache. @throws Error when Debian's packages cannot be had in time */
async function cleanRoot(print: (line: string) => void): Promise<string> {
  const folder = await cached(`debian-${suite}-2`, 'root/usr/bin/xdotool', async (target) => {
    print(`making a clean Debian ${suite} (once, a minute or two)`)
    // Nothing has to survive a power cut, and nobody reads manuals there.
    const dpkg = ['force-unsafe-io', 'path-exclude=/usr/share/man/*', 'path-exclude=/usr/share/locale/*']
    const options = [
      ...['--variant=minbase', '--quiet', `--include=${inside.join(',')}`],
      ...dpkg.map((one) => `--dpkgopt=${one}`),
    ]
    await runCommand('mmdebstrap', [...options, suite, join(target, 'root'), mirror], { timeoutMs: rootTimeoutMs })
  })
  return join(folder, 'root')
}

/**
 * Runs the test. @param starts how often the start is timed beside it
 * @returns its counts; both 0 where it cannot be run
 */
export async function installTest(starts = 0, print = printSetUp): Promise<Count> {
  const against = await reasonAgainst()
  if (against !== null) return skipped(against)
  const folder = mkdtempSync(join(tmpdir(), 'fisao-install-'))
  try {
    const missing = ['mmdebstrap', 'strip', 'dpkg-deb'].filter((command) => !isOnPath(command))
    if (missing.length > 0) await installPackages(['mmdebstrap', 'binutils', 'dpkg'], print)
    const root = await cleanRoot(print)
    const debs = join(folder, 'debs')
    await dist({ out: debs, fast: true, only: ['deb'] }, print)
    const { images } = await sceneFolder(20263, 12)
    cpSync(dirname(images), join(debs, 'scenes'), { recursive: true })
    return await runInside(root, debs, folder, starts)
  } catch (error) {
    // No mirror of Debian, or a slow one, is no fault of the product's.
    const [words = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
    if (/^(mmdebstrap|apt-get) /.test(words))
      return skipped(`Debian's packages could not be had: ${words.slice(0, 300)}`)
    throw error
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function skipped(reason: string): Count {
  process.stdout.write(`the installed app was not tested: ${reason}\n`)
  return { passed: 0, failed: 0 }
}

/** The root directory becomes a layer that forgets: what is installed lies in memory, and goes with the namespace. */
const enter = `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$WORK"
mkdir "$WORK/up" "$WORK/work" "$WORK/root"
mount -t overlay overlay -o "lowerdir=$ROOT,upperdir=$WORK/up,workdir=$WORK/work" "$WORK/root"
cd "$WORK/root"
mkdir old debs result
mount --bind "$DEBS" debs
mount --bind "$RESULT" result
mount -t proc proc proc
mount -t tmpfs tmpfs dev
mkdir dev/shm dev/pts
for device in null zero full random urandom tty; do touch dev/$device; mount --bind /dev/$device dev/$device; done
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=1777 tmpfs tmp
pivot_root . old
umount -l old
exec /debs/installTest.sh "$@"
`

async function runInside(root: string, debs: string, folder: string, starts: number): Promise<Count> {
  const [work, result] = [join(folder, 'work'), join(folder, 'result')]
  mkdirSync(work)
  mkdirSync(join(result, 'trace'), { recursive: true, mode: 0o777 })
  copyFileSync(join(projectRoot, 'build/linux/installTest.sh'), join(debs, 'installTest.sh'))
  writeFileSync(join(folder, 'enter.sh'), enter)
  // A bound folder is entered by a person who is not root.
  await runCommand('chmod', ['-R', 'a+rX', folder])
  const child = spawn(
    'unshare',
    ['--mount', '--pid', '--net', '--fork', '--kill-child', 'bash', join(folder, 'enter.sh'), String(starts)],
    {
      env: { PATH: process.env.PATH, WORK: work, ROOT: root, DEBS: debs, RESULT: result },
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: testTimeoutMs + starts * 10_000,
      // unshare passes over the gentle one; what it started ends with it.
      killSignal: 'SIGKILL',
    },
  )
  let passed = 0
  let failed = 0
  const count = (line: string): void => {
    process.stdout.write(`${line}\n`)
    if (line.startsWith('ok ')) passed++
    if (line.startsWith('not ok ')) failed++
  }
  createInterface(child.stdout).on('line', count)
  const code = await new Promise((resolve) => child.on('close', (exitCode, signal) => resolve(exitCode ?? signal)))
  if (code !== 0) count(`not ok the test inside ended with ${code}`)
  const calls = networkCalls(systemCalls(join(result, 'trace')))
  count(calls.length === 0 ? 'ok the demo reached for no network' : `not ok the demo reached for the network: ${calls}`)
  keepScreenshot(result)
  return { passed, failed }
}

function keepScreenshot(result: string): void {
  const to = join(projectRoot, 'test-results')
  mkdirSync(to, { recursive: true })
  for (const name of ['screenshot.png', 'summary.json']) {
    if (existsSync(join(result, name))) copyFileSync(join(result, name), join(to, `installed-${name}`))
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [, starts = '0'] = process.argv.slice(2)
  await runEntry(async () => {
    const { passed, failed } = await installTest(Number(starts))
    process.stdout.write(`${passed} passed, ${failed} failed\n`)
    return failed === 0 ? 0 : 1
  })
}
