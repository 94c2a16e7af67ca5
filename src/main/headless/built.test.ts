// The built command in the layout of a package: a run of the app repeated byte for byte, also when it is killed or stopped on
// the way; what it tells a program; each exit code for a real cause; hostile job files. Nothing is stood in for.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunId } from '../../shared/domain.ts'
import { type AlignJob, alignJobSchema } from '../../shared/job.ts'
import { presetConfig } from '../../shared/runConfig.ts'
import { listCheckpoints } from '../db/checkpoints.ts'
import { createWorkspace, openWorkspace } from '../db/open.ts'
import { lockWorkspace } from '../db/owner.ts'
import { listRuns } from '../db/runs.ts'
import { canMakeDisks, makeSmallDisk } from '../db/testing/smallDisk.ts'
import {
  addDemoRun,
  contentOf,
  demoLexicon,
  demoModel,
  sampleScenes,
  shortConfig,
} from '../engine/jobs/testing/demoRun.ts'
import { alignRun, exportRun } from '../engine/jobs/workspaceJobs.ts'
import { linesOf, type PackagedCommand, packagedCommand } from './testing/packagedCommand.ts'

const home = mkdtempSync(join(tmpdir(), 'fisao-built-'))
const images = 18
const steps = 3
const config = presetConfig('quick-look', {
  ...shortConfig,
  calibration: { responses: 48, goOnRefused: true },
  optimiser: { ...shortConfig.optimiser, stepsPerRound: steps },
  evaluation: { everySteps: 1, images: 4 },
})
const inApp = join(home, 'app.fisao')
const exported = join(home, 'export')
const bundle = join(exported, 'run.json')
/** In the progress of its steps, not in that of reading images. */
const afterStep1 = `"done":1,"total":${steps}`
let command: PackagedCommand
/** What the run of the app left, as text. */
let content = ''

function contentOfRun(path: string): string {
  const db = openWorkspace(path)
  try {
    return JSON.stringify(contentOf(db, listRuns(db)[0]?.runId as RunId))
  } finally {
    db.close()
  }
}

beforeAll(async () => {
  command = packagedCommand(home)
  createWorkspace(inApp)
  const db = openWorkspace(inApp)
  const runId = addDemoRun(db, images, { config })
  await alignRun(db, { runId, device: 'cpu', threads: 1, lexicon: demoLexicon }, () => undefined)
  await exportRun(db, { runId, step: steps, strength: 1, folder: exported, merged: false })
  db.close()
  content = contentOfRun(inApp)
}, 180_000)
afterAll(() => rmSync(home, { recursive: true, force: true }))

const job = (): AlignJob => alignJobSchema.parse(JSON.parse(readFileSync(bundle, 'utf8')).job)

function changed(name: string, changes: object): string {
  const path = join(home, `${name}.json`)
  writeFileSync(path, JSON.stringify({ ...job(), ...changes }))
  return path
}

describe('a run of the app, repeated', { timeout: 240_000 }, () => {
  test('comes to the same bytes, killed on the way, and its progress is read by a program', async () => {
    const out = join(home, 'killed.fisao')
    const killed = await command.run([bundle, '--out', out, '--progress', 'json'], {
      onLine: (line, kill) => line.includes(afterStep1) && kill('SIGKILL'),
    })
    expect(killed.code).toBe(null)
    const ended = await command.run([bundle, '--out', out, '--progress', 'json', '--resume'])
    expect([ended.code, ended.err]).toEqual([0, ''])
    expect(contentOfRun(out)).toBe(content)
    const lines = linesOf(ended)
    expect(lines[0]).toEqual({ type: 'started', kind: 'align', job: bundle })
    const done = lines.flatMap((line) => (line.type === 'progress' ? [line.done] : []))
    expect(done).toEqual([...done].sort((a, b) => a - b))
    expect(done.at(-1)).toBe(steps)
    const said = expect.stringContaining(`aligned in ${steps} steps`)
    expect(lines.at(-1)).toMatchObject({ type: 'done', kind: 'align', out, said, result: { steps } })
  })

  test('Ctrl-C stops after the next commit, and it goes on from there', async () => {
    const out = join(home, 'stopped.fisao')
    // While the value head is taught, before step 0 is committed.
    const stopped = await command.run([bundle, '--out', out, '--progress', 'json'], {
      onLine: (line, kill) => line.includes('"phase":"update"') && line.includes('"done":0') && kill('SIGINT'),
    })
    expect([stopped.code, stopped.err]).toEqual([130, expect.stringContaining('after the next commit')])
    expect(linesOf(stopped).at(-1)).toMatchObject({ type: 'error', code: 'run.cancelled', exitCode: 130 })
    const db = openWorkspace(out)
    const [run] = listRuns(db)
    const committed = listCheckpoints(db, run?.runId as RunId).map(({ step }) => step)
    db.close()
    expect([run?.state, committed]).toEqual(['stopped', [0]])
    expect(await command.run([bundle, '--out', out, '--resume', '--progress', 'none'])).toMatchObject({
      code: 0,
      err: '',
    })
    expect(contentOfRun(out)).toBe(content)
  })

  // Asked for by FISAO_THOROUGH: a kill and one signal are tried above.
  test.runIf(process.env['FISAO_THOROUGH'] === 'yes')(
    'a second signal ends it at once, which loses nothing either',
    async () => {
      const out = join(home, 'twice.fisao')
      let sent = 0
      const stopped = await command.run([bundle, '--out', out, '--progress', 'json'], {
        onLine: (line, kill) => {
          if (line.includes(afterStep1) && sent++ === 0) kill('SIGTERM')
          if (line.includes('"type":"note"')) kill('SIGTERM')
        },
      })
      expect(stopped.code).toBe(143)
      expect(await command.run([bundle, '--out', out, '--resume'])).toMatchObject({ code: 0 })
      expect(contentOfRun(out)).toBe(content)
    },
  )
})

