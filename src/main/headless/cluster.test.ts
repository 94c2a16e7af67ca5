// A cell of a sweep from its first start to the workspace that collects it, on one machine that plays several: stopped, killed,
// gone on with elsewhere, and equal byte for byte to the same run and placebo in the app; then 200 results that are not whole.
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { RunId } from '../../shared/domain.ts'
import { presetConfig } from '../../shared/runConfig.ts'
import type { ReadableDb, WritableDb } from '../db/connection.ts'
import { checkContents } from '../db/fileCheck.ts'
import { createWorkspace, openForReading, openWorkspace } from '../db/open.ts'
import { deleteRun, listRuns, setRunState } from '../db/runs.ts'
import { addDemoRun, addSampleScenes, contentOf, demoLexicon, shortConfig } from '../engine/jobs/testing/demoRun.ts'
import { alignRun } from '../engine/jobs/workspaceJobs.ts'
import { carryOutCell } from './cell.ts'
import { type Collected, collect } from './collect.ts'
import { readCommandLine } from './commandLine.ts'
import { makeSweep } from './sweep.ts'
import { HostileResult, hostileKinds } from './testing/hostileResult.ts'
import { firstScenes, testWork } from './testing/sweepOf.ts'

const home = mkdtempSync(join(tmpdir(), 'fisao-cluster-'))
const folder = join(home, 'sweep')
const images = 10
const settings = {
  'rollout.responsesPerStep': 4,
  'rollout.batchSize': 4,
  'rollout.maxNewTokens': 24,
  'calibration.responses': 24,
  'calibration.goOnRefused': true,
  'optimiser.stepsPerRound': 2,
  'optimiser.minibatchSize': 4,
  'optimiser.microBatchSize': 4,
  'optimiser.valueWarmupSteps': 2,
  'evaluation.everySteps': 1,
  'evaluation.images': 4,
}
const seed = 3
const sweepOptions = [
  ...['--demo', '--images', join(home, 'scenes'), '--threads', '1', '--placebo'],
  ...Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
]
const resultIn = (where: string) => join(where, 'cells/1/result.json')

/** Contents of the run and of its placebo in the app, as text. */
let inApp: string[] = []

function contentsIn(path: string): string[] {
  const db = openWorkspace(path)
  try {
    checkContents(db)
    return listRuns(db)
      .reverse()
      .map(({ runId }) => JSON.stringify(contentOf(db, runId)))
  } finally {
    db.close()
  }
}

