// `npm test`: sets up, then lint, types, unit tests, build, end-to-end tests and the package in a clean Debian; ends with
// one line `N passed, N failed` in which a static check counts as one test. Every step runs even after a failed one.
// A test that fails is tried once more: windows, processes and a busy machine have races of their own. What passes only then
// is counted as passed and by itself, so that nobody overlooks it.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, packageBin } from './build.ts'
import { Interrupted, runEntry, runProgram } from './runProgram.ts'
import { runtimeEnvironment, setUp } from './setup.ts'

/** What a step came to. */
export interface Count {
  readonly passed: number
  readonly failed: number
  /** Of those that passed, how many did so only when they were tried again. */
  readonly retried?: number
}

type Step = (env: NodeJS.ProcessEnv, reports: string) => Promise<Count>

const steps: Readonly<Record<string, Step>> = { lint, types, unit, build: buildApp, e2e: endToEnd, install }
const typeProjects = ['src/shared', 'src/main', 'src/preload', 'src/renderer', '.']

/** The parts of both runners' JSON reports that are counted. */
export interface Report {
  readonly numPassedTests?: number
  readonly numFailedTests?: number
  /** A test that passed when it was tried again keeps what it had said before. */
  readonly testResults?: readonly {
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages: readonly string[]
    }[]
  }[]
  readonly stats?: { readonly expected: number; readonly unexpected: number; readonly flaky: number }
}

/**
 * A runner's counts from its report and exit code. One that failed without a failed test (a crash, a file
 * that does not load, no report) counts as one failure; one that ran no test at all does too.
 */
export function countOf(report: Report, exitCode: number): Count {
  const { numPassedTests, numFailedTests, stats } = report
  const passed = numPassedTests ?? (stats ? stats.expected + stats.flaky : 0)
  const failed = numFailedTests ?? stats?.unexpected ?? 0
  const retried = stats?.flaky ?? retriedTests(report).length
  return { passed, failed: exitCode === 0 && passed > 0 ? failed : Math.max(failed, 1), retried }
}

/** What passed only when it was tried again, with what it had said before. Vitest leaves that to its report, Playwright says it. */
function retriedTests({ testResults = [] }: Report): readonly string[] {
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status, failureMessages }) => status === 'passed' && failureMessages.length > 0)
    .map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages[0]}`)
}

async function lint(env: NodeJS.ProcessEnv): Promise<Count> {
  return countOfCheck(await node(env, packageBin('@biomejs/biome', 'biome'), 'check', '--error-on-warnings', '.'))
}

async function types(env: NodeJS.ProcessEnv): Promise<Count> {
  const count = { passed: 0, failed: 0 }
  for (const project of typeProjects) {
    const { passed, failed } = countOfCheck(await node(env, packageBin('typescript', 'tsc'), '-p', project))
    count.passed += passed
    count.failed += failed
  }
  return count
}

async function unit(env: NodeJS.ProcessEnv, reports: string): Promise<Count> {
  const report = join(reports, 'unit.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const code = await node(env, packageBin('vitest'), 'run', '--retry=1', ...reporters)
  const said = readReport(report)
  for (const test of retriedTests(said)) process.stdout.write(`passed only when tried again: ${test}\n`)
  return countOf(said, code)
}

async function buildApp(env: NodeJS.ProcessEnv): Promise<Count> {
  const hasBuilt = await build(env)
  process.stdout.write(hasBuilt ? 'built out/\n' : 'out/ is up to date\n')
  return countOfCheck(0)
}

async function endToEnd(env: NodeJS.ProcessEnv, reports: string): Promise<Count> {
  const sum = { passed: 0, failed: 0, retried: 0 }
  // A window waits for most of its time, so two are driven at once; then, one by one, those whose time is measured.
  for (const chosen of [['--grep-invert=@alone', '--workers=2'], ['--grep=@alone']]) {
    const report = join(reports, `e2e ${chosen[0]}.json`)
    const args = [
      packageBin('@playwright/test', 'playwright'),
      'test',
      '--retries=1',
      '--reporter=list,json',
      ...chosen,
    ]
    const code = await node({ ...env, PLAYWRIGHT_JSON_OUTPUT_NAME: report }, ...args)
    const { passed, failed, retried = 0 } = countOf(readReport(report), code)
    sum.passed += passed
    sum.failed += failed
    sum.retried += retried
  }
  return sum
}

/** The package in a clean Debian; it says so where that cannot be tried. */
async function install(): Promise<Count> {
  const { installTest } = await import('./installers/installTest.ts')
  return await installTest()
}

function countOfCheck(exitCode: number): Count {
  return exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

function readReport(file: string): Report {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
}

function node(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<number> {
  return runProgram(process.execPath, args, { env })
}

/** Runs the named steps. @returns the exit code */
async function runSteps(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !(name in steps))
  if (unknown.length > 0)
    throw new Error(`no such step: ${unknown.join(', ')}. There are ${Object.keys(steps).join(', ')}.`)
  const reports = mkdtempSync(join(tmpdir(), 'fisao-test-'))
  const lines: string[] = []
  let passed = 0
  let failed = 0
  const run = async (name: string, step: () => Promise<Count>): Promise<void> => {
    process.stdout.write(`\n=== ${name}\n`)
    const startMs = performance.now()
    const count = await step().catch(failureOf)
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
    const again = count.retried ? ` (${count.retried} passed only when tried again: see above)` : ''
    lines.push(`${name.padEnd(8)} ${seconds.padStart(6)} s   ${count.passed} passed, ${count.failed} failed${again}`)
    passed += count.passed
    failed += count.failed
  }
  try {
    const env = runtimeEnvironment(await setUp())
    for (const name of names) await run(name, () => (steps[name] as Step)(env, reports))
  } catch (error) {
    failed += failureOf(error).failed
  } finally {
    rmSync(reports, { recursive: true, force: true })
  }
  process.stdout.write(`\n${lines.join('\n')}\n\n${passed} passed, ${failed} failed\n`)
  return failed === 0 ? 0 : 1
}

/** A step that could not run counts as one failure; an interrupt ends them all. */
function failureOf(error: unknown): Count {
  if (error instanceof Interrupted) throw error
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  return { passed: 0, failed: 1 }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const names = process.argv.slice(2)
  await runEntry(() => runSteps(names.length > 0 ? names : Object.keys(steps)))
}
