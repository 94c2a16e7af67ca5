// `npm test`: sets up, then lint, types, unit and end-to-end tests; ends with one line `N passed, N failed`
// in which a static check counts as one test. All steps run even when an earlier one failed.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, packageBin, projectRoot } from './build.ts'
import { withDisplay } from './display.ts'
import { runtimeEnvironment, setUp } from './setup.ts'

const typeProjects = ['src/shared', 'src/main', 'src/preload', 'src/renderer', '.']
const allSteps = ['lint', 'types', 'unit', 'e2e']
const steps = process.argv.length > 2 ? process.argv.slice(2) : allSteps
const reports = mkdtempSync(join(tmpdir(), 'fisao-test-'))
const total = { passed: 0, failed: 0 }

try {
  const runtime = await setUp()
  await withDisplay(runtimeEnvironment(runtime), async (env) => {
    if (steps.includes('lint'))
      countOne('lint', node(env, packageBin('@biomejs/biome', 'biome'), 'check', '--error-on-warnings', '.'))
    if (steps.includes('types')) {
      for (const project of typeProjects)
        countOne(`types ${project}`, node(env, packageBin('typescript', 'tsc'), '-p', project))
    }
    if (steps.includes('unit')) unitTests(env)
    if (steps.includes('e2e')) endToEndTests(env)
  })
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  total.failed++
} finally {
  rmSync(reports, { recursive: true, force: true })
}
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1

function unitTests(env: NodeJS.ProcessEnv): void {
  const report = join(reports, 'unit.json')
  const status = node(
    env,
    packageBin('vitest'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  )
  const result = readReport(report)
  count('unit', result.numPassedTests ?? 0, result.numFailedTests ?? 0, status)
}

function endToEndTests(env: NodeJS.ProcessEnv): void {
  build(env)
  const report = join(reports, 'e2e.json')
  const reporterEnv = { ...env, PLAYWRIGHT_JSON_OUTPUT_NAME: report }
  const status = node(reporterEnv, packageBin('@playwright/test', 'playwright'), 'test', '--reporter=list,json')
  const stats = readReport(report).stats
  count('end-to-end', (stats?.expected ?? 0) + (stats?.flaky ?? 0), stats?.unexpected ?? 0, status)
}

/** Adds a runner's counts; one that failed without a failed test (a crash, no report) counts as a failure. */
function count(name: string, passed: number, failed: number, status: number): void {
  const failures = status === 0 ? failed : Math.max(failed, 1)
  process.stdout.write(`— ${name}: ${passed} passed, ${failures} failed\n`)
  total.passed += passed
  total.failed += failures
}

function countOne(name: string, status: number): void {
  count(name, status === 0 ? 1 : 0, 0, status)
}

/** The parts of both runners' JSON reports that are counted. */
interface Report {
  numPassedTests?: number
  numFailedTests?: number
  stats?: { expected: number; unexpected: number; flaky: number }
}

function readReport(file: string): Report {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
}

function node(env: NodeJS.ProcessEnv, ...args: readonly string[]): number {
  return (
    spawnSync(process.execPath, args, { cwd: projectRoot, env, stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1
  )
}
