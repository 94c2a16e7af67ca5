// A sweep through a real Slurm of one node: four cells, one of them requeued and one killed on the way, collected by Slurm's
// last job, and equal to the same runs without a cluster. Where Slurm cannot be had it says so and is left out.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkContents } from '../../src/main/db/fileCheck.ts'
import { openWorkspace } from '../../src/main/db/open.ts'
import { listRuns } from '../../src/main/db/runs.ts'
import { contentOf } from '../../src/main/engine/jobs/testing/demoRun.ts'
import { type PackagedCommand, packagedCommand } from '../../src/main/headless/testing/packagedCommand.ts'
import { firstScenes } from '../../src/main/headless/testing/sweepOf.ts'
import { OneNode, reasonAgainstSlurm } from './oneNode.ts'

const against = await reasonAgainstSlurm((line) => process.stdout.write(`[slurm] ${line}\n`))
if (against !== null) process.stdout.write(`the sweep through Slurm was not tested: ${against}\n`)

const settings = [
  ...['rollout.responsesPerStep=4', 'rollout.batchSize=4', 'rollout.maxNewTokens=24', 'calibration.responses=24'],
  ...['calibration.goOnRefused=true', 'optimiser.stepsPerRound=3', 'optimiser.minibatchSize=4'],
  ...['optimiser.microBatchSize=4', 'optimiser.valueWarmupSteps=2', 'evaluation.everySteps=1', 'evaluation.images=4'],
]
const limitMs = 240_000

describe.skipIf(against !== null)('a sweep through Slurm', { timeout: limitMs }, () => {
  const home = mkdtempSync(join(tmpdir(), 'fisao-slurm-'))
  const folder = join(home, 'sweep')
  let command: PackagedCommand
  let node: OneNode

  beforeAll(async () => {
    // The daemon of munge runs as a person of its own.
    chmodSync(home, 0o755)
    for (const name of ['slurm', 'command']) mkdirSync(join(home, name))
    command = packagedCommand(join(home, 'command'))
    const typed = settings.flatMap((setting) => ['--set', setting])
    const scenes = firstScenes(home, 10)
    const args = [
      'sweep',
      folder,
      '--demo',
      '--images',
      scenes,
      '--threads',
      '1',
      '--seeds',
      '1,2,3,4',
      '--copy-every',
      '0',
    ]
    expect(await command.run([...args, '--memory', '500', ...typed])).toMatchObject({ code: 0, err: expect.anything() })
  }, limitMs)
  afterAll(async () => {
    await node?.stop()
    rmSync(home, { recursive: true, force: true })
  })

  const hasCopy = (cell: number) => existsSync(join(folder, `cells/${cell}/snapshot.fisao`))
  const stateOf = async (task: string) => (await node.ask('squeue', ['-h', '-t', 'all', '-o', '%T', '-j', task])).trim()

  test('one cell requeued and one killed: collected, and equal to the runs without a cluster', async () => {
    node = await OneNode.start(join(home, 'slurm'))
    const startMs = performance.now()
    const said = await node.ask(join(folder, 'submit.sh'), [], { FISAO_STUDIO_RUN: `node ${command.entry}` })
    const [, array, collection] = /^cells: job (\d+); collection: job (\d+)$/m.exec(said) ?? []
    expect(array, said).toBeDefined()

    const requeued = async () => {
      await node.until(async () => hasCopy(1), 'the first copy of cell 1', limitMs)
      await node.ask('scontrol', ['requeue', `${array}_1`])
    }
    const killed = async () => {
      await node.until(async () => hasCopy(2), 'the first copy of cell 2', limitMs)
      // scancel would ask it to stop first.
      process.kill(processOf(folder, 2), 'SIGKILL')
      await node.until(async () => (await stateOf(`${array}_2`)) === 'FAILED', 'the end of cell 2', limitMs)
      expect(hasCopy(2)).toBe(true)
      await node.ask('scontrol', ['requeue', `${array}_2`])
    }
    await Promise.all([requeued(), killed()])
    await node.until(async () => (await stateOf(collection as string)) === 'COMPLETED', 'the collection', limitMs)
    process.stdout.write(`[slurm] the sweep took ${((performance.now() - startMs) / 1000).toFixed(1)} s\n`)

    const logs = [1, 2, 3, 4].map((cell) => readFileSync(join(folder, `logs/${cell}.log`), 'utf8'))
    expect(logs[0]).toContain('CANCELLED')
    expect(readdirSync(join(folder, 'cells')).sort()).toEqual(['1', '2', '3', '4'])
    const collected = contentsIn(join(folder, 'collected.fisao'))
    expect(Object.keys(collected)).toEqual([1, 2, 3, 4].map((seed) => `Demo, seed ${seed}`))

    for (const cell of [1, 2]) {
      const job = join(home, `alone-${cell}.json`)
      cpSync(join(folder, `jobs/${cell}.json`), job)
      expect(await command.run([job, '--progress', 'none'])).toMatchObject({ code: 0 })
      const alone = contentsIn(join(home, `alone-${cell}.fisao`))
      expect(collected[`Demo, seed ${cell}`]).toBe(alone[`Demo, seed ${cell}`])
    }
  })
})

/** The process of a cell, which Slurm's script started in the folder of the sweep. */
function processOf(folder: string, cell: number): number {
  const isCell = (pid: string): boolean => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      const at = words.indexOf('cell')
      return at > 0 && words[at + 2] === String(cell) && readlinkSync(`/proc/${pid}/cwd`) === folder
    } catch {
      // It ended while it was looked at.
      return false
    }
  }
  const found = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isCell(name))
  if (found === undefined) throw new Error(`cell ${cell} is not at work`)
  return Number(found)
}

/** What each run left, as text, by its name in order of their ids. */
function contentsIn(path: string): Record<string, string> {
  const db = openWorkspace(path)
  try {
    checkContents(db)
    const runs = listRuns(db).reverse()
    return Object.fromEntries(runs.map(({ runId, name }) => [name, JSON.stringify(contentOf(db, runId))]))
  } finally {
    db.close()
  }
}