/** The command in a process of its own. */
function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [inject('scripts').command, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Starts the cell on a machine of this name, and sends a signal when a line says so. */
async function startedOn(
  machine: string,
  signal: NodeJS.Signals,
  when: (lines: readonly string[]) => boolean,
): Promise<number | null> {
  const args = ['cell', folder, '1', '--scratch', join(home, machine), '--copy-every', '0', '--progress', 'json']
  const child = start(args)
  const lines: string[] = []
  let isSent = false
  createInterface(child.stdout as NonNullable<ChildProcess['stdout']>).on('line', (line) => {
    lines.push(line)
    if (!isSent && when(lines)) isSent = child.kill(signal)
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return code
}

const options = (machine: string) => ({ scratch: join(home, machine), copyEveryMs: 0 })

async function collected(where: string, into: string): Promise<Collected> {
  const { result } = await collect(where, { into, scratch: join(home, 'collector') }, testWork())
  return result as Collected
}

async function runInApp(db: WritableDb, runId: RunId): Promise<void> {
  setRunState(db, runId, 'running', 1)
  await alignRun(db, { runId, device: 'cpu', threads: 1, lexicon: demoLexicon }, () => undefined)
  setRunState(db, runId, 'complete', 2)
}

beforeAll(async () => {
  const scenes = firstScenes(home, images)
  const args = ['sweep', folder, ...sweepOptions, '--seeds', `${seed},4`]
  await makeSweep(readCommandLine(args, home), testWork())
  const job = JSON.parse(readFileSync(join(folder, 'jobs/1.json'), 'utf8'))
  createWorkspace(join(home, 'app.fisao'))
  const db = openWorkspace(join(home, 'app.fisao'))
  addSampleScenes(db, images, 0, scenes)
  const config = presetConfig('quick-look', { ...shortConfig, ...job.config })
  await runInApp(db, addDemoRun(db, images, { config, seed }))
  const placebo = { ...config, reward: { ...config.reward, verifier: 'placebo' as const } }
  await runInApp(db, addDemoRun(db, images, { config: placebo, seed }))
  db.close()
  inApp = contentsIn(join(home, 'app.fisao'))
}, 120_000)
afterAll(() => rmSync(home, { recursive: true, force: true }))

describe('a cell', { timeout: 120_000 }, () => {
  test('stopped on one machine and killed on the next goes on on a third, and comes to the bytes of the app', async () => {
    const step1 = '"done":1,"total":2'
    expect(await startedOn('one', 'SIGTERM', (lines) => lines.at(-1)?.includes(step1) ?? false)).toBe(143)
    expect(readdirSync(join(folder, 'cells/1'))).toEqual(['snapshot.fisao'])
    rmSync(join(home, 'one'), { recursive: true })
    // In the placebo, which begins to count anew.
    const isInPlacebo = (lines: readonly string[]) => {
      const last = lines.findLastIndex((line) => line.includes('"done":2,"total":2'))
      return last >= 0 && lines.slice(last).some((line) => line.includes(step1))
    }
    expect(await startedOn('two', 'SIGKILL', isInPlacebo)).toBe(null)
    rmSync(join(home, 'two'), { recursive: true })
    // Somebody who reads to the end keeps the log from being folded in when the run closes.
    const { sweepId } = JSON.parse(readFileSync(join(folder, 'sweep.json'), 'utf8'))
    const local = join(home, `three/fisao-${process.getuid?.()}/${sweepId}-1.fisao`)
    let reader: ReadableDb | null = null
    const hold = (line: string) => {
      if (line.includes('"phase":"update"')) reader ??= openForReading(local)
    }
    const said = await carryOutCell(folder, 1, options('three'), testWork(hold))
    expect(reader).not.toBe(null)
    ;(reader as ReadableDb | null)?.close()
    expect(said.said).toContain('cell 1 (Demo, seed 3) is done')
    expect(readdirSync(join(folder, 'cells/1'))).toEqual([
      expect.stringMatching(/^result-[0-9a-f]{16}\.fisao$/),
      'result.json',
    ])
    expect(readdirSync(dirname(local))).toEqual([])
    const again = await carryOutCell(folder, 1, options('four'), testWork())
    expect([again.said, existsSync(join(home, 'four'))]).toEqual([expect.stringContaining('was done before'), false])
  })

  test('is collected once, into a workspace that has other images too', async () => {
    const [first, second] = [join(home, 'first.fisao'), join(home, 'second.fisao')]
    const { missing, collected: taken, refused } = await collected(folder, first)
    expect([refused, missing, taken]).toEqual([[], [2], [{ cell: 1, name: 'Demo, seed 3', runs: [1, 2] }]])
    expect(contentsIn(first)).toEqual(inApp)
    expect(await collected(folder, first)).toMatchObject({ collected: [], known: [1], missing: [2] })

    createWorkspace(second)
    const db = openWorkspace(second)
    addSampleScenes(db, 2, images)
    addSampleScenes(db, 1, 2)
    db.close()
    // The third scene stands before the first one there.
    expect(await collected(folder, second)).toMatchObject({
      collected: [],
      refused: [{ error: { code: 'run.other-order' } }],
    })
    rmSync(second)
    createWorkspace(second)
    const others = openWorkspace(second)
    addSampleScenes(others, 2, images)
    others.close()
    expect((await collected(folder, second)).collected).toHaveLength(1)
    const shifted = inApp.map((text) => JSON.stringify(withImagesFrom(JSON.parse(text), 2)))
    expect(contentsIn(second)).toEqual(shifted)
    const again = openWorkspace(second)
    deleteRun(again, listRuns(again)[0]?.runId as RunId)
    again.close()
    expect(await collected(folder, second)).toMatchObject({ collected: [], known: [1] })
  })
})

/** A run's content, with its images numbered from another one on. */
function withImagesFrom(content: Record<string, Record<string, unknown>[]>, more: number): unknown {
  const figures = (text: string) => {
    const look = JSON.parse(text)
    return look.perImage === null
      ? text
      : JSON.stringify({
          ...look,
          perImage: { ...look.perImage, imageIds: look.perImage.imageIds.map((id: number) => id + more) },
        })
  }
  return {
    ...content,
    checkpoints: content['checkpoints']?.map((one) => {
      const cursor = one['cursor'] as { lastImageId: number }
      return { ...one, cursor: { ...cursor, lastImageId: cursor.lastImageId + more } }
    }),
    looks: content['looks']?.map((look) => ({ ...look, figures: figures(look['figures'] as string) })),
    responses: content['responses']?.map((one) => ({ ...one, image_id: (one['image_id'] as number) + more })),
  }
}

describe('a collector that is killed', () => {
  /** Kills; FISAO_KILLS asks for more. */
  const kills = Number(process.env.FISAO_KILLS ?? 3)
  const seeds = [3, 4, 5, 6, 7, 8]
  const many = join(home, 'many')

  /** The result of the cell that was carried out, as that of another seed. */
  function asCell(cell: number, sweepId: string): void {
    const { file, ...result } = JSON.parse(readFileSync(resultIn(folder), 'utf8'))
    const made = join(home, 'made.fisao')
    cpSync(join(folder, 'cells/1', file), made)
    const db = openWorkspace(made)
    const seed = seeds[cell - 1]
    db.prepare("UPDATE run SET seed = ?, name = replace(name, 'seed 3', 'seed ' || CAST(? AS INTEGER))").run(seed, seed)
    db.exec(
      `UPDATE run_job SET job = json_set(job, '$.seed', (SELECT seed FROM run WHERE run.run_id = run_job.run_id),
         '$.name', (SELECT name FROM run WHERE run.run_id = run_job.run_id))`,
    )
    db.close()
    const bytes = readFileSync(made)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const where = join(many, 'cells', String(cell))
    mkdirSync(where)
    const name = `result-${sha256.slice(0, 16)}.fisao`
    writeFileSync(join(where, name), bytes)
    const jobSha256 = createHash('sha256')
      .update(readFileSync(join(many, `jobs/${cell}.json`)))
      .digest('hex')
    const other = { ...result, sweepId, cell, jobSha256, file: name, sha256, sizeBytes: bytes.length }
    writeFileSync(join(where, 'result.json'), JSON.stringify(other))
  }

  test(`${kills} times at any moment has every cell in the end, and none twice`, {
    timeout: 60_000 + kills * 20_000,
  }, async () => {
    await makeSweep(readCommandLine(['sweep', many, ...sweepOptions, '--seeds', seeds.join(',')], home), testWork())
    const { sweepId } = JSON.parse(readFileSync(join(many, 'sweep.json'), 'utf8'))
    for (const [i] of seeds.entries()) asCell(i + 1, sweepId)
    const into = join(home, 'many.fisao')
    for (let kill = 0; kill < kills; kill++) {
      const child = start(['collect', many, '--into', into, '--scratch', join(home, 'killed'), '--progress', 'json'])
      const at = `"done":${(kill * 2) % seeds.length},`
      createInterface(child.stdout as NonNullable<ChildProcess['stdout']>).on('line', (line) => {
        // A cell takes a tenth of a second and more; these delays fall all over it.
        if (line.includes(at)) setTimeout(() => child.kill('SIGKILL'), (kill * 37) % 150)
      })
      await once(child, 'close')
    }
    const last = await collected(many, into)
    expect([last.refused, last.missing, last.known.length + last.collected.length]).toEqual([[], [], seeds.length])
    const db = openWorkspace(into)
    const names = listRuns(db).map(({ name }) => name)
    db.close()
    expect(names.sort()).toEqual(seeds.flatMap((one) => [`Demo, seed ${one}`, `Demo, seed ${one}, placebo`]))
    for (const [i, text] of contentsIn(into).entries())
      expect(JSON.parse(text)['responses']).toEqual(JSON.parse(inApp[i % 2] as string)['responses'])
  })
})

describe('a result that is not what a cell wrote', { timeout: 120_000 }, () => {
  /** FISAO_THOROUGH asks for all. */
  const cases = process.env.FISAO_THOROUGH === 'yes' ? 200 : 34
  const flips = process.env.FISAO_THOROUGH === 'yes' ? 60 : 6
  const hostile = join(home, 'hostile')
  const into = join(home, 'into.fisao')
  let made: HostileResult

  beforeAll(() => {
    cpSync(folder, hostile, { recursive: true })
    made = new HostileResult(join(hostile, 'cells/1'))
    createWorkspace(into)
  })

  test(`${cases} of ${hostileKinds} kinds by a seed are refused by name, and nothing of them is taken over`, async () => {
    for (let one = 0; one < cases; one++) {
      const name = made.make(one)
      const { refused, collected: taken } = await collected(hostile, into)
      expect([taken, refused.length], name).toEqual([[], 1])
      expect(refused[0]?.error.code, name).toMatch(/^(run\.bad-cell|workspace\.(damaged|foreign|newer))$/)
    }
    expect(contentsIn(into)).toEqual([])
  })

  test('flipped bits with a hash of their own are refused, or change nothing that a run left', async () => {
    let refusals = 0
    for (let one = 0; one < flips; one++) {
      made.disguise(made.flipped(1))
      const where = join(home, `flip-${one}.fisao`)
      const { refused } = await collected(hostile, where)
      if (refused.length > 0) refusals++
      else expect(contentsIn(where)).toEqual(inApp)
    }
    expect(refusals).toBeGreaterThan(0)
  })

  test.each([
    ['a run that is not at its end', "UPDATE run SET state = 'stopped' WHERE run_id = 1", 'state stopped'],
    ['another seed', 'UPDATE run SET seed = 4 WHERE run_id = 2', 'seed 4'],
    ['another name', "UPDATE run SET name = 'Mine' WHERE run_id = 1", 'name Mine'],
    ['other weights', 'UPDATE model SET weights_sha256 = zeroblob(32)', 'weights 0000'],
    ['another calibration', "UPDATE run SET calibration = '{}' WHERE run_id = 1", 'another calibration'],
    ['no placebo', 'DELETE FROM run WHERE run_id = 2', 'no run of it'],
    [
      'a run too many',
      'INSERT INTO run SELECT 9, model_id, name, preset, config, seed, state, calibration, error, 1, 1, 1 FROM run WHERE run_id = 1',
      '1 other runs',
    ],
    [
      'a look of no shape',
      'UPDATE look SET figures = \'{"step":1}\' WHERE run_id = 1 AND step = 1',
      'a look that cannot be read',
    ],
    [
      'a token that was not stored',
      'UPDATE token SET token_id = token_id + 1 WHERE rollout_id = 1 AND position = 0',
      'damaged',
    ],
    ['an image that is none of its job', 'UPDATE image SET sha256 = zeroblob(32) WHERE image_id = 1', 'no run of it'],
    ['a trigger of its own', 'CREATE TRIGGER t AFTER INSERT ON tag BEGIN DELETE FROM run; END', 'tables other than'],
    ['another schema version', 'PRAGMA user_version = 3', 'tables other than'],
    ['a newer schema', 'PRAGMA user_version = 99; CREATE TABLE more (x)', 'schema 99'],
  ])('%s', async (_name, sql, words) => {
    made.change(sql)
    const { refused } = await collected(hostile, into)
    expect(JSON.stringify(refused[0]?.error)).toContain(words)
    expect(contentsIn(into)).toEqual([])
  })

  test('what else lies there is told: failed cells with the end of their log, and strangers', async () => {
    made.restore()
    mkdirSync(join(hostile, 'cells/7'))
    writeFileSync(join(hostile, 'cells/notes.txt'), '')
    const job = JSON.parse(readFileSync(join(hostile, 'jobs/2.json'), 'utf8'))
    writeFileSync(join(hostile, 'jobs/2.json'), JSON.stringify(job))
    await expect(carryOutCell(hostile, 2, options('five'), testWork())).rejects.toMatchObject({ code: 'run.bad-cell' })
    cpSync(join(folder, 'jobs/2.json'), join(hostile, 'jobs/2.json'))
    rmSync(join(home, 'scenes'), { recursive: true })
    await expect(carryOutCell(hostile, 2, options('five'), testWork())).rejects.toMatchObject({
      code: 'run.images-missing',
    })
    writeFileSync(join(hostile, 'logs/2.log'), Array.from({ length: 9 }, (_, i) => `line ${i + 1}\n`).join(''))
    const found = await collected(hostile, join(home, 'told.fisao'))
    expect(found).toMatchObject({ collected: [{ cell: 1 }], missing: [], refused: [], foreign: ['7', 'notes.txt'] })
    const log = ['line 5', 'line 6', 'line 7', 'line 8', 'line 9']
    expect(found.failed).toMatchObject([{ cell: 2, name: 'Demo, seed 4', error: { code: 'run.images-missing' }, log }])
  })
})

describe('a worker', { timeout: 120_000 }, () => {
  /** What it printed last. */
  async function worked(): Promise<unknown> {
    const args = ['work', folder, '--scratch', join(home, 'six'), '--stale-after', '60', '--progress', 'json']
    const child = start(args)
    let last = ''
    createInterface(child.stdout as NonNullable<ChildProcess['stdout']>).on('line', (line) => {
      last = line
    })
    const [code] = (await once(child, 'close')) as [number | null]
    expect(code).toBe(0)
    return JSON.parse(last).result
  }

  test('passes over what is done, tells what failed, and tries that again when it is started again', async () => {
    expect(await worked()).toEqual({ done: [1], failed: [2] })
    expect(readdirSync(join(folder, 'closed')).sort()).toEqual(['1', '2'])
    expect(await worked()).toEqual({ done: [], failed: [2] })
    expect([readdirSync(join(folder, 'open')), readdirSync(join(folder, 'claimed'))]).toEqual([[], []])
    const log = readFileSync(join(folder, 'logs/2.log'), 'utf8')
    expect(log.match(/images of this job cannot be read/g)).toHaveLength(2)
  })
})
