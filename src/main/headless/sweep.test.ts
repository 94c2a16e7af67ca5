// What `sweep` writes: a cell for each combination, with the jobs that `align` would make, hashed; and what it refuses.
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AlignJob, alignJobSchema } from '../../shared/job.ts'
import { placeboName, placeboOf, type Sweep, sweepSchema } from '../../shared/sweep.ts'
import { shortConfig } from '../engine/jobs/testing/demoRun.ts'
import { readCommandLine } from './commandLine.ts'
import { alignJobOf } from './makeJob.ts'
import { makeSweep } from './sweep.ts'
import { firstScenes, testWork } from './testing/sweepOf.ts'
import { version } from './version.ts'

const home = mkdtempSync(join(tmpdir(), 'fisao-sweep-'))
const folder = join(home, 'sweep')
const typed = ['--demo', '--images', firstScenes(home, 4), '--set', 'rollout.batchSize=4', '--threads', '1']
const varied = ['--set', 'optimiser.stepsPerRound=2', '--set', 'optimiser.stepsPerRound=3']

const sweepOf = () => sweepSchema.parse(JSON.parse(readFileSync(join(folder, 'sweep.json'), 'utf8')))
const jobOf = (cell: number) =>
  alignJobSchema.parse(JSON.parse(readFileSync(join(folder, `jobs/${cell}.json`), 'utf8')))
const make = (args: readonly string[]) => makeSweep(readCommandLine(['sweep', ...args], home), testWork())
let sweep: Sweep

beforeAll(async () => {
  await make([folder, ...typed, ...varied, '--seeds', '1,5', '--placebo', '--time', '2:00:00', '--memory', '3000'])
  sweep = sweepOf()
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

test('a cell each combination, seeds last, by name', () => {
  expect(sweep.cells.map(({ cell, name, placebo }) => [cell, name, placebo])).toEqual([
    [1, 'Demo, stepsPerRound 2, seed 1', true],
    [2, 'Demo, stepsPerRound 2, seed 5', true],
    [3, 'Demo, stepsPerRound 3, seed 1', true],
    [4, 'Demo, stepsPerRound 3, seed 5', true],
  ])
  expect(sweep.appVersion).toBe(version)
  expect(readdirSync(folder).sort()).toEqual([
    ...['cells', 'claimed', 'closed', 'jobs', 'logs', 'open', 'submit.sh', 'sweep.json', 'workers.sh'],
  ])
  expect(readdirSync(join(folder, 'open'))).toEqual(['1', '2', '3', '4'])
})

test('its jobs are those of align, under their hashes', async () => {
  const one = [
    'align',
    ...typed,
    '--set',
    'optimiser.stepsPerRound=3',
    '--seed',
    '5',
    '--name',
    'Demo, stepsPerRound 3, seed 5',
  ]
  expect(jobOf(4)).toEqual(await alignJobOf(readCommandLine(one, home), testWork()))
  for (const { cell, jobSha256 } of sweep.cells) {
    const bytes = readFileSync(join(folder, `jobs/${cell}.json`))
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(jobSha256)
  }
})

test('submit.sh asks for what the cells take, and both scripts can be started', () => {
  const text = readFileSync(join(folder, 'submit.sh'), 'utf8')
  for (const words of [
    '--array=1-4',
    '--requeue',
    '--open-mode=append',
    '--cpus-per-task=1',
    '--mem=3000M',
    '--time=2:00:00',
  ]) {
    expect(text).toContain(words)
  }
  expect(text).toContain('--dependency=afterany:')
  expect(text).not.toContain('--gpus')
  for (const name of ['submit.sh', 'workers.sh']) expect(statSync(join(folder, name)).mode & 0o111).toBe(0o111)
})

test('without a number of threads it is that of this machine, so that every machine takes the same', async () => {
  const other = join(home, 'threads')
  await make([other, ...typed.slice(0, -2), '--memory', '1'])
  const job = JSON.parse(readFileSync(join(other, 'jobs/1.json'), 'utf8')) as AlignJob
  expect(job.threads).toBeGreaterThan(0)
  expect(job.seed).toBe(1)
})

test.each([
  [['--seeds', '1,,2'], '--seeds cannot be “1,,2”. Seeds are whole numbers'],
  [['--seeds', '1,1'], 'A seed is named twice'],
  [['--presets', 'paper,paper'], '--presets takes different values'],
  [['--presets', 'fast'], 'A preset is one of quick-look'],
  [['--set', 'optimiser.stepsPerRound=0'], 'A setting cannot be used'],
  [['--time', 'tomorrow'], '--time takes hours'],
  [['--seeds', '1-600', '--presets', 'paper,thorough'], 'This makes 1200 cells; a sweep has at most 1000.'],
])('%j is refused, and nothing is written', async (args, words) => {
  const other = join(home, 'refused')
  await expect(make([other, ...typed, ...args])).rejects.toThrow(words)
  expect(existsSync(other)).toBe(false)
})

test('a folder that is there is left as it is', async () => {
  await expect(make([folder, ...typed])).rejects.toMatchObject({ code: 'run.output-taken' })
  expect(sweepOf()).toEqual(sweep)
})

test('a placebo is the job of its run but for name and judging image', () => {
  const job = jobOf(1)
  const { name, config, ...rest } = placeboOf(job)
  expect({ ...rest, name: job.name, config: { ...config, reward: { ...config.reward, verifier: 'own' } } }).toEqual(job)
  expect([name, config.reward.verifier]).toEqual(['Demo, stepsPerRound 2, seed 1, placebo', 'placebo'])
  expect(placeboName('x'.repeat(120))).toHaveLength(120)
  expect(shortConfig.reward.verifier).toBe('own')
})