describe('what is typed in place of a job file', { timeout: 240_000 }, () => {
  test('export, inspect and report of a workspace of the app', async () => {
    const out = join(home, 'again')
    const exportedAgain = await command.run(['export', inApp, '--step', 'last', '--out', out])
    expect(exportedAgain).toMatchObject({ code: 0, err: '' })
    const weights = (folder: string) => readFileSync(join(folder, 'adapter/adapter_model.safetensors'))
    expect(weights(out).equals(weights(exported))).toBe(true)
    const inspected = await command.run(['inspect', inApp])
    const { runs } = JSON.parse(inspected.out.join('\n'))
    expect(runs).toMatchObject([{ runId: 1, name: 'short', seed: 3 }])
    expect(runs[0].checkpoints.map(({ step }: { step: number }) => step)).toEqual([0, 1, 2, 3])
    const report = join(home, 'report.html')
    expect(await command.run(['report', inApp, '--step', 'last', '--out', report])).toMatchObject({ code: 0 })
    expect(readFileSync(report, 'utf8')).toContain('<title>short')
    const pdf = await command.run(['report', inApp, '--out', join(home, 'report.pdf')])
    expect([pdf.code, pdf.err]).toEqual([3, expect.stringContaining('printed by the window of the app')])
    // Nothing is left beside it.
    expect(['-wal', '-shm', '-lock'].filter((end) => existsSync(`${inApp}${end}`))).toEqual([])
  })

  test('a job that is written down is the one that is carried out', async () => {
    const asked = ['describe', '--demo', '--adapter', exported, '--images', join(sampleScenes, 'scene-0001.jpg')]
    const path = join(home, 'asked.json')
    expect(await command.run([...asked, '--threads', '1', '--write-job', path])).toMatchObject({ code: 0 })
    const [typed, written] = [join(home, 'typed.jsonl'), join(home, 'written.jsonl')]
    expect(await command.run([...asked, '--threads', '1', '--out', typed])).toMatchObject({ code: 0 })
    expect(await command.run([path, '--out', written])).toMatchObject({ code: 0 })
    expect(readFileSync(written, 'utf8')).toBe(readFileSync(typed, 'utf8'))
    expect(JSON.parse(readFileSync(typed, 'utf8'))).toMatchObject({
      imageId: 1,
      text: expect.stringContaining('The image'),
    })
  })

  test('an evaluation in a workspace is stored there, and a model is judged with an adapter', async () => {
    const stored = await command.run([
      'evaluate',
      inApp,
      '--step',
      '0,last',
      '--lexicon',
      'scene',
      '--most',
      '6',
      '--threads',
      '1',
    ])
    expect(stored.code).toBe(0)
    const detail = JSON.parse(stored.out.join('\n'))
    expect(detail).toMatchObject({
      kind: 'annotation-free',
      state: 'done',
      images: 6,
      done: 12,
      policies: { length: 2 },
    })
    const judged = await command.run(['evaluate', '--demo', '--adapter', exported, '--most', '6', '--threads', '1'])
    expect(JSON.parse(judged.out.join('\n'))).toMatchObject({ images: 6, placebo: null })
    const { evaluations } = JSON.parse((await command.run(['inspect', inApp])).out.join('\n'))
    expect(evaluations).toMatchObject([{ kind: 'annotation-free', state: 'done' }])
  })
})

describe('exit codes', { timeout: 120_000 }, () => {
  const other = '0'.repeat(64)
  const cases: readonly (readonly [number, string, () => readonly string[]])[] = [
    [0, 'fisao-studio-run ', () => ['--version']],
    [2, "Unknown option '--colour'", () => ['--colour']],
    [2, 'Name a job file or a subcommand', () => []],
    [3, 'number to be >=1', () => ['align', '--demo', '--set', 'optimiser.stepsPerRound=0']],
    [
      4,
      'is no longer the one',
      () => [changed('lexicon', { lexicon: { path: demoLexicon, sha256: other } }), '--progress', 'none'],
    ],
    [4, 'no workspace and no model folder', () => ['inspect', join(home, 'nothing')]],
    [5, 'already is a workspace', () => [bundle, '--out', inApp]],
    [5, 'cannot be written there', () => ['inspect', demoModel, '--out', join(home, 'no/such/folder.json')]],
    [6, 'cannot tell right words', () => [refused(), '--progress', 'none']],
    [8, 'not a FiSAO Studio workspace', () => ['report', bundle]],
    [8, 'no checkpoint at step 99', () => ['export', inApp, '--step', '99', '--out', join(home, 'none')]],
    [
      9,
      'dml',
      () => ['describe', '--demo', '--images', sampleScenes, '--device', 'dml', '--out', join(home, 'dml.jsonl')],
    ],
  ]

  /** A verifier of which more is asked than any can do. */
  const refused = (): string =>
    changed('refused', {
      config: { ...config, calibration: { ...config.calibration, leastAuroc: 1, goOnRefused: false } },
    })

  test('1: an installation of which the packages with native code were lost', async () => {
    const folder = join(home, 'lost/out/headless')
    cpSync(dirname(command.entry), folder, { recursive: true })
    const { code, err } = await command.run(['inspect', inApp], { entry: join(folder, 'run.js') })
    expect([code, err]).toEqual([1, expect.stringContaining('The program itself failed: Cannot find package')])
    expect(err).not.toMatch(/^\s+at /m)
  })

  test.each(cases)('%i: %s', async (exitCode, words, args) => {
    const { code, out, err } = await command.run(args())
    expect([code, [...out, err].join('\n')]).toEqual([exitCode, expect.stringContaining(words)])
    // One sentence and what to do; never a stack.
    expect(err).not.toMatch(/^\s+at /m)
    if (exitCode !== 0) expect(err.split('\n').length).toBeLessThanOrEqual(3)
  })

  test('8: a workspace that another program has', async () => {
    const lock = lockWorkspace(inApp)
    const { code, err } = await command.run(['evaluate', inApp, '--lexicon', 'scene'])
    expect([code, err]).toEqual([8, expect.stringContaining('open in another FiSAO Studio')])
    // Reading needs no lock.
    expect(await command.run(['inspect', inApp])).toMatchObject({ code: 0 })
    lock?.release()
  })

  test.runIf(canMakeDisks)('7: a full disk, and it goes on when there is room', async () => {
    const disk = makeSmallDisk(join(home, 'disk'), 'size=64m')
    const out = join(disk.folder, 'full.fisao')
    disk.fill(2_500_000)
    const { code, err } = await command.run([bundle, '--out', out])
    expect([code, err]).toEqual([7, expect.stringContaining('disk is full')])
    disk.free()
    expect(await command.run([bundle, '--out', out, '--resume'])).toMatchObject({ code: 0 })
    expect(contentOfRun(out)).toBe(content)
    disk.unmount()
  })
})

describe('hostile job files are refused by name', { timeout: 60_000 }, () => {
  const written = (name: string, text: string): string => {
    const path = join(home, name)
    writeFileSync(path, text)
    return path
  }
  const [first, ...rest] = ['path', 'sha256'] as const
  test.each([
    ['another version', () => changed('version', { version: 2 }), 'expected version 1, found version 2'],
    ['a kind that there is not', () => changed('kind', { kind: 'train' }), 'kind: '],
    [
      'a folder',
      () => mkdirSync(join(home, 'folder.json'), { recursive: true }) ?? join(home, 'folder.json'),
      'a folder',
    ],
    ['nothing there', () => join(home, 'gone.json'), 'no file'],
    ['NaN', () => written('nan.json', JSON.stringify(job()).replace('"seed":3', '"seed":NaN')), 'seed: '],
    ['infinity', () => written('inf.json', JSON.stringify(job()).replace('"seed":3', '"seed":1e999')), 'seed: '],
    [
      'a relative path',
      () => changed('relative', { lexicon: { [first]: 'lexicon.json', [rest[0] as string]: '0'.repeat(64) } }),
      'lexicon.path: must be a full path',
    ],
    ['a field too many', () => changed('more', { shell: 'rm' }), '"shell"'],
    ['very deep', () => written('deep.json', '['.repeat(100_000)), 'nested more than'],
    ['binary', () => join(demoModel, 'model.safetensors'), 'no JSON'],
  ] as const)('%s', async (_name, path, words) => {
    const { code, err } = await command.run([path() as string])
    expect([code, err]).toEqual([3, expect.stringContaining(words)])
  })

  test('100 MB, without being read', async () => {
    const path = written('huge.json', '{')
    truncateSync(path, 100_000_000)
    const { code, err } = await command.run([path])
    expect([code, err]).toEqual([3, expect.stringContaining('a file of 100000000 bytes')])
  })
})
